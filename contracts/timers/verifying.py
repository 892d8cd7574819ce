"""Stored against recomputed: what timers, marks and tickets say, beside their history. Reads only.

**The right moment.** What is stored was true when it was stored, not now: a running clock is not written every second.
Each timer keeps the moment at which it was read (`read_at`), so recomputing at that moment must give every column
exactly. Between two readings nothing but time passes, and the next moment at which time alone has something to record
is stored as well (`look_at`): so when that moment is past by more than the sweep may lag, stored differs from now.

**Marks only grow.** All that the history says at `read_at` must be recorded. A recorded mark that it does not say now,
such as a warning of an earlier target, must have been so when it was recorded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select

from contracts.clock.history import ClockKind, Entry, Reading, Terms
from contracts.clock.maintenance import Planned
from contracts.terms.queries import terms_of_client
from contracts.timers.models import SideTimer, TicketDeadline, TicketTimer, TimerMark
from contracts.timers.planned import planned_for
from contracts.timers.reading import entries_of, read_entries, versions_of
from contracts.timers.stored import mark_values, shown_values, timer_values
from contracts.timers.verifying_beside import deadline_differences, side_differences
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tickets.models import Ticket, TicketEvent

PIECE = 500
SAMPLE = 200
LAG = timedelta(minutes=10)
"""How late the sweep may be before what it owes counts as a difference."""
NOTHING = "–"
_MOVING = ("state", "missed_at", "cause", "look_at")
_MARK = ("at", "priority", "cause", "target_version")
_TICKET = ("next_due_at", "next_due_kind", "sla_state", "sla_paused_since")
Rows = Mapping[int, Sequence[Any]]


class Difference(NamedTuple):
    """A field that is stored otherwise than recomputed; `clock` is empty for a column of the ticket."""

    ticket_id: int
    code: str
    clock: str
    field: str
    stored: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Check:
    """How many tickets were compared, and every difference."""

    open_tickets: int
    closed_tickets: int
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Stored:
    """All that is stored of one ticket's clocks, as rows."""

    ticket: Any
    terms: Terms | None
    timers: Sequence[Any]
    marks: Sequence[Any]
    entries: Sequence[Entry]
    beside: Sequence[Any] = ()
    deadlines: Sequence[Any] = ()
    planned: Sequence[Planned] = ()
    # The version that was applied last, if any was.
    applied: int | None = None


def verify_tenant(tenant_id: int, *, now: datetime, sample: int = SAMPLE) -> Check:
    """Compare every open ticket of a client, and so many closed ones by chance, in one snapshot of its own."""
    with _snapshot(tenant_id):
        open_ids = db.session.scalars(_open(tenant_id)).all()
        closed_ids = db.session.scalars(_by_chance(tenant_id, sample)).all()
        found = compare_tickets(tenant_id, [*open_ids, *closed_ids], now=now)
    return Check(len(open_ids), len(closed_ids), found)


def verify_closed(tenant_id: int, *, now: datetime, sample: int = SAMPLE) -> Check:
    """Compare so many closed tickets by chance, in a snapshot of its own."""
    with _snapshot(tenant_id):
        ids = db.session.scalars(_by_chance(tenant_id, sample)).all()
        return Check(0, len(ids), compare_tickets(tenant_id, ids, now=now))


def verify_open(tenant_id: int, *, now: datetime, after: int, limit: int) -> tuple[Check, int | None]:
    """Compare so many open tickets after an id, in a snapshot; and the id to go on after, None at the end."""
    with _snapshot(tenant_id):
        ids = db.session.scalars(_open(tenant_id).where(Ticket.id > after).limit(limit)).all()
        check = Check(len(ids), 0, compare_tickets(tenant_id, ids, now=now))
    return check, ids[-1] if len(ids) == limit else None


@contextmanager
def _snapshot(tenant_id: int) -> Iterator[None]:
    with enter(of_tenant(tenant_id)):
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield


def _open(tenant_id: int) -> Any:
    return _ids(tenant_id).where(Ticket.is_open).order_by(Ticket.id)


def _by_chance(tenant_id: int, sample: int) -> Any:
    return _ids(tenant_id).where(Ticket.is_open.is_(False)).order_by(func.random()).limit(sample)


def compare_tickets(tenant_id: int, ids: Sequence[int], *, now: datetime) -> list[Difference]:
    """Every difference on these tickets, in the scope in force."""
    return [difference for stored in _read(tenant_id, ids) for difference in differences_of(stored, now)]


def _ids(tenant_id: int) -> Any:
    return select(Ticket.id).where(Ticket.tenant_id == tenant_id)


def _read(tenant_id: int, ids: Sequence[int]) -> Iterator[Stored]:
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        columns = (
            Ticket.id,
            Ticket.code,
            Ticket.source,
            Ticket.asset_id,
            Ticket.site_id,
            Ticket.opened_at,
            Ticket.contract_version_id,
            Ticket.waiting_since,
            Ticket.state,
            Ticket.closes_at,
            Ticket.reopen_until,
            *(getattr(Ticket, name) for name in _TICKET),
        )
        mine = select(*columns).where(Ticket.tenant_id == tenant_id, Ticket.id.in_(piece))
        tickets = db.session.execute(mine.order_by(Ticket.id)).all()
        timers, marks = _rows(TicketTimer, tenant_id, piece), _rows(TimerMark, tenant_id, piece)
        events = _rows(TicketEvent, tenant_id, piece)
        planned = planned_for(tenant_id, tickets)
        versions = {one.id: versions_of(events.get(one.id, ()), one.contract_version_id) for one in tickets}
        terms = terms_of_client(tenant_id, chain.from_iterable(versions.values()))
        beside, deadlines = _rows(SideTimer, tenant_id, piece), _rows(TicketDeadline, tenant_id, piece)
        for ticket in tickets:
            yield Stored(
                ticket,
                terms[versions[ticket.id][0]] if versions[ticket.id] else None,
                timers.get(ticket.id, ()),
                marks.get(ticket.id, ()),
                entries_of(events.get(ticket.id, ()), terms),
                beside.get(ticket.id, ()),
                deadlines.get(ticket.id, ()),
                planned.get(ticket.id, ()),
                versions[ticket.id][-1] if len(versions[ticket.id]) > 1 else None,
            )


def _rows(model: type[Any], tenant_id: int, ids: Sequence[int]) -> Rows:
    """Rows of a table by ticket, in the order in which they were written."""
    order = (model.ticket_id, model.seq if model is TicketEvent else model.id)
    columns = [column for name, column in model.__mapper__.columns.items() if name != "tenant_id"]
    found = select(*columns).where(model.tenant_id == tenant_id, model.ticket_id.in_(ids)).order_by(*order)
    rows: list[Row[Any]] = list(db.session.execute(found))
    return {ticket_id: list(group) for ticket_id, group in groupby(rows, key=attrgetter("ticket_id"))}


def differences_of(stored: Stored, now: datetime) -> Iterator[Difference]:
    """Every field of a ticket's clocks that is not what its history says. Pure."""
    moments = [one.read_at for one in stored.timers if one.read_at is not None]
    moment = max(moments, default=now)
    read = _readings(stored, stored.entries, moment)
    found = [
        *_timer_differences(stored, read, now),
        *_mark_differences(stored, read),
        *_ticket_differences(stored, read, certain=bool(moments) or not stored.timers),
        *side_differences(stored.beside, now, LAG),
        *deadline_differences(stored.ticket, stored.deadlines),
    ]
    for clock, field, said, recomputed in found:
        if said != recomputed:
            yield Difference(
                stored.ticket.id, stored.ticket.code, clock, field, _word(said), _word(recomputed)
            )


def _readings(stored: Stored, entries: Sequence[Entry], moment: datetime) -> Sequence[Reading]:
    return read_entries(stored.ticket.source, entries, stored.terms, moment, stored.planned)


Found = tuple[str, str, Any, Any]


def _timer_differences(stored: Stored, read: Iterable[Reading], now: datetime) -> Iterator[Found]:
    rows = {(one.clock, one.cycle): one for one in stored.timers}
    for reading in read:
        row = rows.pop((reading.kind, reading.cycle), None)
        name = f"{reading.kind} {reading.cycle}"
        if row is not None:
            yield from _columns(name, row, timer_values(reading))
            yield from _owed(name, row, now)
        elif reading.target is not None:
            yield name, "timer", None, reading.verdict.state
    for (clock, cycle), row in rows.items():
        if clock in tuple(ClockKind):
            yield f"{clock} {cycle}", "timer", row.state, None


def _columns(name: str, row: Any, values: Mapping[str, Any]) -> Iterator[Found]:
    """What was stored before its moment was kept, and still runs, is compared in what does not move with time.

    Nothing is owed where the time that a clock ran was not kept yet when it stopped.
    """
    left_out = set(_MOVING) if row.read_at is None and row.stopped_at is None else set()
    if row.elapsed_seconds is None and row.stopped_at is not None:
        left_out.add("elapsed_seconds")
    for column, value in values.items():
        if column not in left_out:
            yield name, column, getattr(row, column), value


def _owed(name: str, row: Any, now: datetime) -> Iterator[Found]:
    if row.look_at is not None and row.look_at < now - LAG:
        yield name, "look_at", row.look_at, "looked at by now"


def _mark_differences(stored: Stored, read: Iterable[Reading]) -> Iterator[Found]:
    said: dict[tuple[Any, ...], dict[str, Any]] = {}
    for values in chain.from_iterable(map(mark_values, read)):
        # Met twice within one second is recorded once, as it was first.
        said.setdefault(_key(values), values)
    rows = {_key(row._asdict()): row for row in stored.marks}
    for key, values in said.items():
        row = rows.pop(key, None)
        if row is None:
            yield _clock(values), _mark_name(values), None, values["at"]
        else:
            yield from _mark_columns(row, values)
    for row in rows.values():
        earlier = _as_recorded(stored, row)
        if earlier is None:
            yield _clock(row._asdict()), _mark_name(row._asdict()), row.at, None
        else:
            yield from _mark_columns(row, earlier)


def _key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what a mark is recorded once: warnings by their target and share, decisions by their moment."""
    cycle = (values["clock"], values["cycle"], values["mark"])
    if values["mark"] == "warning":
        return *cycle, values["target_version"], values["percent"]
    return *cycle, values["at"]


def _mark_columns(row: Any, values: Mapping[str, Any]) -> Iterator[Found]:
    for column in _MARK:
        name = f"{_mark_name(values)}: {column}"
        yield _clock(values), name, getattr(row, column), values[column]


def _as_recorded(stored: Stored, row: Any) -> Mapping[str, Any] | None:
    """The mark as the history said it when it was recorded, whichever of the things at that moment came first."""
    until = [place for place, entry in enumerate(stored.entries, start=1) if entry.at <= row.recorded_at]
    for place in reversed(until):
        for reading in _readings(stored, stored.entries[:place], row.recorded_at):
            for values in mark_values(reading):
                if _key(values) == _key(row._asdict()):
                    return values
    return None


def _clock(values: Mapping[str, Any]) -> str:
    return f"{values['clock']} {values['cycle']}"


def _mark_name(values: Mapping[str, Any]) -> str:
    return f"warning at {values['percent']} %" if values["mark"] == "warning" else f"mark {values['mark']}"


def _ticket_differences(stored: Stored, read: Sequence[Reading], *, certain: bool) -> Iterator[Found]:
    values = shown_values(read, stored.ticket.waiting_since)
    if stored.applied is not None:
        yield "", "contract_version_id", stored.ticket.contract_version_id, stored.applied
    for column in _TICKET:
        if certain or column != "sla_state":
            yield "", column, getattr(stored.ticket, column), values[column]


def _word(value: Any) -> str:
    if value is None:
        return NOTHING
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
