"""Closing what was resolved and letting what was closed be reopened: times that the contract sets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from contracts.clock.working_days import after_working_days
from contracts.timers.models import TicketDeadline
from contracts.timers.promises import find_calendar, find_promise
from tenants.foundation.db import db
from tenants.tickets.events import MessageAdded, OnTicket
from tenants.tickets.models import Message, Ticket

BATCH = 500
RETRY = timedelta(minutes=5)
# Terms without days for it let a closed ticket be reopened at any time; a value that compares needs no second rule.
NO_LIMIT = datetime(9999, 12, 31, tzinfo=UTC)


def follow_rest(event: OnTicket) -> None:
    """Set or end a ticket's times of closing and reopening; part of the event's own transaction.

    What an import replays is past and moves nothing here: `settle_rest` looks at where it left the ticket.
    """
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    live = not event.replay
    closes_at = _closes_at(ticket, event.at) if ticket.state == "resolved" and live else None
    reopen_until = _reopen_until(ticket, event.at) if ticket.state == "closed" and live else None
    if closes_at != ticket.closes_at:
        _write(ticket, "close", closes_at, look_at=closes_at)
    if reopen_until != ticket.reopen_until:
        _write(ticket, "reopen", reopen_until, look_at=None)
    ticket.closes_at, ticket.reopen_until = closes_at, reopen_until
    db.session.flush()


def put_off_closing(event: MessageAdded) -> None:
    """A requester who writes on a resolved ticket has not let it rest: the days begin anew."""
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    if event.author_kind == "requester" and event.leads_to is None and ticket.closes_at is not None:
        follow_rest(event)


def _closes_at(ticket: Ticket, since: datetime) -> datetime | None:
    """When it has rested for the contract's working days; None for never by itself."""
    days = find_promise(ticket).auto_close_days
    return None if days is None else after_working_days(find_calendar(ticket), since, days)


def _reopen_until(ticket: Ticket, since: datetime) -> datetime:
    days = find_promise(ticket).reopen_days
    return NO_LIMIT if days is None else since + timedelta(days=days)


def _write(ticket: Ticket, kind: str, due_at: datetime | None, look_at: datetime | None) -> None:
    row = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "kind": kind}
    times = {"due_at": due_at, "look_at": look_at}
    written = insert(TicketDeadline).values(**row, **times)
    db.session.execute(written.on_conflict_do_update(index_elements=tuple(row), set_=times))


def settle_rest(tenant_id: int, limit: int) -> int:
    """Give resolved tickets without a time of closing theirs; returns how many, at most the limit.

    They were resolved before such times were kept, or by an import's history. The days count from the solution, or
    from the requester's last words after it; a time that is long past is due at once.
    """
    found = db.session.execute(_unsettled(tenant_id).limit(limit)).all()
    for ticket, said_at in found:
        rested_since = max(
            one for one in (ticket.resolved_at or ticket.opened_at, said_at) if one is not None
        )
        closes_at = _closes_at(ticket, rested_since)
        _write(ticket, "close", closes_at, look_at=closes_at)
        ticket.closes_at = closes_at
    db.session.flush()
    return len(found)


def _unsettled(tenant_id: int) -> Any:
    """Resolved tickets without a time, locked, each with when its requester last wrote since; who is at it is left."""
    said = select(func.max(Message.at)).where(
        Message.tenant_id == Ticket.tenant_id,
        Message.ticket_id == Ticket.id,
        Message.kind == "public",
        Message.author_kind == "requester",
        Message.at > Ticket.resolved_at,
    )
    settled = select(TicketDeadline.id).where(
        TicketDeadline.tenant_id == Ticket.tenant_id,
        TicketDeadline.ticket_id == Ticket.id,
        TicketDeadline.kind == "close",
    )
    waiting = (Ticket.tenant_id == tenant_id, ~Ticket.is_over, Ticket.state == "resolved")
    return (
        select(Ticket, said.scalar_subquery())
        .where(*waiting, Ticket.closes_at.is_(None), ~settled.exists())
        .order_by(Ticket.id)
        .with_for_update(of=Ticket, skip_locked=True)
    )


def list_due_closings(now: datetime, limit: int = BATCH) -> list[tuple[int, int]]:
    """Tickets whose time of closing has come: `(tenant_id, ticket_id)`, in a stable order. Sweeper's scope."""
    due = (
        select(TicketDeadline.tenant_id, TicketDeadline.ticket_id)
        .where(TicketDeadline.look_at <= now)
        .order_by(TicketDeadline.look_at)
        .limit(limit)
    )
    return sorted({(tenant_id, ticket_id) for tenant_id, ticket_id in db.session.execute(due)})


def claim_closing(ticket_id: int, *, at: datetime) -> bool:
    """Whether this caller is the one to ask for it; should nothing come of it, the sweep asks again in a while."""
    taken = (
        update(TicketDeadline)
        .where(
            TicketDeadline.ticket_id == ticket_id,
            TicketDeadline.kind == "close",
            TicketDeadline.look_at <= at,
        )
        .values(look_at=at + RETRY)
        .returning(TicketDeadline.id)
    )
    return db.session.scalar(taken) is not None
