"""When upkeep is due and what becomes of each time: pure.

U1. Each occurrence of a plan is recorded once, on the day of the plan's zone on which it begins.
U2. It is due its days of lead before it begins; those that begin before `settled_until` are done with.
U3. After an outage only the latest occurrence that has ended meanwhile still becomes a ticket; the others are missed.
U4. A policy looks once for each of its days; after an outage only for the latest of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msp.windows.rules import Recurring, next_spans, occurrences
from tenants.foundation.spans import Span

BECOMES = ("request", "change", "visit")
TIERS = ("L1", "L2", "L3")
OCCURRENCE_STATES = ("opened", "missed")
LONGEST_LEAD_DAYS = 60
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Settled:
    """One occurrence and what becomes of it: `opened` or `missed`."""

    occurs_on: date
    span: Span
    state: str


def beginning_after(rule: Recurring, after: datetime, until: datetime) -> list[Span]:
    """Occurrences that begin in `(after, until]`, in order. Raises UnfitRule."""
    return [span for span in occurrences(rule, after, until + INSTANT) if after < span[0] <= until]


def next_begin(rule: Recurring, after: datetime) -> datetime | None:
    """When the first occurrence after a moment begins; None where there is none in the next ten years."""
    found = next_spans(rule, after, 1)
    return found[0][0] if found else None


def settle(rule: Recurring, *, settled_until: datetime, lead: timedelta, at: datetime) -> list[Settled]:
    """What becomes of the occurrences that are due (U2, U3), in order."""
    due = beginning_after(rule, settled_until, at + lead)
    over = [span for span in due if span[1] <= at]
    return [
        Settled(day_of(span[0], rule.time_zone), span, "missed" if span in over[:-1] else "opened")
        for span in due
    ]


def look_again(rule: Recurring, *, settled_until: datetime, lead: timedelta) -> datetime | None:
    """When the next occurrence falls due (U2); None where there is none."""
    begin = next_begin(rule, settled_until)
    return None if begin is None else begin - lead


def latest(rule: Recurring, *, settled_until: datetime, at: datetime) -> datetime | None:
    """The last of a policy's days that has come since it looked (U4)."""
    found = beginning_after(rule, settled_until, at)
    return found[-1][0] if found else None


def day_of(at: datetime, time_zone: str) -> date:
    """The day of a zone in which a moment lies."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def grave_enough(severities: Sequence[str], least: str) -> list[str]:
    """Severities from `least` on, of all in rising order."""
    return list(severities[severities.index(least) :])
