"""The wish to stop: SIGTERM and SIGINT interrupt waiting and network reads at once, never a write to disk."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """Somebody asked the agent to stop; not an Exception, so that no retry swallows it."""


class Stop:
    """Remembers the wish and raises StopRequested where that can do no harm."""

    def __init__(self) -> None:
        self.requested = False
        self._interruptible = 0

    def listen(self) -> None:
        """Take over SIGTERM and SIGINT of this process (main thread only)."""
        signal.signal(signal.SIGTERM, self._heard)
        signal.signal(signal.SIGINT, self._heard)

    def check(self) -> None:
        """Raise StopRequested if the wish has been heard."""
        if self.requested:
            raise StopRequested

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, a signal raises StopRequested at whatever the process is waiting for."""
        self._interruptible += 1
        try:
            self.check()
            yield
        finally:
            self._interruptible -= 1

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the wish to stop."""
        with self.interruptible():
            time.sleep(max(0.0, seconds))

    def _heard(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._interruptible:
            raise StopRequested
