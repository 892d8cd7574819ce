"""Start a tethered server process, wait for it, and end one that an earlier, killed run left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msp.embedded.account import Account
from msp.embedded.errors import EmbeddedError

START_SECONDS = 60.0  # recovery after a crash replays the log first
STOP_SECONDS = 4.5
POLL_SECONDS = 0.01
TETHER = Path(__file__).with_name("tether.py")


def spawn(
    program: Sequence[str | Path], account: Account, log: Path, *, death: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches us and not it.

    It gets the signal `death` when the calling thread ends. Output is appended to `log`.
    """
    ids = (account.uid, account.gid) if account.switches else (-1, -1)
    tether = [sys.executable, "-I", "-S", TETHER, os.getpid(), int(death), *ids]
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in (*tether, *program)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
        )


def server_environment() -> dict[str, str]:
    """What a server may know of our environment: nothing that changes its settings."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def wait_until_ready(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    """Return when the server answers. Raises EmbeddedError, with the end of its log, when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready():
            return
        time.sleep(POLL_SECONDS)
    end(process, (signal.SIGKILL,))
    raise EmbeddedError(f"{process.args!r} did not start:\n{last_lines(log)}")


def end(process: subprocess.Popen[bytes], signals: Sequence[signal.Signals]) -> None:
    """Send each signal in turn until the process has ended; the first gets most of the time."""
    for number, patience in zip(signals, _patience(len(signals)), strict=True):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def end_leftover(pid: int, marker: str, signals: Sequence[signal.Signals]) -> bool:
    """End a server that outlived its launcher, known by its command line.

    False when the process is none of ours: the number was given anew.
    """
    if marker not in command_line(pid):
        return False
    for number, patience in zip(signals, _patience(len(signals)), strict=True):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if _gone_within(pid, marker, patience):
            return True
    raise EmbeddedError(f"Process {pid} does not end; end it yourself: it uses {marker}")


def command_line(pid: int) -> str:
    """The command line of a process, arguments parted by blanks; empty when there is no such process."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    shown = subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _patience(count: int) -> list[float]:
    """Seconds to wait after each of the signals: nearly all of them after the first."""
    return [STOP_SECONDS - 0.5 * (count - 1)] + [0.5] * (count - 1)


def _gone_within(pid: int, marker: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while marker in command_line(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
