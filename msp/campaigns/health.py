"""What speaks against a wave though nobody reported a failure: machines that restart again and again, new tickets."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from msp.campaigns import moves
from msp.campaigns.models import Action, WaveLane
from msp.campaigns.rules import ACTIVE_LANES
from tenants.assets.models import Asset
from tenants.foundation.db import among, db
from tenants.tickets.models import Ticket

MOST_BOOTS = 2
URGENT = ("P1", "P2")


def list_vetoes(lane_ids: Collection[int]) -> dict[int, list[str]]:
    """Why lanes must not pass: `boot loop`, `new tickets`; in two statements for any number of lanes."""
    found: dict[int, list[str]] = defaultdict(list)
    if not lane_ids:
        return found
    for lane_id in _lanes_with(lane_ids, Action.boots > MOST_BOOTS):
        found[lane_id].append("boot loop")
    for lane_id in db.session.scalars(_with_new_tickets(lane_ids)):
        found[lane_id].append("new tickets")
    return found


def _lanes_with(lane_ids: Collection[int], condition: Any) -> Iterable[int]:
    asked = select(Action.lane_id).where(among(Action.lane_id, lane_ids), condition)
    return db.session.scalars(asked.group_by(Action.lane_id))


def _with_new_tickets(lane_ids: Collection[int]) -> Any:
    """Lanes in which an asset has an urgent ticket that people opened after its installation had begun."""
    begun = func.coalesce(Action.started_at, Action.retrieved_at)
    return (
        select(Action.lane_id)
        .join(
            Ticket,
            and_(
                Ticket.tenant_id == Action.tenant_id,
                Ticket.asset_id == Action.asset_id,
                Ticket.opened_at > begun,
            ),
        )
        .where(
            among(Action.lane_id, lane_ids),
            Ticket.priority.in_(URGENT),
            Ticket.state != "cancelled",
            or_(Ticket.request_key.is_(None), Ticket.request_key.not_like("campaign:%")),
        )
        .group_by(Action.lane_id)
    )


def count_silent(
    campaign_id: int, lanes: Iterable[WaveLane], silent_seconds: int, at: datetime
) -> dict[int, int]:
    """Successes that were not heard of, by lane: lately, in an open lane; never since, in a passed one."""
    long_ago = at - timedelta(seconds=silent_seconds)
    found: dict[int, int] = {}
    lately, since = Asset.last_seen_at >= long_ago, Asset.last_seen_at > Action.closed_at
    for states, heard in ((ACTIVE_LANES, lately), ({"passed"}, since)):
        ids = [lane.id for lane in lanes if lane.state in states and not lane.is_waived]
        alive = select(Asset.id).where(
            Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id, heard
        )
        if ids:
            found |= moves.count_silent(campaign_id, ids, long_ago, alive.correlate(Action))
    return found
