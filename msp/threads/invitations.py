"""A visit as an invitation in iCalendar (RFC 5545, RFC 5546): asked for, asked for anew, or called off."""

from datetime import UTC, datetime
from email.utils import parseaddr

import icalendar
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from msp.mail import addresses, enclosures
from msp.mail.enclosures import Enclosure
from tenants.foundation.db import db
from tenants.people.models import StaffMember
from tenants.tickets.models import Ticket
from tenants.tickets.visit_models import Visit

KIND = "visit"
# For whoever goes no more while the visit itself stays.
KIND_OFF = "visit-off"
MAKER = "-//MSP Portal//Visits//EN"


def install() -> None:
    """Let mails bring invitations along."""
    enclosures.provide(KIND, lambda visit_id, language: _enclose(visit_id, language, off=False))
    enclosures.provide(KIND_OFF, lambda visit_id, language: _enclose(visit_id, language, off=True))


def find_parts(visit_id: int) -> tuple[Visit, Ticket]:
    """A visit with its ticket."""
    visit = db.session.scalars(select(Visit).where(Visit.id == visit_id)).one()
    ticket = db.session.scalars(
        select(Ticket).where(Ticket.tenant_id == visit.tenant_id, Ticket.id == visit.ticket_id)
    ).one()
    return visit, ticket


def technician_address(user_id: int | None) -> str | None:
    """The address of one of the provider's active people."""
    found = select(StaffMember.email).where(StaffMember.user_id == user_id, StaffMember.state == "active")
    return None if user_id is None else db.session.scalar(found)


def _enclose(visit_id: int, language: str, *, off: bool) -> Enclosure:
    visit, ticket = find_parts(visit_id)
    method = "CANCEL" if off or visit.state == "cancelled" else "REQUEST"
    with force_locale(language):
        content = write_invitation(visit, ticket, method=method)
    return Enclosure("visit.ics", "text/calendar", content, {"method": method, "charset": "utf-8"})


def write_invitation(visit: Visit, ticket: Ticket, *, method: str) -> bytes:
    """The file; its UID never changes, and its SEQUENCE grows with each change that people are told of."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = icalendar.Event()
    event.add("uid", f"{visit.calendar_key or f'visit-{visit.public_id}'}@{addresses.host()}")
    event.add("sequence", visit.sequence)
    event.add("dtstamp", visit.changed_at.astimezone(UTC))
    event.add("dtstart", _utc(visit.begins_at))
    event.add("dtend", _utc(visit.ends_at))
    event.add("summary", _("Visit: %(subject)s [%(code)s]", subject=ticket.subject, code=ticket.code))
    event.add("location", visit.address)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    _invite(event, visit, ticket)
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _invite(event: icalendar.Event, visit: Visit, ticket: Ticket) -> None:
    name, address = parseaddr(current_app.extensions["settings"].mail_from)
    organizer = icalendar.vCalAddress(f"MAILTO:{address}")
    if name:
        organizer.params["CN"] = icalendar.vText(name)
    event.add("organizer", organizer)
    people = (
        (visit.technician_name, technician_address(visit.technician_user_id)),
        (ticket.requester_name, ticket.requester_email),
    )
    for who, mail in people:
        if mail:
            attendee = icalendar.vCalAddress(f"MAILTO:{mail}")
            attendee.params["CN"] = icalendar.vText(who or mail)
            attendee.params["RSVP"] = icalendar.vText("FALSE")
            event.add("attendee", attendee)
