"""A visit as an invitation in iCalendar (RFC 5545, RFC 5546): asked for, asked for anew, or called off."""

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from msp.mail import enclosures
from msp.mail.enclosures import Enclosure
from msp.mail.invitations import Occasion, write_occasion
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
    occasion = Occasion(
        maker=MAKER,
        key=visit.calendar_key or f"visit-{visit.public_id}",
        sequence=visit.sequence,
        changed_at=visit.changed_at,
        begins_at=visit.begins_at,
        ends_at=visit.ends_at,
        summary=_("Visit: %(subject)s [%(code)s]", subject=ticket.subject, code=ticket.code),
        location=visit.address,
        people=(
            (visit.technician_name, technician_address(visit.technician_user_id)),
            (ticket.requester_name, ticket.requester_email),
        ),
    )
    return write_occasion(occasion, method=method)
