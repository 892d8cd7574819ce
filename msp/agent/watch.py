"""Looking up from the work now and then: is the action to be cancelled, is the agent to stop?"""

import time
from collections.abc import Callable

from .controller import Controller
from .documents import Poll
from .log import LOG
from .stop import Stop
from .wire import Busy, Refused, Trouble


class Cancelled(Exception):
    """The portal asked to stop the action in hand."""


class Watch:
    """Polls while an action is worked on, at most every `every` seconds; called between steps and blocks."""

    def __init__(
        self,
        controller: Controller,
        action: str,
        stop: Stop,
        *,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controller = controller
        self._action = action
        self._stop = stop
        self._every = every
        self._clock = clock
        self._next = clock() + every

    def __call__(self) -> None:
        """Raise StopRequested or Cancelled if it is time to leave off."""
        self._stop.check()
        if self._clock() >= self._next:
            self.look()

    def look(self) -> None:
        """Poll now; a portal that does not answer does not hold up the work."""
        self._next = self._clock() + self._every
        try:
            if self._is_cancelled(self._controller.poll()):
                raise Cancelled
        except Busy as busy:
            self._next = self._clock() + max(self._every, busy.retry_after)
        except (Trouble, Refused) as error:
            LOG.info("could not look for a cancellation: %s", error)

    def _is_cancelled(self, poll: Poll) -> bool:
        return poll.cancel is not None and self._controller.cancellation(poll.cancel) == self._action
