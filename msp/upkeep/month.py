"""A month as weeks of days, each with what happens on it: pure."""

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msp.upkeep.calendar import Entry

FIRST_MONTH = date(2020, 1, 1)
LAST_MONTH = date(2099, 12, 1)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry on one day: `begins` says whether it begins there or only goes on."""

    entry: Entry
    begins: bool


@dataclass(slots=True)
class Day:
    """A day of the page; those of the months beside it are there to fill the weeks."""

    on: date
    in_month: bool
    is_today: bool
    entries: list[Shown] = field(default_factory=list)


def month_span(month: date, time_zone: str) -> tuple[datetime, datetime]:
    """From the Monday of the month's first week to the Monday after its last, as the zone counts days."""
    days = list(Calendar().itermonthdates(month.year, month.month))
    zone = ZoneInfo(time_zone)
    begin = datetime.combine(days[0], time(), zone)
    return begin, datetime.combine(days[-1] + timedelta(days=1), time(), zone)


def weeks_of(month: date, entries: Sequence[Entry], time_zone: str, today: date) -> list[list[Day]]:
    """The month's weeks, Mondays first. What lasts longer is on each of its days, a window on its first only."""
    weeks = [
        [Day(on, on.month == month.month, on == today) for on in week]
        for week in Calendar().monthdatescalendar(month.year, month.month)
    ]
    by_day = {day.on: day for week in weeks for day in week}
    zone = ZoneInfo(time_zone)
    for entry in entries:
        first, last = _days_of(entry, zone)
        for on in sorted(on for on in by_day if first <= on <= last):
            by_day[on].entries.append(Shown(entry, on == first))
    return weeks


def _days_of(entry: Entry, zone: ZoneInfo) -> tuple[date, date]:
    first = entry.begins_at.astimezone(zone).date()
    if entry.kind == "window":
        return first, first
    # What ends at midnight is over on the day before.
    last = (entry.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    return first, max(first, last)


def beside(month: date, steps: int) -> date | None:
    """The first day of the month so many months away, None beyond what is shown."""
    number = month.year * 12 + month.month - 1 + steps
    found = date(number // 12, number % 12 + 1, 1)
    return found if FIRST_MONTH <= found <= LAST_MONTH else None
