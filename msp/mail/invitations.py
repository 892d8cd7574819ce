"""Something in people's calendars, as an invitation in iCalendar (RFC 5545, RFC 5546): asked, changed, called off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr

import icalendar
from flask import current_app

from msp.mail import addresses


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What stands in a calendar. `key` never changes, `sequence` grows with each change that people are told of."""

    maker: str
    key: str
    sequence: int
    changed_at: datetime
    begins_at: datetime
    ends_at: datetime
    summary: str
    location: str
    description: str = ""
    # Names and addresses of those who are asked to come.
    people: Sequence[tuple[str | None, str | None]] = ()


def write_occasion(occasion: Occasion, *, method: str) -> bytes:
    """The file; `method` is REQUEST, CANCEL, or PUBLISH for one that nobody is asked to answer."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", occasion.maker)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = icalendar.Event()
    event.add("uid", f"{occasion.key}@{addresses.host()}")
    event.add("sequence", occasion.sequence)
    event.add("dtstamp", occasion.changed_at.astimezone(UTC))
    event.add("dtstart", _utc(occasion.begins_at))
    event.add("dtend", _utc(occasion.ends_at))
    event.add("summary", occasion.summary)
    event.add("location", occasion.location)
    if occasion.description:
        event.add("description", occasion.description)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    _invite(event, occasion)
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _invite(event: icalendar.Event, occasion: Occasion) -> None:
    name, address = parseaddr(current_app.extensions["settings"].mail_from)
    organizer = icalendar.vCalAddress(f"MAILTO:{address}")
    if name:
        organizer.params["CN"] = icalendar.vText(name)
    event.add("organizer", organizer)
    for who, mail in occasion.people:
        if mail:
            attendee = icalendar.vCalAddress(f"MAILTO:{mail}")
            attendee.params["CN"] = icalendar.vText(who or mail)
            attendee.params["RSVP"] = icalendar.vText("FALSE")
            event.add("attendee", attendee)
