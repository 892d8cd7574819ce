"""How long to wait after a failure: doubling, capped, and spread so that a fleet does not return in step."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Backoff:
    """Seconds to wait; each failure doubles them up to `cap`, a success begins anew."""

    first: float
    cap: float
    failures: int = 0
    chance: Callable[[], float] = random.random

    def next(self) -> float:
        """The wait after one more failure: between half of the doubled step and the whole of it."""
        whole = min(self.cap, self.first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return whole / 2 + whole / 2 * self.chance()

    def reset(self) -> None:
        """The last attempt worked."""
        self.failures = 0


def spread(seconds: float, chance: Callable[[], float] = random.random) -> float:
    """At least the given seconds and at most a tenth more: for waits that a server asked for."""
    return seconds * (1 + chance() / 10)
