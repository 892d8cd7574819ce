"""Background work of timers: warnings and misses tell people and pass tickets up, what rests is closed; each once."""

import structlog
from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from contracts.clock.history import Reading
from contracts.terms.promise import Action
from contracts.timers.acting import (
    action_of,
    claim_mark,
    claim_side_timer,
    claim_side_warning,
    find_reading,
    is_overtaken,
)
from contracts.timers.beside import read_side, told_at
from contracts.timers.deadlines import claim_closing, list_due_closings, settle_rest
from contracts.timers.events import SideTimerMissed, SideTimerWarned, TimerMissed, TimerWarned
from contracts.timers.models import TimerMark
from msp.background.jobs import job
from msp.timers import briefing, mails
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.tenancy.queries import list_all_tenants
from tenants.tickets.history import hold
from tenants.tickets.models import HandOver, Ticket
from tenants.tickets.services import close_ticket, escalate_ticket

PORTAL = Actor.system("Portal")
MOST_SETTLED = 500
log = structlog.get_logger()


def act_on_timer(event: TimerWarned | TimerMissed) -> None:
    """Reaction: ask for what the terms say of this warning or miss."""
    request_work("act_on_mark", tenant_id=event.tenant_id, arguments={"mark": event.mark_id})


@job("act_on_mark")
def act_on_mark(work: Claimed) -> None:
    """Tell people and pass the ticket up, unless that was done before or nobody needs it any more.

    A warning whose target is missed by now still passes the ticket up, but mails nobody: the miss does.

    The mark is claimed in the transaction that does both, so a killed or repeated job neither loses nor doubles them.
    """
    ticket = _ticket_of(work.arguments["mark"])
    mark = claim_mark(work.arguments["mark"], at=time.now())
    if mark is None or ticket.is_over or ticket.source == "import":
        return
    reading, action = find_reading(mark, ticket, time.now()), action_of(mark, ticket)
    if reading is None or action is None or is_overtaken(mark, reading):
        return
    receivers = mails.list_receivers(ticket, action.notify)
    passed = _pass_up(ticket, mark, reading, action)
    if mark.mark == "missed" or reading.verdict.missed_at is None:
        mails.tell(ticket, mails.notice_of(mark, reading), receivers, passed)


def _ticket_of(mark_id: int) -> Ticket:
    """The ticket of a mark, locked."""
    marked = select(TimerMark.tenant_id, TimerMark.ticket_id).where(TimerMark.id == mark_id)
    ticket = db.session.get_one(Ticket, tuple(db.session.execute(marked).one()))
    hold(ticket)
    return ticket


def act_on_side_timer(event: SideTimerMissed) -> None:
    """Reaction: ask for people to be told."""
    request_work("act_on_side_timer", tenant_id=event.tenant_id, arguments={"timer": event.timer_id})


@job("act_on_side_timer")
def act_on_side_timer_once(work: Claimed) -> None:
    """Tell the lead that nobody accepted, or whoever holds the ticket too that the vendor did not answer."""
    timer = claim_side_timer(work.arguments["timer"], at=time.now())
    if timer is None:
        return
    ticket = db.session.get_one(Ticket, (timer.tenant_id, timer.ticket_id))
    roles = ("lead",) if timer.clock == "acceptance" else ("assignee", "lead")
    if not ticket.is_over:
        notice = mails.notice_beside(timer, read_side(timer, time.now()))
        mails.tell(ticket, notice, mails.list_receivers(ticket, roles))


def warn_of_side_timer(event: SideTimerWarned) -> None:
    """Reaction: ask for people to be told how far it is used up."""
    arguments = {"timer": event.timer_id, "percent": event.percent}
    request_work("act_on_side_warning", tenant_id=event.tenant_id, arguments=arguments)


@job("act_on_side_warning")
def act_on_side_warning(work: Claimed) -> None:
    """Tell those of staff whom the terms name that a hand-over, or a vendor's answer, is due soon."""
    percent = work.arguments["percent"]
    timer = claim_side_warning(work.arguments["timer"], percent, at=time.now())
    if timer is None:
        return
    ticket = db.session.get_one(Ticket, (timer.tenant_id, timer.ticket_id))
    if ticket.is_open:
        notice = mails.notice_beside(timer, read_side(timer, time.now()), percent)
        mails.tell(ticket, notice, mails.list_receivers(ticket, told_at(timer, percent)))


def _pass_up(ticket: Ticket, mark: TimerMark, reading: Reading, action: Action) -> HandOver | None:
    """The hand-over to the tier that the terms name; None where they name none, or the clock has stopped."""
    if action.hand_to is None or reading.stopped_at is not None:
        return None
    with force_locale(current_app.extensions["settings"].language):
        told = briefing.write(ticket, mark, reading)
    return escalate_ticket(
        ticket,
        told,
        to_tier=action.hand_to,
        cause_key=f"timer mark {mark.id}",
        cause={"clock": mark.clock, "percent": action.at_percent},
        by=PORTAL,
        at=time.now(),
    )


def sweep_unsettled_rest() -> int:
    """Periodic: give resolved tickets without a time of closing theirs, so many a time; returns how many."""
    with enter(gate()):
        clients = [one.id for one in list_all_tenants()]
    settled = 0
    for tenant_id in clients:
        if settled < MOST_SETTLED:
            settled += _settle(tenant_id, MOST_SETTLED - settled)
    return settled


def _settle(tenant_id: int, limit: int) -> int:
    """One bad client never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            settled = settle_rest(tenant_id, limit)
            db.session.commit()
    except Exception as error:
        log.exception("rest not settled", tenant=tenant_id, error=type(error).__name__)
        return 0
    return settled


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
