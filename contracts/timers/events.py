"""What time brings about."""

from dataclasses import dataclass
from datetime import datetime

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class TimerWarned(Event):
    """A share of a target, in percent, was used up."""

    ticket_id: int
    mark_id: int
    clock: str
    percent: int
    warned_at: datetime


@dataclass(frozen=True, kw_only=True)
class TimerMissed(Event):
    """A target ran out."""

    ticket_id: int
    mark_id: int
    clock: str
    missed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SideTimerWarned(Event):
    """A share, in percent, of a target beside the ticket's own was used up."""

    timer_id: int
    percent: int


@dataclass(frozen=True, kw_only=True)
class SideTimerMissed(Event):
    """A target beside the ticket's own ran out: a hand-over was not accepted, or a vendor did not answer."""

    timer_id: int
