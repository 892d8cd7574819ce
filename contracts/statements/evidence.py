"""The lines of a month: every target that was met or missed in it, with the figures that a client can check."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import and_, select

from contracts.clock.history import ClockKind, Entry, Reading, read_clock
from contracts.clock.maintenance import Planned
from contracts.terms.document import read_terms
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_versions
from contracts.timers.models import TimerMark
from contracts.timers.planned import planned_for
from contracts.timers.queries import month_bounds
from contracts.timers.reading import entries_of
from tenants.foundation.db import db
from tenants.tickets.models import Ticket, TicketEvent

PIECE = 500


@dataclass(frozen=True, slots=True)
class Period:
    """A month of a contract: from its first moment up to, not including, `end`."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, contract: Contract, month: date) -> "Period":
        """The month as the contract's zone counts it."""
        return cls(*month_bounds(month, contract.time_zone))


def collect_lines(contract: Contract, period: Period) -> list[dict[str, Any]]:
    """Each decision of the period on tickets that this contract measures, in the order of decision."""
    versions = {one.id: one for one in list_versions(contract)}
    decided = _decisions(contract.tenant_id, set(versions), period)
    lines: list[tuple[Any, ...]] = []
    tickets = [list(rows) for _, rows in groupby(decided, key=lambda row: row.Ticket.id)]
    for start in range(0, len(tickets), PIECE):
        lines += _lines_of(tickets[start : start + PIECE], versions, period)
    return [line for *_, line in sorted(lines, key=lambda one: one[:-1])]


def _decisions(tenant_id: int, versions: set[int], period: Period) -> Sequence[Any]:
    found = (
        select(TimerMark, Ticket)
        .outerjoin(Ticket, and_(Ticket.tenant_id == TimerMark.tenant_id, Ticket.id == TimerMark.ticket_id))
        .where(
            TimerMark.tenant_id == tenant_id,
            TimerMark.mark != "warning",
            TimerMark.at >= period.begin,
            TimerMark.at < period.end,
            Ticket.contract_version_id.in_(versions),
        )
        .order_by(TimerMark.ticket_id, TimerMark.id)
    )
    return db.session.execute(found).all()


def _lines_of(
    tickets: Sequence[Sequence[Any]], versions: dict[int, ContractVersion], period: Period
) -> Iterator[tuple[Any, ...]]:
    histories = _histories(rows[0].Ticket for rows in tickets)
    planned = planned_for(tickets[0][0].Ticket.tenant_id, [rows[0].Ticket for rows in tickets])
    for rows in tickets:
        ticket = rows[0].Ticket
        version, entries = versions[ticket.contract_version_id], entries_of(histories[ticket.id])
        measured = _Measured(ticket, version, entries, planned.get(ticket.id, ()))
        for row in rows:
            mark = row.TimerMark
            yield mark.at, ticket.code, mark.clock, mark.cycle, mark.id, measured.line(mark, period)


def _histories(tickets: Iterable[Ticket]) -> dict[int, list[TicketEvent]]:
    wanted = list(tickets)
    histories: dict[int, list[TicketEvent]] = {one.id: [] for one in wanted}
    found = (
        select(TicketEvent)
        .where(TicketEvent.tenant_id == wanted[0].tenant_id, TicketEvent.ticket_id.in_(histories))
        .order_by(TicketEvent.ticket_id, TicketEvent.seq)
    )
    for event in db.session.scalars(found):
        histories[event.ticket_id].append(event)
    return histories


@dataclass(frozen=True, slots=True)
class _Measured:
    """A ticket with the version that measures it and the history of its clocks."""

    ticket: Ticket
    version: ContractVersion
    entries: Sequence[Entry]
    planned: Sequence[Planned]

    def line(self, mark: TimerMark, period: Period) -> dict[str, Any]:
        """A decision with its figures: as of its stop, or of the month's end while it ran late."""
        then = self._reading(mark, mark.at)
        last = self._reading(mark, period.end) if mark.mark == "missed" else then
        if last.target is None:  # a later priority promises nothing: what was decided stays what it was
            last = then
        stopped = last.stopped_at if last.stopped_at and last.stopped_at < period.end else None
        return {
            "ticket": self.ticket.code,
            "subject": self.ticket.subject,
            "clock": mark.clock,
            "cycle": mark.cycle,
            "priority": mark.priority,
            "contract_version": self.version.number,
            "verdict": mark.mark,
            "cause": mark.cause,
            "decided_at": instant(mark.at),
            "started_at": instant(then.started_at),
            "stopped_at": instant(stopped),
            "due_at": instant(then.verdict.due_at),
            "target_seconds": self._target_seconds(mark),
            "elapsed_seconds": last.verdict.elapsed_seconds,
            "paused_seconds": last.verdict.paused_business_seconds,
            "maintenance_seconds": last.verdict.maintenance_business_seconds,
            "set_aside": None,
        }

    def _reading(self, mark: TimerMark, as_of: datetime) -> Reading:
        """The clock and cycle of a decision as it stood at a moment, with or without a target."""
        terms = read_terms(self.version.terms)
        read = read_clock(ClockKind(mark.clock), self.entries, terms, as_of, self.planned)
        return next(one for one in read if one.cycle == mark.cycle)

    def _target_seconds(self, mark: TimerMark) -> int | None:
        """What the version allows for the priority that was decided."""
        target = read_terms(self.version.terms).of(ClockKind(mark.clock)).targets.get(mark.priority)
        return target.seconds if target else None


def instant(at: datetime | None) -> str | None:
    """A moment as documents write it: RFC 3339 in UTC, whole seconds."""
    return (
        None if at is None else at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    )
