"""Timers follow tickets within the same transaction; the sweep records what time alone brings about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from contracts.clock.clock import State, Verdict
from contracts.clock.history import Reading
from contracts.terms.models import ContractVersion
from contracts.terms.queries import find_version_in_force
from contracts.timers.events import TimerMissed, TimerWarned
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.reading import read_ticket
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.events import record
from tenants.tickets.events import OnTicket
from tenants.tickets.models import Ticket
from tenants.tickets.queries import list_history

_KEY = ("tenant_id", "ticket_id", "clock", "cycle")
_URGENCY = (State.MISSED, State.RUNNING, State.OUTSIDE_HOURS, State.PAUSED, State.MET)


def follow_ticket(event: OnTicket) -> None:
    """Bring a ticket's timers to the moment of an event; part of the event's own transaction."""
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    refresh_ticket(ticket, as_of=event.at, by=event.by, replay=event.replay)


def refresh_ticket(ticket: Ticket, *, as_of: datetime, by: Actor, replay: bool = False) -> Sequence[Reading]:
    """Read the clocks at a moment, store what they say, and record new warnings, targets met and missed."""
    version = _version_of(ticket)
    if version is None:
        return ()
    readings = read_ticket(ticket, list_history(ticket.id), version, as_of)
    if readings:
        _store(ticket, version, readings)
        _record_marks(ticket, readings, as_of, by, replay)
    _show_on_ticket(ticket, readings)
    db.session.flush()
    return readings


def _version_of(ticket: Ticket) -> ContractVersion | None:
    """The version in force when the ticket was opened, chosen once."""
    if ticket.contract_version_id is None:
        found = find_version_in_force(ticket.tenant_id, ticket.opened_at)
        ticket.contract_version_id = found.id if found else None
        return found
    return db.session.get_one(ContractVersion, (ticket.tenant_id, ticket.contract_version_id))


def _store(ticket: Ticket, version: ContractVersion, readings: Sequence[Reading]) -> None:
    """One statement that is compiled once: rows in VALUES would be compiled anew each time."""
    rows = [_row(ticket, version, reading) for reading in readings]
    written = insert(TicketTimer)
    changed = {name: written.excluded[name] for name in rows[0] if name not in _KEY}
    db.session.execute(written.on_conflict_do_update(index_elements=_KEY, set_=changed), rows)


def _row(ticket: Ticket, version: ContractVersion, reading: Reading) -> dict[str, Any]:
    assert reading.target is not None
    verdict = reading.verdict
    return {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.id,
        "contract_version_id": version.id,
        "clock": reading.kind,
        "cycle": reading.cycle,
        "priority": reading.priority,
        "target_seconds": reading.target.seconds,
        "target_version": reading.target_version,
        "state": verdict.state,
        "started_at": reading.started_at,
        "stopped_at": reading.stopped_at,
        "due_at": verdict.due_at,
        "missed_at": verdict.missed_at,
        "cause": verdict.cause,
        "look_at": verdict.next_look_at if reading.stopped_at is None else None,
    }


def _record_marks(
    ticket: Ticket, readings: Sequence[Reading], as_of: datetime, by: Actor, replay: bool
) -> None:
    rows = [row for reading in readings for row in _marks(ticket, reading, as_of)]
    if not rows:
        return
    written = insert(TimerMark).on_conflict_do_nothing()
    fresh = db.session.execute(
        written.returning(TimerMark.id, TimerMark.clock, TimerMark.mark, TimerMark.percent, TimerMark.at),
        rows,
    )
    for mark_id, clock, mark, percent, at in fresh.all():
        _announce(ticket, mark_id, clock, mark, percent, at, as_of, by, replay)


def _marks(ticket: Ticket, reading: Reading, as_of: datetime) -> list[dict[str, Any]]:
    shared = {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.id,
        "clock": reading.kind,
        "cycle": reading.cycle,
        "target_version": reading.target_version,
        "priority": reading.priority,
        "recorded_at": as_of,
    }
    warnings = [
        shared | {"mark": "warning", "percent": one.percent, "cause": None, "at": one.at}
        for one in reading.verdict.warnings
    ]
    decisions = [
        shared
        | {
            "mark": decision.state,
            "percent": 0,
            "cause": decision.cause,
            "at": decision.at,
            "priority": decision.priority,
            "target_version": decision.target_version,
        }
        for decision in reading.decisions
    ]
    return warnings + decisions


def _announce(
    ticket: Ticket,
    mark_id: int,
    clock: str,
    mark: str,
    percent: int,
    at: datetime,
    as_of: datetime,
    by: Actor,
    replay: bool,
) -> None:
    shared: dict[str, Any] = {
        "tenant_id": ticket.tenant_id,
        "at": as_of,
        "by": by,
        "ticket_id": ticket.id,
        "mark_id": mark_id,
        "clock": clock,
    }
    if mark == "warning":
        record(TimerWarned(**shared, percent=percent, warned_at=at), replay=replay)
    elif mark == "missed":
        record(TimerMissed(**shared, missed_at=at), replay=replay)


def _show_on_ticket(ticket: Ticket, readings: Sequence[Reading]) -> None:
    """The columns by which lists sort: what runs out first among the clocks that still matter."""
    latest = {reading.kind: reading for reading in readings}
    open_ones = [one for one in latest.values() if one.stopped_at is None]
    first = min(open_ones, key=lambda one: _order(one.verdict), default=None)
    ticket.next_due_at = first.verdict.due_at if first else None
    ticket.next_due_kind = first.kind if first else None
    states = [one.verdict.state for one in open_ones]
    ticket.sla_state = next((state for state in _URGENCY if state in states), None)
    paused = first is not None and first.verdict.state is State.PAUSED
    ticket.sla_paused_since = ticket.waiting_since if paused else None


def _order(verdict: Verdict) -> tuple[bool, float]:
    """Clocks that stand still come after those that run."""
    return verdict.due_at is None, verdict.due_at.timestamp() if verdict.due_at else 0.0
