"""Applying the version in force to the open tickets of its contract: which those are, what it changes, and doing it.

A ticket is measured by the version in force when it was created; nothing but this, asked for by somebody, moves it on,
by the same rule as a new priority (R18, R19): what was missed stays missed, what has stopped keeps its verdict.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select

from contracts.clock.clock import State
from contracts.clock.history import Entry, EntryKind, Reading, Terms
from contracts.clock.maintenance import Planned
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import find_version_of, terms_of, terms_of_client
from contracts.timers.planned import planned_for
from contracts.timers.reading import entries_of, read_entries, versions_of
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.tickets.models import Ticket, TicketEvent
from tenants.tickets.services import apply_terms

PIECE = 100
"""How many tickets are moved on in one transaction."""
MOST_FORESEEN = 1_000
"""For how many tickets it is worked out what would change."""


def _awaiting(version: ContractVersion, *columns: Any) -> Select[Any]:
    """Open tickets that an earlier version of the same contract measures."""
    earlier = select(ContractVersion.id).where(
        ContractVersion.tenant_id == version.tenant_id,
        ContractVersion.contract_id == version.contract_id,
        ContractVersion.number < version.number,
    )
    return select(*columns).where(
        Ticket.tenant_id == version.tenant_id, Ticket.is_open, Ticket.contract_version_id.in_(earlier)
    )


def count_awaiting(version: ContractVersion) -> int:
    """How many open tickets an earlier version of the same contract measures."""
    return db.session.scalar(_awaiting(version, func.count())) or 0


def check_in_force(contract: Contract, version: ContractVersion, *, at: datetime) -> None:
    """Refuse a version that is not the one in force. Raises Conflict."""
    current = find_version_of(contract, at)
    if current is None or current.id != version.id:
        raise Conflict(_l("Other terms are in force by now. Look at them first."), field="version")


@dataclass(frozen=True, slots=True)
class Applied:
    """How many tickets were moved on, in all pieces so far, and how many still wait."""

    done: int
    waiting: int


def apply_version(
    version: ContractVersion, *, by: Actor, at: datetime, done: int = 0, piece: int = PIECE
) -> Applied:
    """Have a version measure the next piece of open tickets; `done` were moved on before.

    Doing it again does nothing new. Tickets of later versions stay with those. The last piece writes one audit entry
    for all of them.
    """
    locked = _awaiting(version, Ticket).order_by(Ticket.id).limit(piece).with_for_update(key_share=True)
    for ticket in db.session.scalars(locked).all():
        done += apply_terms(ticket, version_id=version.id, number=version.number, by=by, at=at, audited=False)
    waiting = count_awaiting(version)
    if done and not waiting:
        note_act("contract.terms_applied", version, tickets=done, by=by, at=at)
    return Applied(done, waiting)


def note_act(action: str, version: ContractVersion, *, tickets: int, by: Actor, at: datetime) -> None:
    """Audit what was asked for, or done, to so many tickets: one entry."""
    contract = db.session.get_one(Contract, (version.tenant_id, version.contract_id))
    audit.record(
        action,
        tenant_id=version.tenant_id,
        by=by,
        object=f"contract:{contract.public_id}",
        at=at,
        detail={"version": version.number, "tickets": tickets},
    )


# -- what it would change ---------------------------------------------------------------------------------


@dataclass
class Foreseen:
    """What applying a version would change, in running clocks of `looked_at` of `tickets` tickets.

    `earlier`, `later` and `same` are due times; `missed` would be missed at once, `stay_missed` are already and stay
    so; `begin` are promised nothing now, and `end` would be promised nothing.
    """

    tickets: int
    looked_at: int = 0
    earlier: int = 0
    later: int = 0
    same: int = 0
    missed: int = 0
    stay_missed: int = 0
    begin: int = 0
    end: int = 0


def foresee_version(version: ContractVersion, *, at: datetime, most: int = MOST_FORESEEN) -> Foreseen:
    """Work out what applying a version to its contract's open tickets at a moment would change; writes nothing."""
    columns = (
        Ticket.id,
        Ticket.source,
        Ticket.contract_version_id,
        Ticket.asset_id,
        Ticket.site_id,
        Ticket.opened_at,
    )
    tickets = db.session.execute(
        _awaiting(version, *columns).order_by(Ticket.queue_at, Ticket.id).limit(most)
    ).all()
    foreseen = Foreseen(tickets=len(tickets) if len(tickets) < most else count_awaiting(version))
    events = _events(version.tenant_id, [one.id for one in tickets])
    known = {one.id: versions_of(events.get(one.id, ()), one.contract_version_id) for one in tickets}
    terms = terms_of_client(version.tenant_id, chain.from_iterable(known.values()))
    planned = planned_for(version.tenant_id, tickets)
    for ticket in tickets:
        first, entries = terms[known[ticket.id][0]], entries_of(events.get(ticket.id, ()), terms)
        course = _Course(ticket.source, entries, first, planned.get(ticket.id, ()))
        _compare(course, terms_of(version), at, foreseen)
    return foreseen


def _events(tenant_id: int, ids: Sequence[int]) -> dict[int, list[Any]]:
    mine = select(TicketEvent).where(TicketEvent.tenant_id == tenant_id, TicketEvent.ticket_id.in_(ids))
    rows: Iterable[TicketEvent] = db.session.scalars(mine.order_by(TicketEvent.ticket_id, TicketEvent.seq))
    return {ticket_id: list(group) for ticket_id, group in groupby(rows, key=attrgetter("ticket_id"))}


@dataclass(frozen=True, slots=True)
class _Course:
    """What a ticket's clocks depend on."""

    source: str
    entries: Sequence[Entry]
    first: Terms
    planned: Sequence[Planned]

    def read(self, at: datetime, *more: Entry) -> Sequence[Reading]:
        """Its clocks at a moment, had more happened."""
        return read_entries(self.source, [*self.entries, *more], self.first, at, self.planned)


def _compare(course: _Course, new: Terms, at: datetime, foreseen: Foreseen) -> None:
    at = max([at, *(entry.at for entry in course.entries[-1:])])
    was = {(one.kind, one.cycle): one for one in course.read(at)}
    would = course.read(at, Entry(EntryKind.TERMS_APPLIED, at, terms=new))
    foreseen.looked_at += 1
    for change in _changes(was, would):
        setattr(foreseen, change, getattr(foreseen, change) + 1)


def _changes(was: dict[Any, Reading], would: Iterable[Reading]) -> Iterator[str]:
    for after in would:
        before = was.get((after.kind, after.cycle))
        if before is not None and after.stopped_at is None and (before.target or after.target):
            yield _change(before, after)


def _change(before: Reading, after: Reading) -> str:
    """What becomes of one running clock."""
    if before.verdict.state is State.MISSED:
        return "stay_missed"
    if after.verdict.state is State.MISSED:
        return "missed"
    if before.target is None or after.target is None:
        return "begin" if before.target is None else "end"
    if (
        before.verdict.due_at is None or after.verdict.due_at is None
    ):  # one stands still: what is left decides
        moved = after.verdict.remaining_seconds - before.verdict.remaining_seconds
    else:
        moved = int((after.verdict.due_at - before.verdict.due_at).total_seconds())
    return "same" if moved == 0 else "later" if moved > 0 else "earlier"
