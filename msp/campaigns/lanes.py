"""Lanes as a tick reads and writes them: hundreds at each look, of which few have changed."""

import json
from functools import cache
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import defer
from sqlalchemy.orm.attributes import set_committed_value

from msp.campaigns.models import WaveLane
from msp.campaigns.rules import TERMINAL_LANES
from tenants.foundation.db import db


def list_lanes_to_judge(campaign_id: int) -> list[WaveLane]:
    """Lanes of the tenants in scope, wave by wave; of those that have ended the room and the times are left out.

    Most lanes of a campaign have the same: each text is read once, and shared, so nobody may change it in place.
    """
    mine = WaveLane.campaign_id == campaign_id
    asked = select(WaveLane).where(mine).options(defer(WaveLane.room), defer(WaveLane.timing))
    lanes = list(db.session.scalars(asked.order_by(WaveLane.ordinal, WaveLane.tenant_id)))
    texts = select(WaveLane.id, cast(WaveLane.room, Text), cast(WaveLane.timing, Text))
    known = {lane.id: lane for lane in lanes}
    read = cache(json.loads)
    for lane_id, room, timing in db.session.execute(
        texts.where(mine, WaveLane.state.not_in(sorted(TERMINAL_LANES)))
    ):
        set_committed_value(known[lane_id], "room", read(room))
        set_committed_value(known[lane_id], "timing", read(timing))
    return lanes


def change(lane: WaveLane, **values: Any) -> None:
    """Write what differs: a lane that was only looked at is no row to be saved."""
    for name, value in values.items():
        if getattr(lane, name) != value:
            setattr(lane, name, value)
