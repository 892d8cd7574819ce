"""A calendar as iCalendar (RFC 5545): one event per entry, in the client's zone, under an id that never changes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

from msp.upkeep.calendar import Entry
from msp.upkeep.words import KIND_WORDS, title_words

MAKER = "-//MSP Portal//Calendar//EN"
MEDIA_TYPE = "text/calendar"
AGAIN_AFTER = timedelta(hours=1)
# Entries that only say when something may happen do not make anybody busy.
FREE = ("window", "freeze")


def write_calendar(entries: Iterable[Entry], *, name: str, time_zone: str, host: str, at: datetime) -> bytes:
    """The file; `host` makes the events' ids unique in the world."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", time_zone)
    calendar.add("refresh-interval", AGAIN_AFTER, parameters={"value": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(entry, ZoneInfo(time_zone), host, at))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry, zone: ZoneInfo, host: str, at: datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{entry.key}@{host}")
    event.add("sequence", entry.rev)
    event.add("dtstamp", entry.changed_at or at)
    event.add("dtstart", _local(entry.begins_at, zone))
    event.add("dtend", _local(entry.ends_at, zone))
    event.add("summary", f"{KIND_WORDS[entry.kind]}: {title_words(entry)}")
    event.add("categories", [str(KIND_WORDS[entry.kind])])
    event.add("status", "CANCELLED" if entry.state == "missed" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.kind in FREE else "OPAQUE")
    return event


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """The zone's wall clock; an hour that comes twice is written in UTC, since the second one has no other name."""
    local = at.astimezone(zone)
    return at.astimezone(UTC) if local.fold else local
