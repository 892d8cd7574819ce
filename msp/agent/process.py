"""Running other programs: no shell, a clean environment, a process group of their own, their output in a file.

The output goes to a file and not through a pipe, so that a package manager whose agent was killed can end its work.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.1
TERM_SECONDS = 5.0
TAIL_BYTES = 8 * 1024
TAIL_LINES = 12
LINE_LENGTH = 300
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Finished:
    """How a program ended: its exit code (negative: the signal), its output and that output's last lines."""

    code: int
    tail: tuple[str, ...]
    output: str
    is_timed_out: bool = False
    is_too_loud: bool = False


def run(
    words: Sequence[str],
    log: Path,
    *,
    pulse: Callable[[], None] = lambda: None,
    environment: dict[str, str] | None = None,
    seconds: float | None = None,
    most_bytes: int | None = None,
    keep_open: Sequence[int] = (),
    whole: bool = False,
) -> Finished:
    """Run to the end, at most `seconds` and `most_bytes` of output; raises OSError if it cannot be started.

    The output that is returned is its end, or all of it if asked for.

    `pulse` is called every tenth of a second; if it raises, the program's whole group is ended first.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**ENVIRONMENT, **(environment or {})},
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    try:
        over = _watch(child, log, pulse, seconds, most_bytes)
    except BaseException:
        _end(child)
        raise
    text = _tail(log, None if whole else TAIL_BYTES)
    return Finished(child.returncode, _lines(text), text, over == "time", over == "size")


def _watch(
    child: subprocess.Popen[bytes],
    log: Path,
    pulse: Callable[[], None],
    seconds: float | None,
    most_bytes: int | None,
) -> str:
    """Wait for the end; says what was over if the program had to be ended."""
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            child.wait(LOOK_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            pulse()
        over = "time" if until is not None and time.monotonic() >= until else ""
        if most_bytes is not None and log.stat().st_size > most_bytes:
            over = "size"
        if over:
            _end(child)
            return over


def _end(child: subprocess.Popen[bytes]) -> None:
    for sign, patience in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, None)):
        try:
            os.killpg(child.pid, sign)
        except ProcessLookupError:
            child.wait()
            return
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _tail(log: Path, most: int | None) -> str:
    with log.open("rb") as file:
        if most is not None:
            file.seek(max(0, log.stat().st_size - most))
        return file.read().decode("utf-8", "replace")


def _lines(text: str) -> tuple[str, ...]:
    printable = ("".join(c if c.isprintable() else " " for c in line).strip() for line in text.splitlines())
    return tuple(line[:LINE_LENGTH] for line in printable if line)[-TAIL_LINES:]
