"""What was resolved, and what of it stayed resolved: the one home of the formula, for one person and for all tables.

Resolved: the tickets that were set to resolved within the period, each once, by the last time; of a person, those that
this person set so.
Reopened: of these, those that were reopened within N days after that.
Came back: of the others, those after which another ticket was opened within N days on the same asset and in the same
category (also in none), or as the follow-up of this one. A ticket without an asset comes back only as a follow-up.
Stayed resolved: resolved, less those that were reopened or came back. The share is told from ten resolved tickets on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
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
    solved = last_resolutions(TicketEvent.actor_user_id, begin, end).where(mine).subquery()
    reopened, back = was_reopened(solved.c, quiet), came_back(solved.c, quiet)
    counted = select(
        solved.c.key,
        func.count(),
        func.count().filter(reopened),
        func.count().filter(and_(~reopened, back)),
    ).group_by(solved.c.key)
    found = {row[0]: Figures(row[1], row[2], row[3]) for row in db.session.execute(counted)}
    return {one: found.get(one, Figures(0, 0, 0)) for one in user_ids}


def last_resolutions(key: Any, begin: datetime, end: datetime) -> Select[Any]:
    """By `key` and ticket, the last time within `[begin, end)` that it was resolved: `key`, `at` and `solver_id`.

    Callers narrow it further; what they join must keep one line for each key and event.
    """
    ticket = (TicketEvent.tenant_id, TicketEvent.ticket_id)
    return (
        select(key.label("key"), *ticket, TicketEvent.at, TicketEvent.actor_user_id.label("solver_id"))
        .ext(distinct_on(key, *ticket))
        .where(TicketEvent.kind == "resolved", TicketEvent.at >= begin, TicketEvent.at < end)
        .order_by(key, *ticket, TicketEvent.at.desc(), TicketEvent.seq.desc())
    )


def was_reopened(solved: Any, quiet: timedelta) -> ColumnElement[bool]:
    """Whether what was resolved (columns of `last_resolutions`) was reopened within the quiet time."""
    return exists().where(
        TicketEvent.tenant_id == solved.tenant_id,
        TicketEvent.ticket_id == solved.ticket_id,
        TicketEvent.kind == "reopened",
        TicketEvent.at >= solved.at,
        TicketEvent.at <= solved.at + quiet,
    )


def came_back(solved: Any, quiet: timedelta) -> ColumnElement[bool]:
    """Whether the same trouble was reported again within the quiet time."""
    first, again, follow_up = aliased(Ticket), aliased(Ticket), aliased(Ticket)
    alike = exists().where(
        first.tenant_id == solved.tenant_id,
        first.id == solved.ticket_id,
        again.tenant_id == first.tenant_id,
        again.asset_id == first.asset_id,
        again.category_id.is_not_distinct_from(first.category_id),
        again.id != first.id,
        again.opened_at > solved.at,
        again.opened_at <= solved.at + quiet,
    )
    followed = exists().where(
        follow_up.tenant_id == solved.tenant_id,
        follow_up.follows_id == solved.ticket_id,
        follow_up.opened_at > solved.at,
        follow_up.opened_at <= solved.at + quiet,
    )
    return or_(alike, followed)
