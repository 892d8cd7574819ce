"""New attempts after those that ended: a retry, a machine that was out of reach; and what a newer campaign replaces.

One statement each, for any number of assets. The attempt before keeps its outcome; only the last one counts.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Interval,
    and_,
    cast,
    exists,
    func,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from msp.campaigns.gates import BAD, GONE
from msp.campaigns.models import Action, Campaign, CampaignMember, WaveLane
from msp.campaigns.moves import by_lane_id, close_actions
from msp.campaigns.writes import write
from tenants.foundation.db import among
from tenants.foundation.scope import narrowed

# Faults of the way or of the moment, not of the release; what the portal itself shed is among them.
RETRIED = ("download", "busy", "no_space", "held", "throttled")
MOST_ATTEMPTS = 4
FIRST_WAIT_MINUTES = 5


def retry_failed(campaign_id: int, deadlines: Mapping[int, datetime], at: datetime) -> int:
    """Let machines that failed for a passing reason try again, later each time; returns how many.

    `deadlines`: by when they have to begin, by lane; other lanes are left alone.
    """
    if not deadlines:
        return 0
    passing = and_(
        _ended(campaign_id, deadlines, "failed"),
        Action.reason_code.in_(RETRIED),
        Action.attempt < MOST_ATTEMPTS,
    )
    minutes = cast(FIRST_WAIT_MINUTES * func.power(3, Action.attempt - 1), Integer)
    wait = type_coerce(func.make_interval(0, 0, 0, 0, 0, minutes), Interval)
    not_before = cast(literal(at), Action.closed_at.type) + wait
    return _again(passing, Action.lane_id, not_before=not_before, deadline=by_lane_id(deadlines))


def retry_by_hand(
    campaign_id: int,
    deadlines: Mapping[int, datetime],
    at: datetime,
    *,
    chosen: Collection[int] | None = None,
) -> int:
    """Let every machine of these lanes that ended badly try once more, or the chosen actions; returns how many."""
    bad = _ended(campaign_id, deadlines, *BAD, *GONE, "cancelled")
    if chosen is not None:
        bad = and_(bad, among(Action.id, chosen))
    return _again(bad, Action.lane_id, not_before=literal(at), deadline=by_lane_id(deadlines))


def catch_up(
    campaign_id: int, passed: Collection[int], lane: WaveLane, at: datetime, deadline: datetime
) -> int:
    """Move machines that were out of reach in passed lanes into the client's catch-up lane; returns how many."""
    condition = _ended(campaign_id, passed, "unreachable") & (Action.tenant_id == lane.tenant_id)
    return _again(condition, cast(lane.id, BigInteger), not_before=literal(at), deadline=literal(deadline))


def has_unreachable(campaign_id: int, passed: Collection[int]) -> Any:
    """The tenants with machines out of reach in passed lanes."""
    return (
        select(Action.tenant_id).where(_ended(campaign_id, passed, "unreachable")).group_by(Action.tenant_id)
    )


def _ended(campaign_id: int, lane_ids: Collection[int], *outcomes: str) -> Any:
    return and_(
        Action.campaign_id == campaign_id,
        among(Action.tenant_id, narrowed()),
        among(Action.lane_id, lane_ids),
        Action.is_last,
        Action.outcome.in_(outcomes),
    )


def _again(condition: Any, lane_id: Any, *, not_before: Any, deadline: Any) -> int:
    ended = (
        update(Action)
        .where(condition)
        .values(is_last=False, rev=Action.rev + 1)
        .returning(
            Action.tenant_id,
            Action.asset_id,
            Action.campaign_id,
            Action.release_id,
            Action.attempt,
            Action.version_before,
            lane_id.label("lane"),
            not_before.label("again_at"),
            deadline.label("until"),
        )
        .cte("ended")
    )
    rows = select(
        ended.c.tenant_id,
        ended.c.asset_id,
        ended.c.campaign_id,
        ended.c.lane,
        ended.c.release_id,
        ended.c.attempt + 1,
        literal("eligible"),
        ended.c.again_at,
        ended.c.until,
        ended.c.version_before,
        literal(True),
        *(literal(0) for _ in range(5)),
        *(literal(False) for _ in range(5)),
    )
    columns = ["tenant_id", "asset_id", "campaign_id", "lane_id", "release_id", "attempt", "phase"]
    columns += ["not_before", "deadline_at", "version_before", "is_last"]
    columns += ["offers", "deferrals", "event_count", "rev", "boots"]
    columns += ["is_ambiguous", "has_late_failure", "cannot_stop", "reboot_pending", "rolled_back"]
    return write(insert(Action).from_select(columns, rows, include_defaults=False))


def supersede_older(campaign: Campaign, release_name: str, at: datetime) -> int:
    """End what older campaigns still planned of the same release on this one's machines; returns how many.

    What is offered or under way is left to end by itself: a machine never has two actions.
    """
    mine = exists().where(
        CampaignMember.campaign_id == campaign.id,
        CampaignMember.tenant_id == Action.tenant_id,
        CampaignMember.asset_id == Action.asset_id,
    )
    named = exists().where(
        WaveLane.tenant_id == Action.tenant_id,
        WaveLane.id == Action.lane_id,
        WaveLane.release_name == release_name,
    )
    older = and_(
        among(Action.tenant_id, narrowed()),
        Action.campaign_id != campaign.id,
        Action.phase.in_(("planned", "eligible")),
        mine.correlate(Action),
        named.correlate(Action),
    )
    return close_actions(older, literal("superseded"), "newer campaign", at)
