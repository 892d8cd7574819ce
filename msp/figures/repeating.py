"""What one client asks for again and again: tickets by client and category, beside how many people there are."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, and_, cast, func, select

from msp.staff.figures import ENOUGH
from msp.web.periods import Period
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Repeated:
    """How often one client asked about one category within a period.

    `requesters` are the different people who asked, `heads` the client's active people now, `earlier` the tickets of
    the period of the same length right before.
    """

    tenant_id: int
    category_id: int
    tickets: int
    requesters: int
    heads: int
    earlier: int

    @property
    def per_head(self) -> float | None:
        """Tickets for each of the client's people; None for too few tickets, or where nobody has an account."""
        return self.tickets / self.heads if self.tickets >= ENOUGH and self.heads else None


def list_repeated(period: Period, *, least: int) -> list[Repeated]:
    """Clients and categories with at least so many tickets opened in the period, most first: two statements."""
    now = and_(Ticket.opened_at >= period.begin, Ticket.opened_at < period.end)
    before = period.begin - (period.end - period.begin)
    counted = (
        select(
            Ticket.tenant_id,
            Ticket.category_id,
            func.count().filter(now),
            func.count(_requester().distinct()).filter(now),
            func.count().filter(~now),
        )
        .where(Ticket.category_id.is_not(None), Ticket.opened_at >= before, Ticket.opened_at < period.end)
        .group_by(Ticket.tenant_id, Ticket.category_id)
        .having(func.count().filter(now) >= least)
    )
    if period.tenant_id is not None:
        counted = counted.where(Ticket.tenant_id == period.tenant_id)
    rows = db.session.execute(counted).all()
    heads = _count_heads({row[0] for row in rows})
    found = [Repeated(row[0], row[1] or 0, row[2], row[3], heads.get(row[0], 0), row[4]) for row in rows]
    return sorted(found, key=lambda one: (-one.tickets, one.tenant_id, one.category_id))


def _requester() -> Any:
    """Who asked: the account, else the address, else the name that was written down."""
    account = cast(Ticket.requester_user_id, String)
    return func.coalesce(account, func.lower(Ticket.requester_email), func.lower(Ticket.requester_name))


def _count_heads(tenant_ids: Collection[int]) -> dict[int, int]:
    if not tenant_ids:
        return {}
    counted = (
        select(Membership.tenant_id, func.count())
        .where(Membership.tenant_id.in_(sorted(tenant_ids)), Membership.state == "active")
        .group_by(Membership.tenant_id)
    )
    return {row[0]: row[1] for row in db.session.execute(counted)}
