"""Timers follow tickets within the same transaction; the sweep records what time alone brings about."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import Insert, insert

from contracts.clock.history import Reading
from contracts.terms.document import read_terms
from contracts.terms.models import ContractVersion
from contracts.terms.queries import find_version_in_force
from contracts.timers.events import TimerMissed, TimerWarned
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.planned import leaves_out, planned_for
from contracts.timers.reading import entries_of, read_entries
from contracts.timers.stored import mark_values, shown_values, timer_values
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.events import record
from tenants.tickets.events import OnTicket
from tenants.tickets.models import Ticket
from tenants.tickets.queries import list_history

_KEY = ("tenant_id", "ticket_id", "clock", "cycle")


def follow_ticket(event: OnTicket) -> None:
    """Bring a ticket's timers to the moment of an event; part of the event's own transaction."""
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    refresh_ticket(ticket, as_of=event.at, by=event.by, replay=event.replay)


def refresh_ticket(ticket: Ticket, *, as_of: datetime, by: Actor, replay: bool = False) -> Sequence[Reading]:
    """Read the clocks at a moment, store what they say, and record new warnings, targets met and missed."""
    with db.session.no_autoflush:  # what is read here is written already; the ticket changes once, at the end
        version = _version_of(ticket)
        if version is None:
            return ()
        readings = _refresh(ticket, version, as_of, by, replay)
    db.session.flush()
    return readings


def _refresh(
    ticket: Ticket, version: ContractVersion, as_of: datetime, by: Actor, replay: bool
) -> Sequence[Reading]:
    terms = read_terms(version.terms)
    entries = entries_of(list_history(ticket.id))
    # Who had to wait for the ticket began before what happened meanwhile.
    as_of = max([as_of, *(entry.at for entry in entries[-1:])])
    planned = planned_for(ticket.tenant_id, [ticket]).get(ticket.id, ()) if leaves_out(terms) else ()
    read = read_entries(ticket.source, entries, terms, as_of, planned)
    readings = [reading for reading in read if reading.target is not None]
    _store(ticket, version, readings, as_of)
    lost = [reading for reading in read if reading.target is None and reading.target_version > 1]
    _set_aside(ticket, lost, as_of)
    _record_marks(ticket, read, as_of, by, replay)
    for name, value in shown_values(readings, ticket.waiting_since).items():
        setattr(ticket, name, value)
    return readings


def _version_of(ticket: Ticket) -> ContractVersion | None:
    """The version in force when the ticket was opened, chosen once."""
    if ticket.contract_version_id is None:
        found = find_version_in_force(ticket.tenant_id, ticket.opened_at)
        ticket.contract_version_id = found.id if found else None
        return found
    return db.session.get_one(ContractVersion, (ticket.tenant_id, ticket.contract_version_id))


def _store(ticket: Ticket, version: ContractVersion, readings: Sequence[Reading], as_of: datetime) -> None:
    """One statement that is compiled once: rows in VALUES would be compiled anew each time."""
    if not readings:
        return
    shared = {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.id,
        "contract_version_id": version.id,
        "read_at": as_of,
    }
    rows = [
        shared | {"clock": reading.kind, "cycle": reading.cycle} | timer_values(reading)
        for reading in readings
    ]
    db.session.execute(_write_rows(tuple(rows[0])), rows)


@cache
def _write_rows(names: tuple[str, ...]) -> Insert:
    written = insert(TicketTimer)
    changed = {name: written.excluded[name] for name in names if name not in _KEY}
    return written.on_conflict_do_update(index_elements=_KEY, set_=changed)


def _set_aside(ticket: Ticket, readings: Sequence[Reading], as_of: datetime) -> None:
    """A clock that had a target and has none any more measures nothing: nobody needs to look at it again."""
    for reading in readings:
        cycle = (
            TicketTimer.tenant_id == ticket.tenant_id,
            TicketTimer.ticket_id == ticket.id,
            TicketTimer.clock == reading.kind,
            TicketTimer.cycle == reading.cycle,
        )
        db.session.execute(
            update(TicketTimer).where(*cycle).values(timer_values(reading) | {"read_at": as_of})
        )


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
    shared = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "recorded_at": as_of}
    return [shared | values for values in mark_values(reading)]


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
