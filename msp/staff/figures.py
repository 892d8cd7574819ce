"""What was resolved, and what of it stayed resolved: the one home of the formula, for one person and for all tables.

Resolved: the tickets that were set to resolved within the period, each once, by the first time, so that a second
attempt does not hide that the first one failed; of a person, those that this person set so.
Reopened: of these, those that were reopened within N days after that.
Came back: of the others, those after which another ticket was opened within N days on the same asset and in the same
category (also in none), or as the follow-up of this one. A ticket without an asset comes back only as a follow-up.
Stayed resolved: resolved, less those that were reopened or came back. The share is told from ten resolved tickets on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, any_, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from tenants.foundation.db import db
from tenants.tickets.models import Ticket, TicketEvent

QUIET = timedelta(days=14)
PERIOD = timedelta(days=90)
ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of tickets; `came_back` leaves out those that were reopened, so that the parts add up."""

    resolved: int
    reopened: int
    came_back: int

    @property
    def stayed(self) -> int:
        """What is left of the resolved."""
        return self.resolved - self.reopened - self.came_back

    @property
    def is_enough(self) -> bool:
        """Whether a share of so few would tell anything."""
        return self.resolved >= ENOUGH

    @property
    def share(self) -> float | None:
        """The part that stayed resolved, from 0 to 1; None for too few."""
        return self.stayed / self.resolved if self.is_enough else None


def figures_of(
    user_ids: Sequence[int], begin: datetime, end: datetime, *, quiet: timedelta = QUIET
) -> dict[int, Figures]:
    """By person, the figures for what they resolved within `[begin, end)`, of the clients in scope: one statement."""
    mine = TicketEvent.actor_user_id.in_(user_ids)
    solved = first_resolutions(TicketEvent.actor_user_id, begin, end).where(mine)
    told = judged(lines_of(solved), begin, end, quiet)
    counted = select(told.c.key, *counts(told.c)).group_by(told.c.key)
    found = {row[0]: Figures(row[1], row[2], row[3]) for row in db.session.execute(counted)}
    return {one: found.get(one, Figures(0, 0, 0)) for one in user_ids}


def first_resolutions(key: Any, begin: datetime, end: datetime) -> Select[Any]:
    """By `key` and ticket, the first time within `[begin, end)` that it was resolved: `key`, `at` and `solver_id`.

    Without a key each ticket once, under 0. Callers narrow it further; what they join must keep one line for each key
    and event.
    """
    ticket = (TicketEvent.tenant_id, TicketEvent.ticket_id)
    each = ticket if key is None else (key, *ticket)
    shown = literal_column("0") if key is None else key
    return (
        select(shown.label("key"), *ticket, TicketEvent.at, TicketEvent.actor_user_id.label("solver_id"))
        .select_from(TicketEvent)
        .ext(distinct_on(*each))
        .where(TicketEvent.kind == "resolved", TicketEvent.at >= begin, TicketEvent.at < end)
        .order_by(*each, TicketEvent.at, TicketEvent.seq)
    )


def lines_of(solved: Select[Any]) -> CTE:
    """`first_resolutions` numbered (`line`), with what each ticket is about."""
    found = once(solved, "resolutions")
    columns = (Ticket.tenant_id, Ticket.id, Ticket.asset_id, Ticket.category_id, Ticket.opened_at)
    own = once(select(*columns).where(one_of(Ticket.id, found)), "about")
    same = and_(own.c.tenant_id == found.c.tenant_id, own.c.id == found.c.ticket_id)
    about = (own.c.asset_id, own.c.category_id, own.c.opened_at)
    numbered = select(func.row_number().over().label("line"), *found.c, *about)
    return once(numbered.outerjoin(own, same), "solved")


def one_of(ticket_id: Any, lines: CTE) -> ColumnElement[bool]:
    """Whether a row is of one of the lines' tickets: with their ids as one array PostgreSQL reads no others."""
    ids: Any = func.array(select(lines.c.ticket_id).scalar_subquery())
    return cast(ColumnElement[bool], ticket_id == any_(ids))


def judged(lines: CTE, begin: datetime, end: datetime, quiet: timedelta) -> Subquery:
    """The lines with `is_reopened` and `is_back`.

    Whole sets are joined, by what indexes of time find: asked line by line, the tenants in force would be compared
    anew for each and PostgreSQL would take the wrong index.
    """
    line = lines.c
    reopened, alike, followed = (
        once(select(marked.c.line).distinct(), name)
        for name, marked in (
            ("reopened", _reopened(line, begin, end + quiet, quiet).subquery()),
            ("alike", _alike(line, begin, end + quiet, quiet).subquery()),
            ("followed", _followed(line, begin, end + quiet, quiet).subquery()),
        )
    )
    told = (
        select(
            lines,
            reopened.c.line.is_not(None).label("is_reopened"),
            func.coalesce(alike.c.line, followed.c.line).is_not(None).label("is_back"),
        )
        .outerjoin(reopened, reopened.c.line == line.line)
        .outerjoin(alike, alike.c.line == line.line)
        .outerjoin(followed, followed.c.line == line.line)
    )
    return told.subquery()


def once(found: Any, name: str) -> CTE:
    """A part of a statement that is worked out once, whoever asks for it how often.

    PostgreSQL takes what the wall lets through for far less than it is. Parts that stand apart are joined by hashing
    all the same; tables joined at once would be read again for each line.
    """
    return cast(CTE, found.cte(name).prefix_with("MATERIALIZED", dialect="postgresql"))


def counts(told: Any) -> tuple[ColumnElement[int], ...]:
    """The three counts of `Figures`, from the columns of `judged`."""
    back = and_(~told.is_reopened, told.is_back)
    return func.count(), func.count().filter(told.is_reopened), func.count().filter(back)


def _reopened(line: Any, begin: datetime, end: datetime, quiet: timedelta) -> Select[Any]:
    return select(line.line).where(
        TicketEvent.tenant_id == line.tenant_id,
        TicketEvent.ticket_id == line.ticket_id,
        TicketEvent.kind == "reopened",
        TicketEvent.at >= begin,
        TicketEvent.at <= end,
        TicketEvent.at >= line.at,
        TicketEvent.at <= line.at + quiet,
    )


def _alike(line: Any, begin: datetime, end: datetime, quiet: timedelta) -> Select[Any]:
    again = aliased(Ticket)
    return select(line.line).where(
        again.tenant_id == line.tenant_id,
        again.asset_id == line.asset_id,
        again.category_id.is_not_distinct_from(line.category_id),
        again.id != line.ticket_id,
        *_opened_after(again, line, begin, end, quiet),
    )


def _followed(line: Any, begin: datetime, end: datetime, quiet: timedelta) -> Select[Any]:
    again = aliased(Ticket)
    return select(line.line).where(
        again.tenant_id == line.tenant_id,
        again.follows_id == line.ticket_id,
        *_opened_after(again, line, begin, end, quiet),
    )


def _opened_after(
    again: Any, line: Any, begin: datetime, end: datetime, quiet: timedelta
) -> tuple[ColumnElement[bool], ...]:
    return (
        again.opened_at > begin,
        again.opened_at <= end,
        again.opened_at > line.at,
        again.opened_at <= line.at + quiet,
    )
