"""Running a `script` release: its one artifact, by the interpreter that it names, once and never again."""

import fcntl
import hashlib
import os
import shutil
import time
from pathlib import Path

from . import crash, process
from .documents import Artifact, Chunk, Deployment
from .download import local
from .durable import write_file
from .executors import Done, Found, Leave, Pulse
from .ledger import Intent
from .orders import read_orders
from .process import Finished
from .reasons import Failure, Reason
from .stop import StopRequested

KIND = "script"
INTERPRETERS = ("/bin/sh", "/usr/bin/python3")
MOST_SECONDS = 14_400
MOST_BYTES = 16 * 1024 * 1024


class ScriptExecutor:
    """Runs scripts of one system; they lie in `folder` while they run."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder

    def artifacts(self, deployment: Deployment) -> list[Artifact]:
        """The script. Raises Failure(UNSUPPORTED) for anything else."""
        chunk = _chunk(deployment)
        _seconds(chunk)
        if not (self._root / _interpreter(chunk).lstrip("/")).exists():
            raise Failure(Reason.UNSUPPORTED, f"unsupported: there is no {_interpreter(chunk)} here")
        return list(chunk.artifacts)

    def check(self, deployment: Deployment, to_fetch: int) -> None:
        """Raise Failure if the disk has no room for the script."""
        with local("scripts"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            free = shutil.disk_usage(self._folder).free
        if free < to_fetch + MOST_BYTES:
            raise Failure(Reason.NO_SPACE, f"no space: {free} bytes free")

    def intent(self, deployment: Deployment, fetched: list[Path], pulse: Pulse) -> Intent:
        """The script's copy is in place and its digest checked once more. Raises Failure."""
        chunk = _chunk(deployment)
        orders = read_orders(chunk)
        self._place(deployment.action, fetched[0], chunk.artifacts[0])
        seconds = _seconds(chunk)
        plan = {"interpreter": _interpreter(chunk), "seconds": seconds, "until": time.time() + seconds}
        return Intent(deployment.action, deployment.release, (), KIND, plan, orders.after, orders.reboot)

    def carry_out(self, intent: Intent, fetched: list[Path], leave: Leave) -> Done:
        """Run it, at most as long as the release says. Raises Failure."""
        try:
            leave.ask()
            leave.begin()
            crash.point("script-begun")
            done = self._run(intent, leave)
            crash.point("script-ended")
        finally:
            self._forget(intent.action)
        return _judge(done, intent.plan["seconds"])

    def inspect(self, intent: Intent, has_begun: bool, pulse: Pulse) -> Found:
        """A script that had not begun may begin; of one that had, nobody knows what it did."""
        if not has_begun:
            self._forget(intent.action)
            return Found("void", "interrupted before the script began")
        if self._is_running(intent.action) and time.time() < intent.plan["until"]:
            return Found("wait", "the script is still running")
        self._forget(intent.action)
        words = "interrupted: the script had begun, and how it ended is not known"
        return Found("failure", words, Reason.INTERRUPTED)

    def _run(self, intent: Intent, leave: Leave) -> Finished:
        lock = os.open(self._lock(intent.action), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Inherited, so that an agent started anew sees that the script still runs.
            fcntl.flock(lock, fcntl.LOCK_EX)
            return process.run(
                self._words(intent),
                self._folder / f"{intent.action}.log",
                pulse=_both(leave.pulse, leave.check_stop),
                environment={"MSP_ACTION": intent.action, "MSP_RELEASE": intent.release},
                seconds=intent.plan["seconds"],
                most_bytes=MOST_BYTES,
                keep_open=[lock],
            )
        except StopRequested:
            words = "interrupted: the agent was stopped while the script ran"
            raise Failure(Reason.INTERRUPTED, words) from None
        except OSError as error:
            raise Failure(Reason.SCRIPT, f"the script cannot be started: {error.strerror}") from None
        finally:
            os.close(lock)

    def _words(self, intent: Intent) -> list[str]:
        interpreter: str = intent.plan["interpreter"]
        path = self._script(intent.action)
        if self._root == Path("/"):
            return [interpreter, str(path)]
        return ["chroot", str(self._root), interpreter, f"/{path.relative_to(self._root)}"]

    def _place(self, action: str, source: Path, artifact: Artifact) -> None:
        path = self._script(action)
        with local("script"):
            content = source.read_bytes()
            if hashlib.sha256(content).hexdigest() != artifact.sha256:
                raise Failure(Reason.DIGEST, "the script changed between download and running")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_file(path, content, 0o700)

    def _script(self, action: str) -> Path:
        """Where the script lies: a system in a folder sees only what is below that folder."""
        if self._root == Path("/"):
            return self._folder / action
        return self._root / "var/lib/msp-agent/scripts" / action

    def _lock(self, action: str) -> Path:
        return self._folder / f"{action}.lock"

    def _is_running(self, action: str) -> bool:
        try:
            descriptor = os.open(self._lock(action), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _forget(self, action: str) -> None:
        for path in (self._script(action), self._lock(action), self._folder / f"{action}.log"):
            path.unlink(missing_ok=True)


def _judge(done: Finished, seconds: int) -> Done:
    """Exit code 0 in time is a success, everything else raises Failure."""
    if done.is_timed_out:
        raise Failure(Reason.TIMED_OUT, f"the script was ended after {seconds} s", done.tail)
    if done.is_too_loud:
        raise Failure(Reason.SCRIPT, f"the script was ended after {MOST_BYTES} bytes of output", done.tail)
    if done.code != 0:
        how = f"exit code {done.code}" if done.code > 0 else f"signal {-done.code}"
        raise Failure(Reason.SCRIPT, f"the script failed: {how}", done.tail)
    return Done("the script ended well", done.tail)


def _chunk(deployment: Deployment) -> Chunk:
    if len(deployment.chunks) != 1 or len(deployment.chunks[0].artifacts) != 1:
        raise Failure(Reason.UNSUPPORTED, "unsupported: a script release holds exactly one file")
    return deployment.chunks[0]


def _interpreter(chunk: Chunk) -> str:
    found = chunk.metadata.get("interpreter", "")
    if found not in INTERPRETERS:
        raise Failure(Reason.UNSUPPORTED, f"unsupported interpreter {found!r}")
    return found


def _seconds(chunk: Chunk) -> int:
    found = chunk.metadata.get("timeout_seconds", "")
    if not found.isascii() or not found.isdigit() or not 1 <= int(found) <= MOST_SECONDS:
        raise Failure(Reason.UNSUPPORTED, "unsupported: timeout_seconds lies between 1 and 14400")
    return int(found)


def _both(one: Pulse, other: Pulse) -> Pulse:
    def pulse() -> None:
        one()
        other()

    return pulse
