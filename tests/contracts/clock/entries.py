"""Short histories of tickets in hours from their start, and their clocks read from them."""

from datetime import datetime, timedelta
from typing import Any

from contracts.clock.calendar import ALWAYS
from contracts.clock.history import ClockKind, Entry, EntryKind, Reading, Terms, read_clock
from contracts.clock.track import (
    ClockRules,
    Target,
)
from tests.contracts.clock.build import at

START = at("2026-11-23 08:00")


HOUR = timedelta(hours=1)


def rules(**given: Any) -> ClockRules:
    """P1 one hour, P2 four, P3 eight, by a calendar that never closes; waiting for the requester pauses."""
    targets = {name: Target(hours * 3_600, ALWAYS) for name, hours in (("P1", 1), ("P2", 4), ("P3", 8))}
    return ClockRules(**({"targets": targets, "pause_reasons": frozenset({"requester"})} | given))


def terms(**given: Any) -> Terms:
    return Terms(
        response=rules(**({"pause_reasons": frozenset()} | given)),
        update=rules(**given),
        resolution=rules(**given),
    )


def created(hour: float = 0, *, priority: str = "P2", state: str = "new", reason: str | None = None) -> Entry:
    return Entry(EntryKind.CREATED, START + hour * HOUR, state=state, reason=reason, priority=priority)


def state(hour: float, name: str, reason: str | None = None, by: str | None = None) -> Entry:
    return Entry(EntryKind.STATE_CHANGED, START + hour * HOUR, state=name, reason=reason, by=by)


def reply(hour: float, by_kind: str = "staff", *, is_public: bool = True) -> Entry:
    return Entry(EntryKind.REPLIED, START + hour * HOUR, by_kind=by_kind, is_public=is_public)


def priority(hour: float, name: str) -> Entry:
    return Entry(EntryKind.PRIORITY_CHANGED, START + hour * HOUR, priority=name)


def applied(hour: float, new: Terms) -> Entry:
    return Entry(EntryKind.TERMS_APPLIED, START + hour * HOUR, terms=new)


def readings(kind: ClockKind, hour: float, *entries: Entry, by: Terms | None = None) -> tuple[Reading, ...]:
    return read_clock(kind, entries, by or terms(), START + hour * HOUR)


def resolution(hour: float, *entries: Entry, **given: Any) -> Reading:
    (reading,) = readings(ClockKind.RESOLUTION, hour, *entries, by=terms(**given))
    return reading


def response(hour: float, *entries: Entry, **given: Any) -> Reading:
    (reading,) = readings(ClockKind.RESPONSE, hour, *entries, by=terms(**given))
    return reading


def updates(hour: float, *entries: Entry, **given: Any) -> tuple[Reading, ...]:
    return readings(ClockKind.UPDATE, hour, *entries, by=terms(**given))


def hours_in(moment: datetime | None) -> float | None:
    """Hours since the start of these histories."""
    return None if moment is None else (moment - START) / HOUR


REOPENED = (created(), state(3, "resolved"), state(10, "in_progress"))
