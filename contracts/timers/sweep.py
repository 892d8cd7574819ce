"""The sweep: finds by an index the timers at which to look, and asks the same function as the screen."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from contracts.timers.beside import settle, withdraw
from contracts.timers.models import SideTimer, TicketTimer
from contracts.timers.services import refresh_ticket
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.tickets.models import Ticket

log = structlog.get_logger()
BATCH = 500
RETRY = timedelta(minutes=5)
SWEEPER = Actor.system("sweeper")


def list_due(now: datetime, limit: int = BATCH) -> list[tuple[int, int]]:
    """Tickets with a timer at which to look: `(tenant_id, ticket_id)`, in a stable order. Sweeper's scope."""
    due = (
        select(TicketTimer.tenant_id, TicketTimer.ticket_id)
        .where(TicketTimer.look_at <= now)
        .order_by(TicketTimer.look_at)
        .limit(limit)
    )
    return sorted({(tenant_id, ticket_id) for tenant_id, ticket_id in db.session.execute(due)})


def sweep_due_timers() -> int:
    """Record what has become due. Each ticket in its own transaction: one bad row never stops the sweep."""
    now = time.now()
    with enter(sweeper()):
        due = list_due(now)
    return sum(_look(tenant_id, ticket_id) for tenant_id, ticket_id in due)


def _look(tenant_id: int, ticket_id: int) -> bool:
    try:
        with enter(of_tenant(tenant_id)):
            locked = (
                select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id).with_for_update()
            )
            refresh_ticket(db.session.scalars(locked).one(), as_of=time.now(), by=SWEEPER)
            db.session.commit()
    except Exception as error:
        log.exception("timer not swept", tenant=tenant_id, ticket=ticket_id, error=type(error).__name__)
        _look_later(tenant_id, ticket_id)
        return False
    return True


def sweep_due_side_timers() -> int:
    """Record what has become due beside tickets' own clocks, each in its own transaction."""
    now = time.now()
    due = select(SideTimer.tenant_id, SideTimer.id).where(SideTimer.look_at <= now)
    with enter(sweeper()):
        found = db.session.execute(due.order_by(SideTimer.look_at).limit(BATCH)).all()
    return sum(_look_beside(tenant_id, timer_id) for tenant_id, timer_id in found)


def _look_beside(tenant_id: int, timer_id: int) -> bool:
    """Settle one, unless somebody was faster; where the ticket is done, nobody has to do anything any more."""
    try:
        with enter(of_tenant(tenant_id)):
            due = (
                SideTimer.tenant_id == tenant_id,
                SideTimer.id == timer_id,
                SideTimer.look_at <= time.now(),
            )
            timer = db.session.scalars(select(SideTimer).where(*due).with_for_update()).one_or_none()
            if timer is None:
                return False
            if db.session.get_one(Ticket, (tenant_id, timer.ticket_id)).is_open:
                settle(timer, as_of=time.now(), by=SWEEPER)
            else:
                withdraw(timer, at=time.now())
            db.session.commit()
    except Exception as error:
        log.exception("timer not swept", tenant=tenant_id, side_timer=timer_id, error=type(error).__name__)
        _look_beside_later(tenant_id, timer_id)
        return False
    return True


def _look_beside_later(tenant_id: int, timer_id: int) -> None:
    with enter(of_tenant(tenant_id)):
        later = update(SideTimer).where(SideTimer.tenant_id == tenant_id, SideTimer.id == timer_id)
        db.session.execute(later.where(SideTimer.look_at.is_not(None)).values(look_at=time.now() + RETRY))
        db.session.commit()


def _look_later(tenant_id: int, ticket_id: int) -> None:
    """Push a ticket that could not be read aside for a while, so that it does not stand before the others."""
    with enter(of_tenant(tenant_id)):
        owned = (TicketTimer.tenant_id == tenant_id, TicketTimer.ticket_id == ticket_id)
        later = update(TicketTimer).where(*owned, TicketTimer.look_at.is_not(None))
        db.session.execute(later.values(look_at=time.now() + RETRY))
        db.session.commit()
