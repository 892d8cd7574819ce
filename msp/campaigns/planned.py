"""Lanes as planned maintenance: the contract's clocks are told in which windows machines are worked on."""

from sqlalchemy import select

from contracts.timers.maintenance import LONGEST, Work, record_maintenance
from msp.campaigns.events import LaneStarted
from msp.campaigns.models import Action, WaveLane
from msp.campaigns.rooms import NO_LIMIT, spans_of
from tenants.foundation.db import db


def record_lane(event: LaneStarted) -> None:
    """Within the transaction that opens a lane: its windows up to the deadline are planned maintenance.

    A client that agreed on no windows has none of which it could be said that work was planned in them.
    """
    lane = db.session.get_one(WaveLane, (event.tenant_id, event.lane_id))
    assets = None
    for begin, end in spans_of(lane):
        if begin >= event.until or end <= event.at or end - begin > NO_LIMIT:
            continue
        assets = _assets(lane) if assets is None else assets
        begins = max(begin, event.at)
        work = Work(
            title=lane.title,
            from_at=begins,
            to_at=min(end, begins + LONGEST),
            source="campaign",
            source_key=f"{lane.public_id}:{begin:%Y%m%d%H%M}",
            asset_ids=assets,
        )
        record_maintenance(lane.tenant_id, work, by=event.by, at=event.at)


def _assets(lane: WaveLane) -> list[int]:
    mine = select(Action.asset_id).where(Action.tenant_id == lane.tenant_id, Action.lane_id == lane.id)
    return list(db.session.scalars(mine))
