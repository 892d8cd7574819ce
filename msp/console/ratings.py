"""What requesters say of our solutions: per client and in their own words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, tuple_

from msp.console.blueprint import bp
from msp.web import navigation
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.db import among, db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_tenant_names
from tenants.tickets.models import Ticket
from tenants.tickets.ratings import Rating

DAYS = 90
# Of fewer answers a percentage would say more than is known.
ENOUGH = 5
PLACE = navigation.Place(
    _l("Satisfaction"), "console.show_ratings", "emoji-smile", Permission.VIEW_RATINGS, staff=True, order=62
)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """One client's answers of a period."""

    tenant_id: int
    good: int
    bad: int
    resolved: int

    @property
    def given(self) -> int:
        """How many answered."""
        return self.good + self.bad

    @property
    def percent(self) -> int | None:
        """Satisfied of those who answered; None for too few."""
        return round(100 * self.good / self.given) if self.given >= ENOUGH else None


@bp.get("/ratings")
@require(Permission.VIEW_RATINGS)
def show_ratings() -> Any:
    """The last 90 days by client, and the newest answers."""
    after, limit = asked(datetime, int)
    since = time.now() - timedelta(days=DAYS)
    found = select(Rating).where(Rating.given_at >= since)
    if after is not None:
        found = found.where(tuple_(Rating.given_at, Rating.id) < tuple_(*after))
    rows = db.session.scalars(found.order_by(Rating.given_at.desc(), Rating.id.desc()).limit(limit + 1)).all()
    page = cut(rows, limit, lambda one: (one.given_at, one.id))
    rated = among(Ticket.id, [one.ticket_id for one in page.items])
    tickets = db.session.scalars(select(Ticket).where(rated)) if page.items else ()
    return render_template(
        "console/show_ratings.html",
        page=page,
        tickets={(one.tenant_id, one.id): one for one in tickets},
        clients=_by_client(since),
        tenants={one.id: one for one in list_tenant_names()},
        days=DAYS,
        enough=ENOUGH,
    )


def _by_client(since: datetime) -> list[Satisfaction]:
    given = dict.fromkeys(("good", "bad"), 0)
    counted: dict[int, dict[str, int]] = {}
    answers = select(Rating.tenant_id, Rating.score, func.count()).where(Rating.given_at >= since)
    for tenant_id, score, count in db.session.execute(answers.group_by(Rating.tenant_id, Rating.score)):
        counted.setdefault(tenant_id, dict(given))[score] = count
    resolved = _resolved(sorted(counted), since)
    rows = [Satisfaction(one, **counted[one], resolved=resolved.get(one, 0)) for one in counted]
    return sorted(rows, key=lambda one: (one.percent is None, one.percent or 0, -one.given))


def _resolved(tenant_ids: list[int], since: datetime) -> dict[int, int]:
    """Tickets opened since and resolved, of the clients that answered."""
    if not tenant_ids:
        return {}
    found = select(Ticket.tenant_id, func.count()).where(
        Ticket.tenant_id.in_(tenant_ids), Ticket.opened_at >= since, Ticket.resolved_at.is_not(None)
    )
    return {row[0]: row[1] for row in db.session.execute(found.group_by(Ticket.tenant_id))}
