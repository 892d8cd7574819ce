"""Hearing signals without being interrupted by them."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self

HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class StopAsked(BaseException):
    """Somebody asked us to stop while we were busy starting; not to be mistaken for an error."""


class Signals:
    """While entered: counts requests to stop, and wakes `rest` for those and for ended children.

    While `interrupts` is set, a request to stop raises StopAsked in the midst of whatever we do.
    """

    def __init__(self, *, interrupts: bool = False) -> None:
        self.asked_to_stop = 0
        self.interrupts = interrupts
        self._pipe: tuple[int, int] = (-1, -1)

    def __enter__(self) -> Self:
        self._pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in HEARD:
            signal.signal(number, self._hear)
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.asked_to_stop += 1
            if self.interrupts:
                self.interrupts = False
                raise StopAsked

    def rest(self, seconds: float) -> bool:
        """Sleep, but not past a signal; whether there was one."""
        readable, _, _ = select.select([self._pipe[0]], [], [], max(seconds, 0.0))
        if readable:
            os.read(self._pipe[0], 4096)
        return bool(readable)

    def forget(self) -> None:
        """Default behaviour again; a forked child does this first."""
        signal.set_wakeup_fd(-1)
        for number in HEARD:
            signal.signal(number, signal.SIG_DFL)
        for descriptor in self._pipe:
            os.close(descriptor)
