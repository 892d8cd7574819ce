"""Taking hold of a ticket and writing its history: every change goes through here."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.tickets.models import Ticket, TicketEvent
from tenants.tickets.rules import Who


def who_is(by: Actor) -> Who:
    """On which side of a ticket somebody stands."""
    if by.kind is not ActorKind.USER:
        return "system"
    return "staff" if by.is_staff else "requester"


def hold(ticket: Ticket) -> None:
    """Lock the ticket's row for this transaction and see its newest values."""
    newest = select(Ticket).where(Ticket.tenant_id == ticket.tenant_id, Ticket.id == ticket.id)
    locked = newest.with_for_update(key_share=True).execution_options(populate_existing=True)
    db.session.execute(locked).one()


def check_rev(ticket: Ticket, rev: int | None) -> None:
    """Refuse an act upon a page that is out of date; None asks nothing. Raises Conflict."""
    if rev is not None and rev != ticket.rev:
        raise Conflict(
            _l("Somebody changed this ticket while you were reading it. Reload the page and look again."),
            field="rev",
        )


def note(
    ticket: Ticket,
    line: str,
    /,
    *,
    by: Actor,
    at: datetime,
    message_id: int | None = None,
    replay: bool = False,
    audited: bool = True,
    **data: Any,
) -> int:
    """Write the next line of the history and the audit entry; returns the line's number.

    A replay is audited as one act by whoever replays, not line by line; nor is what its caller audits itself.
    """
    ticket.rev = (ticket.rev or 0) + 1
    row = TicketEvent(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        seq=ticket.rev,
        kind=line,
        at=at,
        actor_kind=who_is(by),
        actor_user_id=by.id if by.kind is ActorKind.USER else None,
        actor_name=by.name[:120],
        message_id=message_id,
        data=data,
    )
    db.session.add(row)
    db.session.flush()
    if audited and not replay:
        audit.record(
            f"ticket.{line}",
            tenant_id=ticket.tenant_id,
            by=by,
            object=f"ticket {ticket.code}",
            at=at,
            detail={key: value for key, value in data.items() if key not in PRIVATE},
        )
    return ticket.rev


# Texts of people stay in the ticket: the audit log can't be erased.
PRIVATE = frozenset({"reason", "subject", "what", "added", "confirmed", "removed"})
