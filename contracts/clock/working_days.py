"""Days on which a calendar opens, counted from an instant (R23)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.clock.calendar import REACH, Calendar
from contracts.clock.instants import DAY
from contracts.clock.wall import Kind


def after_working_days(calendar: Calendar, at: datetime, days: int) -> datetime | None:
    """Return the same time of day on the `days`-th later date that has business hours, by the calendar's own clock.

    A time of day that its date leaves out is the later one. None if there are not so many within 3,653 days (R6);
    ValueError for less than one day.
    """
    if days < 1:
        raise ValueError("working days are counted forwards")
    local = at.astimezone(ZoneInfo(calendar.time_zone))
    for later in range(1, REACH // DAY + 1):
        on = local.replace(fold=0) + timedelta(days=later)
        days -= any(kind is Kind.OPEN for _start, _end, kind in calendar.pieces_of(on.date()))
        if days == 0:
            return on.astimezone(UTC)
    return None
