"""How many tickets of each category were opened in each of the last twelve months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from msp.staff.figures import ENOUGH
from tenants.foundation.db import db
from tenants.tickets.categories import Place, Tree
from tenants.tickets.models import Ticket

MONTHS = 12
COMPARED = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """A category with all below it, or what has no category (`place` None): tickets opened by month, the present one,
    which is not over, last."""

    place: Place | None
    # Only what stands at the category itself, without what is below: a line of its own when one looks closer.
    is_own: bool
    counts: tuple[int, ...]

    @property
    def latest(self) -> int:
        """Tickets of the last three whole months."""
        return sum(self.counts[-1 - COMPARED : -1])

    @property
    def before(self) -> int:
        """Tickets of the three months before those."""
        return sum(self.counts[-1 - 2 * COMPARED : -1 - COMPARED])

    @property
    def change(self) -> float | None:
        """By what part of the earlier months it rose (or fell, below 0); None for too few to tell."""
        return (self.latest - self.before) / self.before if self.before >= ENOUGH else None

    @property
    def total(self) -> int:
        """Tickets of all twelve months."""
        return sum(self.counts)


def months_until(on: date) -> list[date]:
    """The first days of the twelve months that end with this day's."""
    last = on.year * 12 + on.month - 1
    return [date(one // 12, one % 12 + 1, 1) for one in range(last - MONTHS + 1, last + 1)]


def list_trends(
    tree: Tree, months: Sequence[date], zone: str, *, tenant_id: int | None, under: Place | None
) -> list[Trend]:
    """The top categories, or those right below one, most tickets first; without those that nobody asked about."""
    counted = _count(months, zone, tenant_id)
    parent = under.category.id if under else None
    lines = [
        Trend(one, False, _sum(counted, tree.below(one.category.id), len(months)))
        for one in tree.places
        if one.category.parent_id == parent
    ]
    if under is None:
        lines.append(Trend(None, True, _sum(counted, [None], len(months))))
    else:
        lines.append(Trend(under, True, _sum(counted, [under.category.id], len(months))))
    return sorted((one for one in lines if one.total), key=lambda one: -one.total)


def _count(months: Sequence[date], zone: str, tenant_id: int | None) -> dict[int | None, dict[int, int]]:
    """By category, the count of each month by its place: one statement."""
    begin = datetime.combine(months[0], datetime.min.time(), ZoneInfo(zone))
    opened = select(
        Ticket.category_id,
        func.to_char(func.timezone(zone, Ticket.opened_at), "YYYY-MM").label("month"),
    ).where(Ticket.opened_at >= begin)
    if tenant_id is not None:
        opened = opened.where(Ticket.tenant_id == tenant_id)
    found = opened.subquery()
    counted = select(found.c.category_id, found.c.month, func.count()).group_by(
        found.c.category_id, found.c.month
    )
    places = {f"{one:%Y-%m}": place for place, one in enumerate(months)}
    result: dict[int | None, dict[int, int]] = {}
    for category_id, month, count in db.session.execute(counted):
        if month in places:
            result.setdefault(category_id, {})[places[month]] = count
    return result


def _sum(counted: dict[int | None, dict[int, int]], ids: Sequence[Any], months: int) -> tuple[int, ...]:
    return tuple(sum(counted.get(one, {}).get(place, 0) for one in ids) for place in range(months))
