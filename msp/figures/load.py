"""When work comes in, by weekday and hour, and who is on duty then by the roster."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from msp.staff.queries import away_spans, list_absences, list_shifts
from msp.staff.roster_models import Shift
from msp.web.periods import Period
from tenants.foundation.db import db
from tenants.foundation.spans import Span, without
from tenants.tickets.models import Ticket

DAYS, HOURS = range(7), range(24)
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of one weekday (0 is Monday): over `hours` such hours, `people` is the mean number on duty or on call,
    and `unmanned` in how many of them there was nobody."""

    weekday: int
    hour: int
    tickets: int
    hours: int
    people: float
    unmanned: int

    @property
    def is_gap(self) -> bool:
        """Whether tickets come although at times nobody is there."""
        return bool(self.tickets and self.unmanned)


def list_load(
    period: Period, zone: str, *, until: datetime, people: Collection[int] | None = None
) -> list[Cell]:
    """All 168 hours of a week in a zone, up to a moment; `people` narrows who is on duty, None means everybody."""
    opened = _count_opened(period, zone)
    begin, end = period.begin, max(period.begin, min(period.end, until))
    slots = _slots(begin, end)
    present = _present(_duty(begin, end, people), begin, slots)
    hours: dict[tuple[int, int], list[int]] = {}
    local = ZoneInfo(zone)
    for place in range(slots):
        at = (begin + timedelta(seconds=HOUR * place)).astimezone(local)
        hours.setdefault((at.weekday(), at.hour), []).append(present[place])
    return [
        _cell(day, hour, opened.get((day, hour), 0), hours.get((day, hour), ()))
        for day in DAYS
        for hour in HOURS
    ]


def _cell(weekday: int, hour: int, tickets: int, present: Sequence[int]) -> Cell:
    mean = sum(present) / len(present) if present else 0.0
    return Cell(weekday, hour, tickets, len(present), mean, sum(1 for one in present if not one))


def _count_opened(period: Period, zone: str) -> dict[tuple[int, int], int]:
    at = func.timezone(zone, Ticket.opened_at)
    opened = select(
        func.extract("isodow", at).label("weekday"), func.extract("hour", at).label("hour")
    ).where(Ticket.opened_at >= period.begin, Ticket.opened_at < period.end)
    if period.tenant_id is not None:
        opened = opened.where(Ticket.tenant_id == period.tenant_id)
    found = opened.subquery()
    counted = select(found.c.weekday, found.c.hour, func.count()).group_by(found.c.weekday, found.c.hour)
    return {(int(row[0]) - 1, int(row[1])): row[2] for row in db.session.execute(counted)}


def _duty(begin: datetime, end: datetime, people: Collection[int] | None) -> list[Span]:
    """Every time on duty or on call within the span, less the time for which people are away."""
    shifts: list[Shift] = [one for one in list_shifts(begin, end) if people is None or one.user_id in people]
    away = away_spans(list_absences(begin, end))
    return [
        span for one in shifts for span in without([(one.begins_at, one.ends_at)], away.get(one.user_id, []))
    ]


def _slots(begin: datetime, end: datetime) -> int:
    return -(-int((end - begin).total_seconds()) // HOUR)


def _present(duty: Sequence[Span], begin: datetime, slots: int) -> list[int]:
    """How many are there in each hour since `begin`; who is there for less than half of an hour does not count."""
    changes = [0] * (slots + 1)
    for from_at, to_at in duty:
        first, last = (
            min(max(int((at - begin).total_seconds() / HOUR + 0.5), 0), slots) for at in (from_at, to_at)
        )
        changes[first] += 1
        changes[last] -= 1
    return list(accumulate(changes))[:slots]


def busiest(cells: Sequence[Cell]) -> Cell | None:
    """The hour in which most tickets come, the earliest of equals; None where none came."""
    first = max(cells, key=lambda one: one.tickets, default=None)
    return first if first is not None and first.tickets else None
