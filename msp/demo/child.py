"""One process of the demo: forked or executed in a session of its own, its words in a log, started again."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from msp.demo import linux
from msp.demo.signals import Signals

FIRST_DELAY, LONGEST_DELAY = 0.25, 15.0
STEADY_SECONDS = 30.0
LARGEST_LOG = 5 * 1024 * 1024


class Closable(Protocol):
    """Something that holds a file descriptor."""

    def close(self) -> object:
        """Let go of it."""


@dataclass(frozen=True)
class Recipe:
    """What a child does. `act` runs in a fork that shares our memory; `program` is executed and shares nothing.

    `shown` is its name in ps and top; `keeps` is what it does not close.
    """

    name: str
    act: Callable[[], object] | None = None
    program: tuple[str, ...] = ()
    keeps: tuple[Closable, ...] = ()
    shown: str = ""


@dataclass
class Child:
    """A recipe and the process that runs it at present."""

    recipe: Recipe
    log: Path
    pid: int | None = None
    started: int = 0
    exit_code: int | None = None
    starts: int = 0
    _since: float = 0.0
    _delay: float = FIRST_DELAY
    _not_before: float = 0.0

    def start(self, signals: Signals, closing: Sequence[Closable]) -> None:
        """Fork. The child hears signals itself and closes what is in `closing`, unless its recipe keeps it."""
        self._make_room()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            signals.forget()
            _become(self.recipe, self.log, parent, [one for one in closing if one not in self.recipe.keeps])
        self.pid = pid
        self.exit_code = None
        self.starts += 1
        self._since = time.monotonic()
        found = linux.process(pid)
        self.started = found.started if found else 0

    def collect(self) -> int | None:
        """The number of the process if it has ended since the last look; notes its exit code (negative: the signal)."""
        ended = self.pid
        if ended is None or not self._is_over(ended):
            return None
        self.pid = None
        self._back_off()
        return ended

    def _is_over(self, pid: int) -> bool:
        try:
            over, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            over, status = pid, 0
        if over:
            self.exit_code = os.waitstatus_to_exitcode(status)
        return over != 0

    def _back_off(self) -> None:
        if time.monotonic() - self._since > STEADY_SECONDS:
            self._delay = FIRST_DELAY
        self._not_before = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    @property
    def wait_seconds(self) -> float:
        """How long until it may start again."""
        return max(0.0, self._not_before - time.monotonic())

    def send(self, number: signal.Signals) -> None:
        """Signal the process, if there is one."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ended_how(self) -> str:
        """The exit in words."""
        code = self.exit_code or 0
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _make_room(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))


def _become(recipe: Recipe, log: Path, parent: int, closing: Sequence[Closable]) -> NoReturn:
    """The child's side of the fork; never returns into the supervisor's code."""
    code = 1
    try:
        _settle(recipe.shown or f"portal-{recipe.name}", log, parent, closing)
        _run(recipe)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _settle(shown: str, log: Path, parent: int, closing: Sequence[Closable]) -> None:
    os.setsid()
    linux.end_with_parent(parent)
    linux.call_it(shown)
    for one in closing:
        one.close()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    os.close(nothing)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))


def _run(recipe: Recipe) -> None:
    if recipe.act is not None:
        recipe.act()
        return
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    os.execve(recipe.program[0], recipe.program, environment)  # noqa: S606
