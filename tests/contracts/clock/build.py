"""Short ways to write calendars, instants and calculations in tests."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.clock.calculation import answer, parse
from contracts.clock.calendar import Calendar
from contracts.clock.calendar_document import read_calendar
from contracts.clock.faults import Faults

WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
EVERY_DAY = (*WORKDAYS, "saturday", "sunday")


def hours(days: str | tuple[str, ...], *spans: str) -> list[dict[str, str]]:
    """`hours(WORKDAYS, "08:00-12:00")` as it stands in a request."""
    names = (days,) if isinstance(days, str) else days
    return [{"weekday": day, **span_document(span)} for day in names for span in spans]


def span_document(span: str) -> dict[str, str]:
    from_, to = span.split("-")
    return {"from": from_, "to": to}


def special(on: str, *spans: str) -> dict[str, Any]:
    return {"on": on, "hours": [span_document(span) for span in spans]}


OFFICE = hours(WORKDAYS, "08:00-12:00", "13:00-17:00")


def document(zone: str = "Asia/Jakarta", **members: Any) -> dict[str, Any]:
    """A calendar in a request; office hours in Jakarta unless told otherwise."""
    return {"time_zone": zone, "hours": OFFICE} | members


def calendar(zone: str = "Asia/Jakarta", **members: Any) -> Calendar:
    faults = Faults()
    read = read_calendar(document(zone, **members), "calendar", faults)
    assert read is not None, faults
    return read


def at(text: str, zone: str = "Asia/Jakarta", *, fold: int = 0) -> datetime:
    """A wall time in a zone, as an instant in UTC; `fold` 1 is the second of a repeated hour."""
    wall = datetime.fromisoformat(text)
    return wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def payload(**members: Any) -> dict[str, Any]:
    """A calculation: office hours in Jakarta, four hours, begun on Friday 20 November 2026 at 16:30."""
    return {
        "calendar": document(),
        "target_minutes": 240,
        "started_at": "2026-11-20T16:30:00+07:00",
        "as_of": "2026-11-23T09:00:00+07:00",
    } | members


def calculated(**members: Any) -> dict[str, Any]:
    return answer(parse(payload(**members)))
