"""A sign of life while one long step is under way, so that the portal does not take it for lost."""

import time
from collections.abc import Callable

from .courier import Courier

EVERY_SECONDS = 60.0


class Heart:
    """Called often, tells the portal once a minute; raises nothing."""

    def __init__(
        self,
        courier: Courier,
        action: str,
        *,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._courier = courier
        self._action = action
        self._every = every
        self._clock = clock
        self._begun = clock()
        self._next = self._begun + every

    def __call__(self) -> None:
        """Tell the portal if it is time to."""
        now = self._clock()
        if now >= self._next:
            self._next = now + self._every
            self._courier.progress(self._action, "proceeding", f"at work for {round(now - self._begun)} s")
