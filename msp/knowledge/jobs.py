"""What knowledge has done by itself: steps of runbooks that tick themselves, and searches in vain that are counted."""

import structlog
from sqlalchemy import and_, func, select

from msp.background.jobs import job
from msp.knowledge.models import RunbookRun, RunbookStep
from msp.knowledge.reading import note_miss
from msp.knowledge.runbooks import has_waiting_step, tick_by_check
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import Role, current, enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.tickets.events import MessageAdded, OnTicket, TicketStateChanged
from tenants.tickets.models import Ticket

# Who may neither read nor write a runbook: the worker ticks for them a moment later.
_OUTSIDE = (Role.CLIENT, Role.AGENTS, Role.GATE)
BATCH = 200
MOST_OWN_MISSES = 2000
log = structlog.get_logger()


@job("count_miss")
def count_miss(work: Claimed) -> None:
    """Count a search in vain that belongs to no client; whoever is not signed in cannot fill the table."""
    phrase, language = work.arguments["phrase"], work.arguments["language"]
    note_miss(work.tenant_id, phrase, language, at=time.now(), most=MOST_OWN_MISSES)


def check_of(event: OnTicket) -> str | None:
    """The check that an event of a ticket fulfils: its name, but for states and messages."""
    if isinstance(event, TicketStateChanged):
        return f"state:{event.to_state}"
    if isinstance(event, MessageAdded):
        return "requester_told" if event.meets_response else None
    name = type(event).__name__
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")


def tick_steps(event: OnTicket) -> None:
    """Reaction: tick the steps that waited for this."""
    check = None if event.replay else check_of(event)
    if check is None:
        return
    if current().role in _OUTSIDE:
        arguments = {"ticket": event.ticket_id, "check": check}
        request_work("tick_steps", tenant_id=event.tenant_id, arguments=arguments)
    elif has_waiting_step(event.tenant_id, event.ticket_id, [check]):
        ticket = _ticket(event.tenant_id, event.ticket_id)
        tick_by_check(ticket, check, at=event.at)


def _ticket(tenant_id: int, ticket_id: int) -> Ticket:
    return db.session.scalars(
        select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id)
    ).one()


@job("tick_steps")
def tick_waiting_steps(claimed: Claimed) -> None:
    """Tick for somebody who may not; a repeat finds nothing left to tick."""
    ticket_id, check = int(claimed.arguments["ticket"]), str(claimed.arguments["check"])
    if has_waiting_step(claimed.tenant_id, ticket_id, [check]):
        tick_by_check(_ticket(claimed.tenant_id, ticket_id), check, at=time.now())


def sweep_seen_assets() -> int:
    """Periodic: tick steps that wait until the ticket's asset calls again. Each ticket in its own transaction."""
    waiting = (
        select(RunbookStep.tenant_id, RunbookStep.ticket_id)
        .where(RunbookStep.done_at.is_(None), RunbookStep.check_name == "asset_seen")
        .distinct()
        .subquery()
    )
    # By chance: machines that never call again would stand before all others for ever.
    some = select(waiting).order_by(func.random()).limit(BATCH)
    with enter(sweeper()):
        found = db.session.execute(some).all()
    return sum(_look(tenant_id, ticket_id) for tenant_id, ticket_id in found)


def _look(tenant_id: int, ticket_id: int) -> bool:
    """One bad ticket never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            done = _was_seen(tenant_id, ticket_id)
            if done:
                tick_by_check(_ticket(tenant_id, ticket_id), "asset_seen", at=time.now())
                db.session.commit()
    except Exception as error:
        log.exception("steps not ticked", tenant=tenant_id, ticket=ticket_id, error=type(error).__name__)
        return False
    return done


def _was_seen(tenant_id: int, ticket_id: int) -> bool:
    """Whether the ticket's asset has called since a runbook with such a step was started."""
    asked = (
        select(Ticket.id)
        .join(Asset, and_(Asset.tenant_id == Ticket.tenant_id, Asset.id == Ticket.asset_id))
        .join(RunbookRun, and_(RunbookRun.tenant_id == Ticket.tenant_id, RunbookRun.ticket_id == Ticket.id))
        .join(
            RunbookStep, and_(RunbookStep.tenant_id == Ticket.tenant_id, RunbookStep.run_id == RunbookRun.id)
        )
        .where(
            Ticket.tenant_id == tenant_id,
            Ticket.id == ticket_id,
            RunbookStep.done_at.is_(None),
            RunbookStep.check_name == "asset_seen",
            Asset.last_seen_at > RunbookRun.started_at,
        )
    )
    return db.session.scalar(asked.limit(1)) is not None
