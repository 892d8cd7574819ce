"""The lines of a month: every target that was met or missed in it, with the figures that a client can check."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import and_, select

from contracts.clock.history import Reading
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_versions
from contracts.timers.models import TimerMark
from contracts.timers.queries import month_bounds
from contracts.timers.reading import read_ticket
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
    for rows in tickets:
        ticket = rows[0].Ticket
        version = versions[ticket.contract_version_id]
        history = histories[ticket.id]
        for row in rows:
            mark = row.TimerMark
            then = _reading(ticket, history, version, mark, mark.at)
            last = _reading(ticket, history, version, mark, period.end) if mark.mark == "missed" else then
            line = _line(ticket, version, mark, then, last, period)
            yield mark.at, ticket.code, mark.clock, mark.cycle, mark.id, line


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


def _reading(
    ticket: Ticket, history: list[TicketEvent], version: ContractVersion, mark: TimerMark, as_of: datetime
) -> Reading:
    """The clock and cycle of a decision as it stood at a moment."""
    read = read_ticket(ticket, history, version, as_of)
    return next(one for one in read if (one.kind, one.cycle) == (mark.clock, mark.cycle))


def _line(
    ticket: Ticket,
    version: ContractVersion,
    mark: TimerMark,
    then: Reading,
    last: Reading,
    period: Period,
) -> dict[str, Any]:
    """`then` is the clock at its decision; `last` at its stop, or at the month's end while it still ran late."""
    stopped = last.stopped_at if last.stopped_at and last.stopped_at < period.end else None
    return {
        "ticket": ticket.code,
        "subject": ticket.subject,
        "clock": mark.clock,
        "cycle": mark.cycle,
        "priority": mark.priority,
        "contract_version": version.number,
        "verdict": mark.mark,
        "cause": mark.cause,
        "decided_at": instant(mark.at),
        "started_at": instant(then.started_at),
        "stopped_at": instant(stopped),
        "due_at": instant(then.verdict.due_at),
        "target_seconds": then.target.seconds if then.target else None,
        "elapsed_seconds": last.verdict.elapsed_seconds,
        "paused_seconds": last.verdict.paused_business_seconds,
        "set_aside": None,
    }


def instant(at: datetime | None) -> str | None:
    """A moment as documents write it: RFC 3339 in UTC, whole seconds."""
    return (
        None if at is None else at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    )
