"""What screens ask of timers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select

from contracts.clock.calendar import Calendar
from contracts.clock.clock import State
from contracts.clock.history import ClockKind, Reading, Terms
from contracts.clock.instants import seconds_of
from contracts.clock.maintenance import Planned, set_apart
from contracts.clock.timeline import Pause, Timeline, gaps_of
from contracts.terms.queries import terms_by_id, versions_by_id
from contracts.timers.models import TimerMark
from contracts.timers.planned import leaves_out, list_planned_for, planned_for
from contracts.timers.reading import read_ticket
from tenants.foundation.db import db
from tenants.tickets.models import Ticket, TicketEvent


def read_clocks_of(ticket: Ticket, history: Iterable[TicketEvent], as_of: datetime) -> Sequence[Reading]:
    """The clocks of one ticket at a moment, with their strips; empty where nothing was promised."""
    if ticket.contract_version_id is None:
        return ()
    key = (ticket.tenant_id, ticket.contract_version_id)
    planned = planned_for(ticket.tenant_id, [ticket]).get(ticket.id, ())
    return read_ticket(ticket, history, versions_by_id([key])[key], as_of, planned)


@dataclass(frozen=True, slots=True)
class Badge:
    """What a list shows of a ticket's most urgent clock; seconds are business time."""

    clock: str
    state: State
    due_at: datetime | None
    remaining_seconds: int | None
    paused_since: datetime | None
    target_seconds: int | None
    # The planned maintenance that the clock leaves out at this moment, if that is why it stands still.
    reason: str | None = None

    @property
    def elapsed_seconds(self) -> int:
        """What is used up of the target."""
        return (self.target_seconds or 0) - (self.remaining_seconds or 0)


def badges(tickets: Iterable[Ticket], now: datetime) -> dict[tuple[int, int], Badge]:
    """A badge for each ticket with a clock, by `(tenant_id, id)`; however many tickets, one statement.

    One more where their terms leave planned maintenance out.
    """
    measured = [ticket for ticket in tickets if ticket.next_due_kind and ticket.contract_version_id]
    terms = terms_by_id((one.tenant_id, one.contract_version_id or 0) for one in measured)
    excluding = [one for one in measured if leaves_out(terms[one.tenant_id, one.contract_version_id or 0])]
    planned = list_planned_for((one.tenant_id, one) for one in excluding)
    return {
        (one.tenant_id, one.id): _badge(
            one,
            terms[one.tenant_id, one.contract_version_id or 0],
            now,
            planned.get((one.tenant_id, one.id), ()),
        )
        for one in measured
    }


def _badge(ticket: Ticket, terms: Terms, now: datetime, planned: Sequence[Planned]) -> Badge:
    rules = ClockKind(ticket.next_due_kind or "")
    target = terms.of(rules).targets.get(ticket.priority)
    left_out = set_apart(planned, terms.of(rules).maintenance).left_out
    due = ticket.next_due_at
    if target is None or due is None:
        state = State.PAUSED if ticket.sla_paused_since else State(ticket.sla_state or State.RUNNING)
        return Badge(rules, state, due, None, ticket.sla_paused_since, target.seconds if target else None)
    standing = next((one for one in left_out if one.from_at <= now < (one.to_at or now)), None)
    return Badge(
        rules,
        _state(target.calendar, now, due, standing),
        due,
        _remaining(target.calendar, now, due, left_out),
        standing.from_at if standing and now <= due else ticket.sla_paused_since,
        target.seconds,
        "maintenance" if standing else None,
    )


def _remaining(calendar: Calendar, now: datetime, due: datetime, left_out: Sequence[Pause]) -> int:
    """Business seconds until the due time, or since then, without maintenance that the clock leaves out."""
    first, last = min(now, due), max(now, due)
    since = seconds_of(first)
    left = Timeline(calendar, since, gaps_of(left_out, since, None)).counted(seconds_of(last))
    return left if due >= now else -left


def _state(calendar: Calendar, now: datetime, due: datetime, standing: Pause | None) -> State:
    """A ticket that waits has no due time, so what stands still here does so for maintenance."""
    if now > due:
        return State.MISSED
    if standing is not None:
        return State.PAUSED
    return State.RUNNING if calendar.is_open(now) else State.OUTSIDE_HOURS


@dataclass(frozen=True, slots=True)
class Attainment:
    """Targets decided in a month: `share` is met / (met + missed), None where none was due."""

    tenant_id: int
    clock: str
    priority: str
    met: int
    missed: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1, None where nothing was decided: never 100 % of nothing."""
        decided = self.met + self.missed
        return self.met / decided if decided else None


def month_bounds(month: date, time_zone: str) -> tuple[datetime, datetime]:
    """A month as the contract's zone sees it: its first moment and that of the next."""
    zone = ZoneInfo(time_zone)
    first = datetime(month.year, month.month, 1, tzinfo=zone)
    following = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=zone)
    return first, following


def list_attainment(begin: datetime, end: datetime, tenant_id: int | None = None) -> list[Attainment]:
    """Targets met and missed by client, clock and priority between two moments (`begin` included)."""
    counted = (
        select(
            TimerMark.tenant_id,
            TimerMark.clock,
            TimerMark.priority,
            func.count().filter(TimerMark.mark == "met"),
            func.count().filter(TimerMark.mark == "missed"),
        )
        .where(TimerMark.mark != "warning", TimerMark.at >= begin, TimerMark.at < end)
        .group_by(TimerMark.tenant_id, TimerMark.clock, TimerMark.priority)
        .order_by(TimerMark.tenant_id, TimerMark.clock, TimerMark.priority)
    )
    if tenant_id is not None:
        counted = counted.where(TimerMark.tenant_id == tenant_id)
    return [Attainment(*row) for row in db.session.execute(counted)]


def list_decisions(
    begin: datetime,
    end: datetime,
    *,
    tenant_id: int,
    after: tuple[datetime, int] | None = None,
    limit: int = 26,
) -> Sequence[Row[TimerMark, str, str]]:
    """The tickets behind a month's figures, newest first: mark rows with their ticket's code and subject."""
    listed = (
        select(TimerMark, Ticket.code, Ticket.subject)
        .outerjoin(Ticket, (Ticket.tenant_id == TimerMark.tenant_id) & (Ticket.id == TimerMark.ticket_id))
        .where(TimerMark.tenant_id == tenant_id, TimerMark.mark != "warning")
        .where(TimerMark.at >= begin, TimerMark.at < end)
        .order_by(TimerMark.at.desc(), TimerMark.id.desc())
        .limit(limit)
    )
    if after is not None:
        listed = listed.where(
            (TimerMark.at < after[0]) | ((TimerMark.at == after[0]) & (TimerMark.id < after[1]))
        )
    return db.session.execute(listed).all()
