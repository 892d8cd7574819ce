"""What the kernel can tell and do about processes: who is whose, and who ends with whom."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 128 * 1024
POLL_SECONDS = 0.02
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: int | bytes) -> None:
    if sys.platform == "linux":
        _libc.prctl(option, argument, 0, 0, 0)


def give_memory_back() -> None:
    """Return memory that was freed to the system, here and in every fork; glibc would keep what a peak once needed."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(M_ARENA_MAX, 1)
        _libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        _libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind, so that nothing gets away."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """Ask for SIGTERM at the parent's death; end at once when it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def call_it(name: str) -> None:
    """Show this process as `name` in ps and top (15 bytes)."""
    _prctl(PR_SET_NAME, name.encode()[:15])


@dataclass(frozen=True)
class Process:
    """A line of the process table. `started` in clock ticks since boot: with the pid it names one process for ever."""

    pid: int
    parent: int
    session: int
    started: int


def process(pid: int) -> Process | None:
    """The process of this number, unless it has ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = line[line.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def processes() -> list[Process]:
    """Every living process."""
    numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [found for found in map(process, numbers) if found]


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    everything = processes()
    found, generation = set[int](), {pid}
    while generation:
        generation = {one.pid for one in everything if one.parent in generation} - found
        found |= generation
    return sorted(found)


def session(leader: int) -> list[int]:
    """Processes of a session, whether or not its leader lives."""
    return [one.pid for one in processes() if one.session == leader]


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def wait_gone(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until none of them lives; returns those that do after that time."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if process(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [pid for pid in left if process(pid)]
    return left


def reap_adopted(own: Iterable[int]) -> None:
    """Collect adopted processes that have ended; those in `own` are somebody else's to collect."""
    kept = set(own)
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) not in kept:
            _reap_if_ours(int(path.name))


def _reap_if_ours(pid: int) -> None:
    with suppress(OSError, ValueError):
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        state, parent = line[line.rindex(")") + 2 :].split()[:2]
        if state == "Z" and int(parent) == os.getpid():
            os.waitpid(pid, os.WNOHANG)
