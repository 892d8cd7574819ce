"""When things happened: every moment is counted back from the hour of seeding, in the client's own business time."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.clock.calendar import Calendar
from tenants.foundation.actor import Actor

FURTHEST = timedelta(days=120)


@dataclass
class Stage:
    """What the parts of the seed share: the moment, the dice, and who and what was made so far by name."""

    now: datetime
    dice: random.Random
    by: Actor
    tenants: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    assets: dict[str, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        """When the provider began to serve: before everything else that the seed tells."""
        return self.now - timedelta(days=90)


def opened_before(calendar: Calendar, now: datetime, minutes: int) -> datetime:
    """The latest whole minute since which this many business minutes have passed."""
    early, late = now - FURTHEST, now
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        early, late = (middle, late) if calendar.elapsed(middle, now) >= minutes * 60 else (early, middle)
    return early.replace(second=0, microsecond=0)


def after(calendar: Calendar, at: datetime, minutes: float) -> datetime:
    """The moment this many business minutes later."""
    found = calendar.add(at, round(minutes * 60))
    assert found is not None
    return found
