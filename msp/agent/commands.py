"""The agent's commands. Exit codes: 0 done, 1 refused or not done (says why), 2 usage."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from . import VERSION
from .agent import Agent, Loop, retry_cap
from .credential import Unenrolled
from .debian import Debian
from .facts import Machine
from .folder import Folder, FolderBusy
from .ledger import Ledger, LedgerDamaged
from .log import LOG, write_to
from .settings import Unusable, load
from .stop import Stop, StopRequested
from .wire import Refused, Trouble

Command = Callable[[Folder, argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    flags = _parser().parse_args(arguments)
    folder = Folder(Path(flags.folder).absolute())
    try:
        folder.prepare()
        command: Command = flags.command
        return command(folder, flags)
    except (Unusable, FolderBusy, LedgerDamaged, Unenrolled, OSError) as error:
        print(f"msp-agent: {error}", file=sys.stderr)
        return 1


def run(folder: Folder, flags: argparse.Namespace) -> int:
    """Poll until SIGTERM or SIGINT."""
    return _work(folder, flags, lambda agent, stop, cap: Loop(agent, stop, retry_cap=cap).run())


def once(folder: Folder, flags: argparse.Namespace) -> int:
    """One cycle."""
    return _work(folder, flags, lambda agent, _stop, _cap: agent.cycle())


def inventory(folder: Folder, flags: argparse.Namespace) -> int:
    """Print what the portal would be told."""
    root = Path(flags.root or "/")
    machine = Machine(folder.path, root, Debian(root, folder.work).upgradable)
    installed = Ledger(folder.ledger).installed_release if folder.ledger.exists() else None
    facts = machine.facts(installed)
    shown = machine.inventory(facts) if flags.packages else facts
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0


def hold(folder: Folder, _flags: argparse.Namespace) -> int:
    """Install nothing until release; polling and inventory go on."""
    folder.hold()
    return 0


def release(folder: Folder, _flags: argparse.Namespace) -> int:
    """End the hold."""
    folder.release()
    return 0


def _work(folder: Folder, flags: argparse.Namespace, act: Callable[[Agent, Stop, float], object]) -> int:
    settings = load(folder.config, flags)
    folder.lock()
    write_to(folder.log)
    stop = Stop()
    stop.listen()
    agent = Agent(settings, folder, stop)
    try:
        act(agent, stop, retry_cap(settings))
    except StopRequested:
        LOG.info("stopped")
    except (Trouble, Refused) as error:
        LOG.warning("%s", error)
        return 1
    finally:
        agent.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msp-agent", description="Keeps one machine in step with its portal."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function in (run, once, inventory, hold, release):
        command = commands.add_parser(function.__name__, help=function.__doc__, description=function.__doc__)
        command.add_argument("--folder", required=True, help="where the agent keeps its files")
        if function in (run, once, inventory):
            command.add_argument("--root", help="the system to act on and to tell of; default /")
        command.set_defaults(command=function)
        if function in (run, once):
            _add_settings(command)
        if function is inventory:
            command.add_argument("--packages", action="store_true", help="with the full list of packages")
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", help="the portal's address up to and without the tenant")
    command.add_argument("--tenant")
    command.add_argument("--controller-id")
    command.add_argument("--token", help="TargetToken; visible in the process list, prefer config.json")
    command.add_argument("--enrolment-token", help="one-use token, traded for a TargetToken")
    command.add_argument("--poll-seconds", type=float, help="instead of what the portal says")
    command.add_argument("--minimum-free-bytes", type=int, help="disk space to keep free")
    command.add_argument("--ca-file", help="certificates to trust instead of the system's")
    command.add_argument(
        "--allow-plain-http", action="store_const", const=True, help="for closed test networks"
    )
    command.add_argument(
        "--allow-reboots", action="store_const", const=True, help="reboot by itself where a release wants it"
    )
