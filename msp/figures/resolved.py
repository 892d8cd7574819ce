"""Resolved tickets by technician, team, client or category: one statement, however many lines and tickets there are.

First contact: of the tickets that stayed resolved, those without a hand-over, before whose resolution nobody of staff
but the resolver told the requester anything, by at most one reply (the solution's own words not counted), while the
requester did not have to write again.
Time to first reply and to resolution: the business seconds of the contract's clocks, of the tickets whose clock
stopped; the resolution clock's cycles count together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, case, func, or_, select, true, tuple_

from contracts.timers.models import TicketTimer
from msp.staff.figures import ENOUGH, Figures, counts, first_resolutions, judged, lines_of, once, one_of
from msp.staff.models import TeamMember
from msp.web.periods import Period
from tenants.foundation.db import db
from tenants.tickets.models import HandOver, Message, Ticket, TicketEvent

MEDIAN, NINETY = 0.5, 0.9


class By(StrEnum):
    """What the lines of a table stand for."""

    TECHNICIAN = "technician"
    TEAM = "team"
    CLIENT = "client"
    CATEGORY = "category"


class Of(StrEnum):
    """A number of a line, by the tickets behind it."""

    RESOLVED = "resolved"
    STAYED = "stayed"
    REOPENED = "reopened"
    CAME_BACK = "came_back"
    FIRST_CONTACT = "first_contact"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Times:
    """Business seconds over so many measured tickets; told from ten on."""

    measured: int = 0
    median: float | None = None
    ninety: float | None = None

    @property
    def is_enough(self) -> bool:
        """Whether a median of so few would tell anything."""
        return self.measured >= ENOUGH


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one technician, team, client or category; the key is a row id, None where a ticket has none."""

    key: int | None
    figures: Figures
    first_contact: int
    reply: Times
    resolution: Times
    returned: int

    @property
    def first_share(self) -> float | None:
        """The part of the resolved that was solved at first contact, from 0 to 1; None for too few."""
        return self.first_contact / self.figures.resolved if self.figures.is_enough else None


def list_lines(by: By, period: Period, quiet: timedelta) -> list[Line]:
    """Every line of a table, the most resolved first: two statements."""
    facts = _facts(by, period, quiet, _solved(by, period))
    stayed = and_(~facts.c.is_reopened, ~facts.c.is_back)
    counted = select(
        facts.c.key,
        *counts(facts.c),
        func.count().filter(stayed, facts.c.is_single),
        *_times(facts.c.reply),
        *_times(facts.c.resolution),
    ).group_by(facts.c.key)
    returned = _count_returned(by, period)
    rows = [
        Line(
            row[0],
            Figures(row[1], row[2], row[3]),
            row[4],
            Times(*row[5:8]),
            Times(*row[8:11]),
            returned.pop(row[0], 0),
        )
        for row in db.session.execute(counted)
    ]
    rows += [Line(key, Figures(0, 0, 0), 0, Times(), Times(), count) for key, count in returned.items()]
    return sorted(rows, key=lambda one: (-one.figures.resolved, -one.returned, one.key or 0))


def _times(seconds: Any) -> tuple[ColumnElement[Any], ...]:
    return (
        func.count(seconds),
        func.percentile_cont(MEDIAN).within_group(seconds),
        func.percentile_cont(NINETY).within_group(seconds),
    )


def _facts(by: By, period: Period, quiet: timedelta, solved: Select[Any]) -> Subquery:
    """What is known of each resolved ticket."""
    lines = lines_of(solved)
    told = judged(lines, period.begin, period.end, quiet)
    passed, talks, clocks = _passed(lines), _talks(lines), _clocks(lines)
    columns = [one for name, one in told.c.items() if name != "key"]
    single = and_(told.c.solver_id.is_not(None), passed.c.ticket_id.is_(None), talks.c.is_single)
    return (
        select(
            (told.c.category_id if by is By.CATEGORY else told.c.key).label("key"),
            *columns,
            single.label("is_single"),
            clocks.c.reply,
            clocks.c.resolution,
        )
        .outerjoin(passed, _same(passed.c, told.c))
        .outerjoin(talks, talks.c.line == told.c.line)
        .outerjoin(clocks, _same(clocks.c, told.c))
        .subquery()
    )


def _same(one: Any, other: Any) -> ColumnElement[bool]:
    return and_(one.tenant_id == other.tenant_id, one.ticket_id == other.ticket_id)


def _solved(by: By, period: Period) -> Select[Any]:
    found = first_resolutions(_KEYS[by], period.begin, period.end)
    if by in (By.TECHNICIAN, By.TEAM):
        found = found.where(TicketEvent.actor_kind == "staff")
    if by is By.TEAM:
        found = found.join(TeamMember, TeamMember.user_id == TicketEvent.actor_user_id)
    return found if period.tenant_id is None else found.where(TicketEvent.tenant_id == period.tenant_id)


# The category stands on the ticket, which each line knows.
_KEYS: dict[By, Any] = {
    By.TECHNICIAN: TicketEvent.actor_user_id,
    By.TEAM: TeamMember.team_id,
    By.CLIENT: TicketEvent.tenant_id,
    By.CATEGORY: None,
}


def _passed(lines: CTE) -> CTE:
    """Tickets of the lines that were ever handed over."""
    found = select(HandOver.tenant_id, HandOver.ticket_id).distinct()
    return once(found.where(one_of(HandOver.ticket_id, lines)), "passed")


def _talks(lines: CTE) -> CTE:
    """Of each line, whether there was one contact only, by the resolver alone."""
    spoken = or_(and_(Message.kind == "public", Message.author_kind == "staff"), Message.spoke_with_caller)
    told = select(
        Message.tenant_id, Message.ticket_id, Message.at, Message.author_user_id, spoken.label("is_told")
    ).where(one_of(Message.ticket_id, lines), or_(spoken, Message.author_kind == "requester"))
    said, line = once(told, "said"), lines.c
    by_staff = and_(said.c.is_told, said.c.at < line.at)
    by_others = and_(by_staff, said.c.author_user_id.is_distinct_from(line.solver_id))
    again = and_(~said.c.is_told, said.c.at > line.opened_at, said.c.at <= line.at)
    limits = ((by_staff, 1), (by_others, 0), (again, 0))
    single = and_(*(func.count().filter(one) <= most for one, most in limits))
    # From the lines outwards: PostgreSQL takes the messages for very few and would compare each with each.
    found = select(line.line, single.label("is_single")).outerjoin(said, _same(said.c, line))
    return once(found.group_by(line.line), "talks")


def _clocks(lines: CTE) -> CTE:
    """Business seconds to the first reply and to the resolution, null where a clock has not stopped."""
    seconds = TicketTimer.elapsed_seconds
    ends = TicketTimer.clock == "resolution"
    runs = func.count().filter(ends, seconds.is_(None)) > 0
    found = (
        select(
            TicketTimer.tenant_id,
            TicketTimer.ticket_id,
            func.min(seconds).filter(TicketTimer.clock == "response").label("reply"),
            case((runs, None), else_=func.sum(seconds).filter(ends)).label("resolution"),
        )
        .where(one_of(TicketTimer.ticket_id, lines))
        .group_by(TicketTimer.tenant_id, TicketTimer.ticket_id)
    )
    return once(found, "clocks")


# -- hand-overs that were given back ----------------------------------------------------------------------


def _returned(by: By, period: Period, *columns: Any) -> Select[Any]:
    """Hand-overs made within the period by somebody (or on a client's tickets) and given back since."""
    found = select(_RETURNED_KEYS[by].label("key"), *columns).select_from(HandOver)
    found = found.where(
        HandOver.state == "returned", HandOver.made_at >= period.begin, HandOver.made_at < period.end
    )
    if by is By.TECHNICIAN:
        found = found.where(HandOver.made_by_user_id.is_not(None))
    if by is By.TEAM:
        found = found.join(TeamMember, TeamMember.user_id == HandOver.made_by_user_id)
    if by is By.CATEGORY:
        own = and_(Ticket.tenant_id == HandOver.tenant_id, Ticket.id == HandOver.ticket_id)
        found = found.outerjoin(Ticket, own)
    return found if period.tenant_id is None else found.where(HandOver.tenant_id == period.tenant_id)


_RETURNED_KEYS: dict[By, Any] = {
    By.TECHNICIAN: HandOver.made_by_user_id,
    By.TEAM: TeamMember.team_id,
    By.CLIENT: HandOver.tenant_id,
    By.CATEGORY: Ticket.category_id,
}


def _count_returned(by: By, period: Period) -> dict[int | None, int]:
    found = _returned(by, period).subquery()
    counted = select(found.c.key, func.count()).group_by(found.c.key)
    return {row[0]: row[1] for row in db.session.execute(counted)}


# -- the tickets behind a number --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket behind a number, when it counted, and a number by which equal moments sort."""

    tenant_id: int
    ticket_id: int
    at: Any
    sort: int


def list_behind(
    by: By,
    of: Of,
    key: int | None,
    period: Period,
    quiet: timedelta,
    *,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Behind]:
    """The tickets behind a number of a line, the latest first, one more than `limit`."""
    if of is Of.RETURNED:
        columns = (
            HandOver.tenant_id,
            HandOver.ticket_id,
            HandOver.made_at.label("at"),
            HandOver.id.label("sort"),
        )
        found = _returned(by, period, *columns).subquery().c
        chosen = select(found.tenant_id, found.ticket_id, found.at, found.sort)
    else:
        solved = _solved(by, period)
        if _KEYS[by] is not None:
            solved = solved.where(_KEYS[by] == key)
        found = _facts(by, period, quiet, solved).c
        chosen = select(found.tenant_id, found.ticket_id, found.at, found.ticket_id.label("sort"))
        chosen = chosen.where(_condition(of, found))
    sort = found.sort if of is Of.RETURNED else found.ticket_id
    chosen = chosen.where(found.key.is_not_distinct_from(key))
    if after is not None:
        chosen = chosen.where(tuple_(found.at, sort) < tuple_(*after))
    rows = db.session.execute(chosen.order_by(found.at.desc(), sort.desc()).limit(limit + 1))
    return [Behind(*row) for row in rows]


def _condition(of: Of, facts: Any) -> ColumnElement[bool]:
    stayed = and_(~facts.is_reopened, ~facts.is_back)
    conditions: dict[Of, ColumnElement[bool]] = {
        Of.RESOLVED: true(),
        Of.STAYED: stayed,
        Of.REOPENED: facts.is_reopened,
        Of.CAME_BACK: and_(~facts.is_reopened, facts.is_back),
        Of.FIRST_CONTACT: and_(stayed, facts.is_single),
    }
    return conditions[of]
