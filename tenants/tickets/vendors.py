"""Waiting for a vendor: who was asked what, under which reference, what they promised and what they answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.tickets.events import VendorAcknowledged, VendorAnswered, VendorAsked
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import VENDOR_CALENDARS, VendorCase

LONGEST_NAME = 120
LONGEST_PROMISE = 525_600
LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class VendorAsk:
    """What is known of the vendor, all of it optional.

    `promised_minutes` run by the contract's calendar or around the clock (`always`). With `is_mailed` the portal sends
    `subject` and `body` to `contact_email`.
    """

    vendor: str = ""
    reference: str = ""
    promised_minutes: int | None = None
    calendar: str = "contract"
    vendor_id: int | None = None
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    subject: str = ""
    body: str = ""
    is_mailed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        words = (self.vendor, self.reference, self.contact_name, self.subject, self.body)
        return self.promised_minutes is None and not any(one.strip() for one in words)


def check_ask(ask: VendorAsk) -> None:
    """Raise InvalidMany, naming the fields of the form, for what cannot be kept."""
    texts = {"vendor": ask.vendor, "reference": ask.reference, "contact_name": ask.contact_name}
    wrong: list[tuple[str, Any]] = [
        (field, _l("Write one line of at most 120 characters."))
        for field, words in texts.items()
        if len(words) > LONGEST_NAME or not words.replace(" ", "x").isprintable()
    ]
    if ask.promised_minutes is not None and not 1 <= ask.promised_minutes <= LONGEST_PROMISE:
        wrong.append(("promised_hours", _l("Give a time between one minute and a year.")))
    wrong += _check_text(ask)
    if ask.calendar not in VENDOR_CALENDARS:
        wrong.append(("calendar", _l("Choose the contract's calendar or around the clock.")))
    if wrong:
        raise InvalidMany(wrong)


def _check_text(ask: VendorAsk) -> list[tuple[str, Any]]:
    wrong: list[tuple[str, Any]] = []
    if len(ask.subject) > 200 or not ask.subject.isprintable():
        wrong.append(("subject", _l("Write one line of at most 200 characters.")))
    if len(ask.body) > LONGEST_TEXT or "\x00" in ask.body:
        wrong.append(("body", _l("Write at most 20,000 characters, without control characters.")))
    if ask.is_mailed:
        needed = {
            "vendor": (ask.vendor, _l("Say which vendor.")),
            "contact_email": (ask.contact_email, _l("Type the address to which it is sent.")),
            "subject": (ask.subject, _l("Write one line that names the problem.")),
            "body": (ask.body, _l("Write what the vendor is asked.")),
        }
        wrong += [(field, said) for field, (words, said) in needed.items() if not words.strip()]
    return wrong


def pending_case(ticket: Ticket) -> VendorCase | None:
    """What a ticket waits for at a vendor's."""
    found = select(VendorCase).where(
        VendorCase.tenant_id == ticket.tenant_id,
        VendorCase.ticket_id == ticket.id,
        VendorCase.answered_at.is_(None),
    )
    return db.session.scalars(found).one_or_none()


def list_cases(ticket: Ticket) -> Sequence[VendorCase]:
    """A ticket's cases at vendors, the latest first."""
    return db.session.scalars(_of(ticket).order_by(VendorCase.id.desc())).all()


def find_case(ticket: Ticket, public_id: str) -> VendorCase:
    """A vendor's case of a ticket. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found: VendorCase | None = db.session.scalar(_of(ticket).where(VendorCase.public_id == key))
    if found is None:
        raise NotFound
    return found


def _of(ticket: Ticket) -> Any:
    return select(VendorCase).where(
        VendorCase.tenant_id == ticket.tenant_id, VendorCase.ticket_id == ticket.id
    )


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
        vendor_id=ask.vendor_id,
        contact_name=ask.contact_name.strip(),
        contact_email=ask.contact_email.strip(),
        contact_phone=ask.contact_phone.strip(),
        subject=ask.subject.strip(),
        body=ask.body.replace("\r\n", "\n").strip(),
        is_mailed=ask.is_mailed,
        opened_by_name=by.name[:120],
        sent_at=at,
    )
    db.session.add(case)
    db.session.flush()
    _tell(ticket, case, VendorAsked, by=by, at=at)
    return case


def acknowledge_case(
    ticket: Ticket, case: VendorCase, *, by: Actor, at: datetime, reference: str = ""
) -> None:
    """The vendor said that they have it, perhaps under a reference; twice is once.

    Raises InvalidMany, Conflict for a case that was answered, Forbidden for clients.
    """
    _hold_open(ticket, case, by)
    words = " ".join(reference.split())
    if len(words) > LONGEST_NAME or not words.isprintable():
        raise InvalidMany([("reference", _l("Write one line of at most 120 characters."))])
    if case.acknowledged_at is not None and words in ("", case.reference):
        return
    case.reference = words or case.reference
    case.acknowledged_at = case.acknowledged_at or at
    db.session.flush()
    _tell(ticket, case, VendorAcknowledged, by=by, at=at)


def write_answer(ticket: Ticket, case: VendorCase, *, answer: str, by: Actor, at: datetime) -> None:
    """Keep what the vendor answered, and end the case; whoever calls lets the ticket go on.

    Raises InvalidMany, Conflict where it was answered before, Forbidden for clients.
    """
    _hold_open(ticket, case, by)
    words = answer.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_TEXT or "\x00" in words:
        raise InvalidMany([("answer", _l("Write what the vendor answered, in at most 20,000 characters."))])
    case.answer = words
    _end(ticket, case, by=by, at=at)


def _hold_open(ticket: Ticket, case: VendorCase, by: Actor) -> None:
    hold(ticket)
    if who_is(by) == "requester":
        raise Forbidden
    db.session.refresh(case)
    if case.answered_at is not None:
        raise Conflict(
            _l("This case is over already: it was answered, or nobody waits for the vendor any more.")
        )


def answer_case(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """The vendor answered, or the ticket waits for the vendor no more."""
    case = pending_case(ticket)
    if case is not None:
        _end(ticket, case, by=by, at=at)


def _end(ticket: Ticket, case: VendorCase, *, by: Actor, at: datetime) -> None:
    case.answered_at = at
    db.session.flush()
    _tell(ticket, case, VendorAnswered, by=by, at=at)


def _tell(ticket: Ticket, case: VendorCase, happening: type[VendorAsked], *, by: Actor, at: datetime) -> None:
    seq = note(
        ticket,
        "vendor_asked" if case.answered_at is None else "vendor_answered",
        by=by,
        at=at,
        vendor=case.vendor,
        reference=case.reference,
        minutes=case.promised_minutes,
        acknowledged=happening is VendorAcknowledged,
    )
    events.record(
        happening(tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=seq, case_id=case.id)
    )
