"""Processes that a killed demo may have left behind: written down while they run, ended before the next start."""

import json
import signal
from pathlib import Path

from msp.demo import linux
from msp.demo.child import Child
from msp.demo.folder import write
from msp.embedded.process import command_line

PATIENCE = 5.0


def boot_id() -> str:
    """Which boot of the machine this is: process numbers mean something only within it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def write_down(path: Path, supervisor: int, children: list[Child]) -> None:
    """Note every process that runs, by name: for the next start, and for people who want to look."""
    running = {
        child.recipe.name: {"pid": child.pid, "started": child.started} for child in children if child.pid
    }
    write(path, {"boot": boot_id(), "supervisor": supervisor, "children": running})


def end_leftovers(path: Path) -> int:
    """End what is left of an earlier run, known by number, start time and command; returns how many there were.

    The caller holds the folder's claim, so that nobody else's demo is meant.
    """
    left = _left(path)
    linux.send(left, signal.SIGTERM)
    stubborn = linux.wait_gone(left, PATIENCE)
    linux.send(stubborn, signal.SIGKILL)
    linux.wait_gone(stubborn, PATIENCE)
    return len(left)


def _left(path: Path) -> list[int]:
    try:
        noted = json.loads(path.read_text())
        if noted["boot"] != boot_id():
            return []
        known = {int(one["pid"]): int(one["started"]) for one in noted["children"].values()}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [one.pid for one in linux.processes() if _is_one_of(one, known)]


def _is_one_of(process: linux.Process, known: dict[int, int]) -> bool:
    """One that was noted, or one that it started (each leads a session of its own)."""
    began = known.get(process.session)
    if began is None or process.started < began:
        return False
    if process.pid == process.session and process.started != began:
        return False
    return "msp.demo" in command_line(process.pid) or "msp.agent" in command_line(process.pid)
