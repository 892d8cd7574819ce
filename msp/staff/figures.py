"""What somebody resolved, and what of it stayed resolved.

Resolved: the tickets that this person set to resolved within the period, each once, by the last time.
Reopened: of these, those that were reopened within N days after that.
Came back: of these, those after which the same requester opened another ticket on the same asset (and in the same
category, where tickets have one) within N days.
Stayed resolved: resolved, less those that were reopened or came back. The share is told from ten resolved tickets on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, select
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
    solved = _solved(user_ids, begin, end).subquery()
    reopened = exists().where(
        TicketEvent.tenant_id == solved.c.tenant_id,
        TicketEvent.ticket_id == solved.c.ticket_id,
        TicketEvent.kind == "reopened",
        TicketEvent.at >= solved.c.at,
        TicketEvent.at <= solved.c.at + quiet,
    )
    back = _came_back(solved, quiet)
    counted = select(
        solved.c.user_id,
        func.count(),
        func.count().filter(reopened),
        func.count().filter(and_(~reopened, back)),
    ).group_by(solved.c.user_id)
    found = {row[0]: Figures(row[1], row[2], row[3]) for row in db.session.execute(counted)}
    return {one: found.get(one, Figures(0, 0, 0)) for one in user_ids}


def _solved(user_ids: Sequence[int], begin: datetime, end: datetime) -> Any:
    return (
        select(
            TicketEvent.tenant_id,
            TicketEvent.ticket_id,
            TicketEvent.actor_user_id.label("user_id"),
            func.max(TicketEvent.at).label("at"),
        )
        .where(
            TicketEvent.kind == "resolved",
            TicketEvent.actor_user_id.in_(user_ids),
            TicketEvent.at >= begin,
            TicketEvent.at < end,
        )
        .group_by(TicketEvent.tenant_id, TicketEvent.ticket_id, TicketEvent.actor_user_id)
    )


def _came_back(solved: Any, quiet: timedelta) -> Any:
    """Whether the same trouble was reported again; a ticket without an asset or an account is like no other."""
    first, again = aliased(Ticket), aliased(Ticket)
    alike = [
        again.tenant_id == first.tenant_id,
        again.asset_id == first.asset_id,
        again.requester_user_id == first.requester_user_id,
        again.id != first.id,
        again.opened_at > solved.c.at,
        again.opened_at <= solved.c.at + quiet,
    ]
    category = getattr(first, "category_id", None)
    if category is not None:
        alike.append(getattr(again, "category_id").is_not_distinct_from(category))  # noqa: B009
    return exists().where(first.tenant_id == solved.c.tenant_id, first.id == solved.c.ticket_id, *alike)
