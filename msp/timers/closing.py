"""Resolved tickets that nobody said more about are closed when their contract's days are over."""

import structlog
from sqlalchemy import select

from contracts.timers.deadlines import claim_closing, list_due_closings
from msp.background.jobs import job
from msp.timers.jobs import PORTAL
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.tickets.history import hold
from tenants.tickets.models import Ticket
from tenants.tickets.services import close_ticket

log = structlog.get_logger()


def sweep_due_closings() -> int:
    """Periodic: ask for each ticket whose time has come to be closed; returns how many."""
    with enter(sweeper()):
        due = list_due_closings(time.now())
    return sum(_ask(tenant_id, ticket_id) for tenant_id, ticket_id in due)


def _ask(tenant_id: int, ticket_id: int) -> bool:
    """One bad ticket never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            asked = claim_closing(ticket_id, at=time.now())
            if asked:
                arguments, key = {"ticket": ticket_id}, f"ticket {ticket_id}"
                request_work("close_rested", tenant_id=tenant_id, arguments=arguments, key=key)
            db.session.commit()
    except Exception as error:
        log.exception("closing not asked for", tenant=tenant_id, ticket=ticket_id, error=type(error).__name__)
        return False
    return asked


@job("close_rested")
def close_rested(work: Claimed) -> None:
    """Close a ticket whose time has come, unless it was reopened, closed or spoken about meanwhile."""
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == work.arguments["ticket"])).one()
    hold(ticket)
    if ticket.state == "resolved" and ticket.closes_at is not None and ticket.closes_at <= time.now():
        close_ticket(ticket, by=PORTAL, at=time.now())
