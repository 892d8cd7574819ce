"""Calendars as JSON: how they arrive in requests and how terms store them (R14)."""

import re
from datetime import date
from functools import partial

from contracts.clock.calendar import (
    ALWAYS,
    MIDNIGHT,
    WEEKDAYS,
    Calendar,
    Hours,
    SpecialDay,
    WeeklyHours,
    daily_clashes,
    repeated_days,
    weekly_clashes,
)
from contracts.clock.document import Members, T, read_date, read_object
from contracts.clock.faults import Faults
from contracts.clock.zones import ZONE_NAMES

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


def read_calendar(value: object, field: str, faults: Faults) -> Calendar | None:
    """Read a calendar object, or `"always"`; None after noting all of its faults."""
    if value == "always":
        return ALWAYS
    if not isinstance(value, dict):
        faults.add(field, "not_a_calendar")
        return None
    found = Faults()
    members = read_object(
        value, field, found, required=["time_zone"], optional=["hours", "holidays", "special_days"]
    )
    calendar = _calendar(members, field, found) if members else None
    faults += found
    return calendar


def calendar_document(calendar: Calendar) -> object:
    """Return what `read_calendar` reads as this calendar."""
    if calendar == ALWAYS:
        return "always"
    return {
        "time_zone": calendar.time_zone,
        "hours": [
            {"weekday": WEEKDAYS[entry.weekday]} | _hours_document(entry.hours) for entry in calendar.hours
        ],
        "holidays": [on.isoformat() for on in calendar.holidays],
        "special_days": [
            {"on": special.on.isoformat(), "hours": [_hours_document(hours) for hours in special.hours]}
            for special in calendar.special_days
        ],
    }


def _calendar(members: Members, field: str, faults: Faults) -> Calendar | None:
    zone = members.take("time_zone", _read_zone)
    hours = members.take_list("hours", read_weekly_hours)
    holidays: list[tuple[int, date]] = members.take_list("holidays", read_date)
    special_days = members.take_list("special_days", _read_special_day)
    faults += weekly_clashes(hours, f"{field}.hours")
    faults += repeated_days(special_days, f"{field}.special_days")
    if faults or zone is None:
        return None
    return Calendar(zone, _items(hours), _items(holidays), _items(special_days))


def _items(numbered: list[tuple[int, T]]) -> tuple[T, ...]:
    return tuple(item for _, item in numbered)


def _read_zone(value: object, field: str, faults: Faults) -> str | None:
    if isinstance(value, str) and value in ZONE_NAMES:
        return value
    faults.add(field, "not_a_zone")
    return None


def read_weekly_hours(value: object, field: str, faults: Faults) -> WeeklyHours | None:
    """Read hours of a weekday; None after noting all of their faults."""
    members = read_object(value, field, faults, required=["weekday", "from", "to"])
    if members is None:
        return None
    weekday = members.take("weekday", _read_weekday)
    hours = _hours(members)
    return None if weekday is None or hours is None else WeeklyHours(weekday, hours)


def _read_weekday(value: object, field: str, faults: Faults) -> int | None:
    if isinstance(value, str) and value in WEEKDAYS:
        return WEEKDAYS.index(value)
    faults.add(field, "not_a_weekday")
    return None


def _read_special_day(value: object, field: str, faults: Faults) -> SpecialDay | None:
    members = read_object(value, field, faults, required=["on"], optional=["hours"])
    if members is None:
        return None
    on = members.take("on", read_date)
    hours = members.take_list("hours", _read_hours)
    faults += daily_clashes(hours, f"{field}.hours")
    return None if on is None else SpecialDay(on, _items(hours))


def _read_hours(value: object, field: str, faults: Faults) -> Hours | None:
    members = read_object(value, field, faults, required=["from", "to"])
    return None if members is None else _hours(members)


def _hours(members: Members) -> Hours | None:
    opens = members.take("from", partial(_read_time, ends=False))
    closes = members.take("to", partial(_read_time, ends=True))
    if opens is None or closes is None:
        return None
    if opens == closes:
        members.faults.add(f"{members.field}.to", "empty_hours")
        return None
    return Hours(opens, closes)


def _read_time(value: object, field: str, faults: Faults, *, ends: bool) -> int | None:
    """Read HH:MM as minutes; 00:00 as an end is midnight after the day, and 24:00 is nothing else (R2)."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        faults.add(field, "not_a_time")
        return None
    minutes = int(match[1]) * 60 + int(match[2]) if match[1] else MIDNIGHT
    if ends:
        return minutes or MIDNIGHT
    if minutes == MIDNIGHT:
        faults.add(field, "midnight_as_from")
        return None
    return minutes


def _hours_document(hours: Hours) -> dict[str, str]:
    return {"from": _time(hours.opens), "to": _time(hours.closes)}


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
