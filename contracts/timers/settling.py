"""Recording what a period brought about, before it is frozen."""

from datetime import datetime

from sqlalchemy import select

from contracts.timers.models import TicketTimer
from contracts.timers.services import refresh_ticket
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.tickets.models import Ticket


def settle_timers(tenant_id: int, *, before: datetime, by: Actor, at: datetime) -> int:
    """Look now at every timer of a client that the sweep owes a look from before a moment; how many tickets."""
    owed = select(TicketTimer.ticket_id).where(
        TicketTimer.tenant_id == tenant_id, TicketTimer.look_at < before
    )
    locked = (
        select(Ticket)
        .where(Ticket.tenant_id == tenant_id, Ticket.id.in_(owed))
        .order_by(Ticket.id)
        .with_for_update(key_share=True)
    )
    tickets = db.session.scalars(locked).all()
    for ticket in tickets:
        refresh_ticket(ticket, as_of=at, by=by)
    return len(tickets)
