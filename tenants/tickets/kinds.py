"""What sort of matter a ticket is: an incident, a request or a problem."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import TicketLink

# A change is opened for a plan or a campaign; nothing else becomes one, and it becomes nothing else.
CHOSEN_KINDS = ("incident", "request", "problem")


def change_kind(ticket: Ticket, kind: str, *, by: Actor, at: datetime, rev: int | None = None) -> None:
    """Say that a ticket is something else than it was opened as. Raises Invalid on `kind`, Forbidden and Conflict."""
    hold(ticket)
    if ticket.kind == kind:
        return
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden
    if kind not in CHOSEN_KINDS:
        raise Invalid("kind", _l("Choose incident, request or problem."))
    if ticket.kind not in CHOSEN_KINDS:
        raise Invalid("kind", _l("A change stays a change."))
    if ticket.merged_into_id is not None:
        raise Conflict(_l("This ticket was merged. Change the one that it was merged into."))
    if ticket.kind == "problem" and _causes_others(ticket):
        raise Invalid("kind", _l("Other tickets are linked with this problem. Take those links away first."))
    before, ticket.kind = ticket.kind, kind
    note(ticket, "kind_changed", by=by, at=at, from_kind=before, to_kind=kind)


def _causes_others(ticket: Ticket) -> bool:
    caused = select(TicketLink.id).where(
        TicketLink.tenant_id == ticket.tenant_id,
        TicketLink.other_id == ticket.id,
        TicketLink.kind == "problem",
    )
    return db.session.scalar(caused.limit(1)) is not None
