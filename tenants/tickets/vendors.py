"""Waiting for a vendor: who was asked, under which reference, and what they promised."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import InvalidMany
from tenants.tickets.events import VendorAnswered, VendorAsked
from tenants.tickets.models import VENDOR_CALENDARS, Ticket, VendorCase

LONGEST_NAME = 120
LONGEST_PROMISE = 525_600


@dataclass(frozen=True, slots=True)
class VendorAsk:
    """What is known of the vendor, all of it optional.

    `promised_minutes` run by the contract's calendar or around the clock (`always`).
    """

    vendor: str = ""
    reference: str = ""
    promised_minutes: int | None = None
    calendar: str = "contract"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.vendor.strip() and not self.reference.strip() and self.promised_minutes is None


def check_ask(ask: VendorAsk) -> None:
    """Raise InvalidMany, naming the fields of the form, for what cannot be kept."""
    texts = {"vendor": ask.vendor, "reference": ask.reference}
    wrong = [
        (field, _l("Write one line of at most 120 characters."))
        for field, words in texts.items()
        if len(words) > LONGEST_NAME or not words.replace(" ", "x").isprintable()
    ]
    if ask.promised_minutes is not None and not 1 <= ask.promised_minutes <= LONGEST_PROMISE:
        wrong.append(("promised_hours", _l("Give a time between one minute and a year.")))
    if ask.calendar not in VENDOR_CALENDARS:
        wrong.append(("calendar", _l("Choose the contract's calendar or around the clock.")))
    if wrong:
        raise InvalidMany(wrong)


def pending_case(ticket: Ticket) -> VendorCase | None:
    """What a ticket waits for at a vendor's."""
    found = select(VendorCase).where(
        VendorCase.tenant_id == ticket.tenant_id,
        VendorCase.ticket_id == ticket.id,
        VendorCase.answered_at.is_(None),
    )
    return db.session.scalars(found).one_or_none()


def open_case(ticket: Ticket, ask: VendorAsk, *, by: Actor, at: datetime) -> VendorCase:
    """Keep what a vendor was asked; a question that was open until now is answered by this."""
    answer_case(ticket, by=by, at=at)
    case = VendorCase(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        vendor=ask.vendor.strip(),
        reference=ask.reference.strip(),
        promised_minutes=ask.promised_minutes,
        calendar=ask.calendar,
        opened_by_name=by.name[:120],
        sent_at=at,
    )
    db.session.add(case)
    db.session.flush()
    _tell(ticket, case, VendorAsked, by=by, at=at)
    return case


def answer_case(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """The vendor answered, or the ticket waits for the vendor no more."""
    case = pending_case(ticket)
    if case is not None:
        case.answered_at = at
        db.session.flush()
        _tell(ticket, case, VendorAnswered, by=by, at=at)


def _tell(ticket: Ticket, case: VendorCase, happening: type[VendorAsked], *, by: Actor, at: datetime) -> None:
    audit.record(
        "ticket.vendor_asked" if case.answered_at is None else "ticket.vendor_answered",
        tenant_id=ticket.tenant_id,
        by=by,
        object=f"ticket {ticket.code}",
        at=at,
        detail={"vendor": case.vendor, "reference": case.reference, "minutes": case.promised_minutes},
    )
    events.record(
        happening(
            tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=ticket.rev, case_id=case.id
        )
    )
