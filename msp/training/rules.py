"""What makes a proposal, what may be done with a class, and what the numbers before and after it say. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

STATES = ("planned", "held", "cancelled")
ANSWERS = ("none", "yes", "no")
LANGUAGES = ("id", "en")
# How long both spans are: before a class and after it; also what proposals look at, and how long a refusal holds.
SPAN = timedelta(days=90)
LEAST_TICKETS = 5
LEAST_REQUESTERS = 2
# Fewer than these say nothing: tickets in both spans together, and people who came.
LEAST_COUNTED = 10
LEAST_ATTENDEES = 3
REMIND = timedelta(days=1)
FARTHEST = timedelta(days=400)
LEAST_MINUTES, MOST_MINUTES = 10, 1440
MOST_SEATS = 500


def per_head(tickets: int, heads: int) -> float | None:
    """Tickets of one person, None of nobody."""
    return tickets / heads if heads else None


@dataclass(frozen=True, slots=True)
class Group:
    """Some people, and what they asked in the category in the days before a class and in the days after it."""

    heads: int
    before: int
    after: int

    @property
    def before_each(self) -> float | None:
        """Tickets per head before."""
        return per_head(self.before, self.heads)

    @property
    def after_each(self) -> float | None:
        """Tickets per head after."""
        return per_head(self.after, self.heads)

    @property
    def change(self) -> float | None:
        """How much more each asks after than before, as a share (-0.5 is half); None where nobody asked before."""
        return (self.after - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of a held class: those who came, the others, and tickets of people who are neither."""

    came: Group
    others: Group
    uncounted: int = 0

    @property
    def counted(self) -> int:
        """Tickets in both spans together."""
        return self.came.before + self.came.after + self.others.before + self.others.after


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said: `few_people`, `few_tickets`, `not_yet` with the days to go, or `told`."""

    kind: str
    days_to_go: int = 0


def judge(effect: Effect, begins_at: datetime, at: datetime) -> Verdict:
    """Whether the numbers of a class say anything yet, or ever will."""
    if effect.came.heads < LEAST_ATTENDEES:
        return Verdict("few_people")
    left = begins_at + SPAN - at
    if left > timedelta():
        return Verdict("not_yet", ceil(left / timedelta(days=1)))
    return Verdict("few_tickets" if effect.counted < LEAST_COUNTED else "told")


def reminder_for(begins_at: datetime, at: datetime) -> datetime | None:
    """When people are reminded: the day before; None where that is over, since they have just been told."""
    return begins_at - REMIND if begins_at - REMIND > at else None
