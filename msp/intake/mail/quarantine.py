"""Mail that nobody could place: looked at by people, who say whose it is, or drop it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.orm import defer

from msp.intake.mail import keeping
from msp.intake.mail.delivering import Placed, append_to, open_for
from msp.intake.mail.models import IncomingMail
from msp.intake.mail.parsing import Enclosed, Parsed, Unreadable, read_one
from msp.intake.mail.sorting import mark_done, note
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import as_uuid, find_tenant_by_id
from tenants.tickets.models import Ticket

SHOWN = ("quarantined", "dropped", "received")
MOST_LISTED = 100
# One mail may bring 800,000 characters, and a list shows none of them.
_WITHOUT_TEXTS = tuple(
    defer(one, raiseload=True) for one in (IncomingMail.body, IncomingMail.html, IncomingMail.inline)
)


def _visible(by: Actor) -> Any:
    """Mail of nobody yet, and of clients that one is granted."""
    own = among(IncomingMail.for_tenant_id, by.tenants)
    return or_(IncomingMail.for_tenant_id.is_(None), own)


def list_mails(
    state: str, *, by: Actor, before: Sequence[Any] | None = None, limit: int = 25
) -> list[IncomingMail]:
    """Mails in a state, the newest first, one more than `limit`; without their texts."""
    page = select(IncomingMail).where(IncomingMail.state == state, _visible(by)).options(*_WITHOUT_TEXTS)
    if before:
        page = page.where(tuple_(IncomingMail.received_at, IncomingMail.id) < tuple_(*before))
    newest = page.order_by(IncomingMail.received_at.desc(), IncomingMail.id.desc())
    return list(db.session.scalars(newest.limit(limit + 1)))


def find_mail(public_id: str, *, by: Actor) -> IncomingMail:
    """One mail that one may see. Raises NotFound."""
    asked = select(IncomingMail).where(IncomingMail.public_id == as_uuid(public_id), _visible(by))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_mails_of(ticket: Ticket) -> list[IncomingMail]:
    """The newest mails that a ticket was made of, oldest first, one more than MOST_LISTED; without their texts."""
    newest = _of(ticket).options(*_WITHOUT_TEXTS).order_by(IncomingMail.id.desc()).limit(MOST_LISTED + 1)
    return list(db.session.scalars(newest))[::-1]


def find_mail_of(ticket: Ticket, public_id: str) -> IncomingMail:
    """One of them. Raises NotFound."""
    found = db.session.scalar(_of(ticket).where(IncomingMail.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def _of(ticket: Ticket) -> Select[IncomingMail]:
    return select(IncomingMail).where(
        IncomingMail.for_tenant_id == ticket.tenant_id, IncomingMail.ticket_id == ticket.id
    )


def accept_as_ticket(row: IncomingMail, tenant: Tenant, *, by: Actor, at: datetime) -> Ticket:
    """Make a mail a ticket of a client. Raises Conflict when somebody was faster, and Invalid."""
    hold_mail(row)
    ticket = open_for(row, _read(row), tenant, by=by, at=at)
    mark_done(row, Placed("ticket", ticket), tenant.id, by=by.name, at=at)
    _tell("accept", row, tenant.id, by, at, code=ticket.code)
    return ticket


def append_mail(row: IncomingMail, ticket: Ticket, *, by: Actor, at: datetime) -> Ticket:
    """Put a mail on a ticket as the sender's words. Raises Conflict and Invalid."""
    hold_mail(row)
    placed = append_to(row, _read(row), find_tenant_by_id(ticket.tenant_id), ticket, at=at)
    mark_done(row, placed, ticket.tenant_id, by=by.name, at=at)
    assert placed.ticket is not None
    _tell("append", row, ticket.tenant_id, by, at, code=placed.ticket.code)
    return placed.ticket


def drop_mail(row: IncomingMail, *, by: Actor, at: datetime) -> None:
    """Do nothing with a mail; it stays, and can be taken up later. Raises Conflict."""
    hold_mail(row)
    row.state, row.reason = "dropped", "by_hand"
    row.decided_at, row.decided_by = at, by.name[:120]
    _tell("drop", row, row.for_tenant_id, by, at)


def hold_mail(row: IncomingMail) -> None:
    """Lock a mail that waits for a decision. Raises Conflict when it does not."""
    newest = select(IncomingMail).where(IncomingMail.id == row.id).with_for_update()
    db.session.execute(newest.execution_options(populate_existing=True)).one()
    if row.state not in ("quarantined", "dropped"):
        raise Conflict(_l("Somebody has decided about this mail already."))


def _read(row: IncomingMail) -> Parsed:
    """What the mail says; one that cannot be read becomes a short text with the mail enclosed."""
    raw = keeping.raw_path(row, keeping.own_tenant_id()).read_bytes()
    try:
        mail = read_one(raw)
    except Unreadable:
        enclosed = Enclosed("mail.eml", "", "unreadable", raw)
        return Parsed(sender=row.sender or "", sender_name=row.sender_name, files=(enclosed,))
    note(row, mail)
    if mail.sender is None and mail.report is None:
        raise Invalid("tenant", _l("This mail names no sender, so it cannot be a ticket. Drop it."))
    return mail


def _tell(
    what: str, row: IncomingMail, tenant_id: int | None, by: Actor, at: datetime, **detail: Any
) -> None:
    object_ = f"mail {row.public_id}"
    db.session.flush()
    audit.record(f"mail.{what}", tenant_id=tenant_id, by=by, object=object_, at=at, detail=detail)


def note_download(row: IncomingMail, *, by: Actor, at: datetime) -> None:
    """Write down who took a raw mail home."""
    _tell("download", row, row.for_tenant_id, by, at)
