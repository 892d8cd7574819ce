"""A client's parts in campaigns: what waits for its word, what is on its way, and which machine is in which wave."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, tuple_

from msp.campaigns.models import Action, CampaignMember, CampaignTenant, WaveLane
from msp.campaigns.queries import Tally, tally_by
from tenants.foundation.db import db

MOST_WAITING = 50


def waits_for_word(part: CampaignTenant, at: datetime) -> bool:
    """Whether the client is asked to decide: it has not, or the day has come until which it put that off."""
    if part.asked_at is None or part.ended_at is not None:
        return False
    put_off = part.consent == "postponed" and part.postponed_until is not None and part.postponed_until <= at
    return part.consent == "asked" or put_off


def _waiting(tenant_id: int, at: datetime) -> Any:
    open_ = or_(
        CampaignTenant.consent == "asked",
        and_(CampaignTenant.consent == "postponed", CampaignTenant.postponed_until <= at),
    )
    return and_(_told(tenant_id), CampaignTenant.ended_at.is_(None), open_)


def _told(tenant_id: int) -> Any:
    return and_(CampaignTenant.tenant_id == tenant_id, CampaignTenant.asked_at.is_not(None))


def list_waiting_parts(tenant_id: int, at: datetime) -> list[CampaignTenant]:
    """What waits for the client's word, the longest first; at most 50."""
    asked = select(CampaignTenant).where(_waiting(tenant_id, at))
    return list(
        db.session.scalars(asked.order_by(CampaignTenant.asked_at, CampaignTenant.id).limit(MOST_WAITING))
    )


def count_waiting_parts(tenant_id: int, at: datetime) -> int:
    """How many decisions wait for the client."""
    return (
        db.session.scalar(select(func.count()).select_from(CampaignTenant).where(_waiting(tenant_id, at)))
        or 0
    )


def list_tenant_parts(
    tenant_id: int, *, before: Sequence[Any] | None = None, limit: int = 25
) -> list[CampaignTenant]:
    """Everything that a client was told of, newest first, one more than `limit`."""
    page = select(CampaignTenant).where(_told(tenant_id))
    if before is not None:
        page = page.where(tuple_(CampaignTenant.asked_at, CampaignTenant.id) < tuple_(*before))
    page = page.order_by(CampaignTenant.asked_at.desc(), CampaignTenant.id.desc())
    return list(db.session.scalars(page.limit(limit + 1)))


def count_parts(tenant_id: int, campaign_ids: Collection[int]) -> dict[int, Tally]:
    """Tallies of one client's machines by campaign."""
    mine = Action.campaign_id.in_(sorted(campaign_ids))
    return tally_by(Action.campaign_id, Action.tenant_id == tenant_id, mine)


def find_part_of(lane: WaveLane) -> CampaignTenant:
    """The client's part in the campaign of a lane."""
    mine = select(CampaignTenant).where(
        CampaignTenant.tenant_id == lane.tenant_id, CampaignTenant.campaign_id == lane.campaign_id
    )
    return db.session.scalars(mine).one()


def list_part_lanes(part: CampaignTenant) -> list[WaveLane]:
    """The client's lanes of a campaign, wave by wave."""
    mine = select(WaveLane).where(
        WaveLane.tenant_id == part.tenant_id, WaveLane.campaign_id == part.campaign_id
    )
    return list(db.session.scalars(mine.order_by(WaveLane.ordinal)))


@dataclass(frozen=True, slots=True)
class Machine:
    """An asset in its wave, and what has come of it: every attempt, the one that counts last."""

    asset_id: int
    wave: int
    attempts: tuple[Action, ...] = ()

    @property
    def last(self) -> Action | None:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else None


def list_machines(
    part: CampaignTenant, *, after: Sequence[int] | None = None, limit: int = 25
) -> list[Machine]:
    """The client's machines wave by wave, one more than `limit`; `after`: wave and asset of the last one."""
    page = select(CampaignMember.wave, CampaignMember.asset_id).where(
        CampaignMember.tenant_id == part.tenant_id,
        CampaignMember.campaign_id == part.campaign_id,
        CampaignMember.wave.is_not(None),
    )
    if after is not None:
        page = page.where(tuple_(CampaignMember.wave, CampaignMember.asset_id) > tuple_(*after))
    page = page.order_by(CampaignMember.wave, CampaignMember.asset_id).limit(limit + 1)
    rows = db.session.execute(page).all()
    attempts = _attempts(part, [row.asset_id for row in rows])
    return [Machine(row.asset_id, row.wave, tuple(attempts[row.asset_id])) for row in rows]


def _attempts(part: CampaignTenant, asset_ids: Collection[int]) -> dict[int, list[Action]]:
    asked = select(Action).where(
        Action.tenant_id == part.tenant_id,
        Action.campaign_id == part.campaign_id,
        Action.asset_id.in_(sorted(asset_ids)),
    )
    found: dict[int, list[Action]] = defaultdict(list)
    for action in db.session.scalars(asked.order_by(Action.attempt)):
        found[action.asset_id].append(action)
    return found
