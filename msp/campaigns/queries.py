"""Finding campaigns and what belongs to them. Rows of tenants outside the scope are not there."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select, tuple_

from msp.campaigns.gates import ASIDE, BAD, GONE, OK, Counts
from msp.campaigns.models import (
    Action,
    ActionEvent,
    Campaign,
    CampaignMember,
    CampaignTenant,
    Decision,
    Wave,
    WaveLane,
)
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import narrowed


def find_campaign(public_id: str) -> Campaign:
    """The campaign with this public id. Raises NotFound."""
    found = db.session.scalar(select(Campaign).where(Campaign.public_id == _uuid(public_id), _visible()))
    if found is None:
        raise NotFound
    return found


def _visible() -> Any:
    """Campaigns in which a client in scope takes part, and drafts, which have no clients yet."""
    return or_(Campaign.tenant_ids.overlap(sorted(narrowed())), func.cardinality(Campaign.tenant_ids) == 0)


def find_campaign_by_id(campaign_id: int) -> Campaign:
    """The campaign of a row id that the server itself knows. Raises NotFound."""
    found = db.session.scalar(select(Campaign).where(Campaign.id == campaign_id))
    if found is None:
        raise NotFound
    return found


def _uuid(public_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong


def list_campaigns(
    *, state: str | None = None, q: str = "", before: int | None = None, limit: int = 25
) -> list[Campaign]:
    """Those that concern the scope, newest first, one more than `limit`."""
    page = select(Campaign).where(_visible()).order_by(Campaign.id.desc()).limit(limit + 1)
    if state:
        page = page.where(Campaign.state == state)
    if q:
        page = page.where(Campaign.title.icontains(q, autoescape=True))
    if before is not None:
        page = page.where(Campaign.id < before)
    return list(db.session.scalars(page))


def list_campaigns_of_release(release_id: int, limit: int = 50) -> list[Campaign]:
    """The campaigns of a release that concern the scope, newest first."""
    found = select(Campaign).where(Campaign.release_id == release_id, _visible())
    return list(db.session.scalars(found.order_by(Campaign.id.desc()).limit(limit)))


def list_waves(campaign_id: int) -> list[Wave]:
    """Waves in their order."""
    asked = select(Wave).where(Wave.campaign_id == campaign_id).order_by(Wave.ordinal)
    return list(db.session.scalars(asked))


def list_consents(campaign_id: int) -> dict[int, str]:
    """What the tenants in scope say to the campaign now."""
    asked = select(CampaignTenant.tenant_id, CampaignTenant.consent)
    rows = db.session.execute(asked.where(CampaignTenant.campaign_id == campaign_id))
    return {row.tenant_id: row.consent for row in rows}


def list_parts(campaign_id: int) -> list[CampaignTenant]:
    """The parts of the tenants in scope: who consented, and who did not."""
    asked = select(CampaignTenant).where(CampaignTenant.campaign_id == campaign_id)
    return list(db.session.scalars(asked.order_by(CampaignTenant.tenant_id)))


def list_lanes(campaign_id: int) -> list[WaveLane]:
    """Lanes of the tenants in scope, wave by wave."""
    asked = select(WaveLane).where(WaveLane.campaign_id == campaign_id)
    return list(db.session.scalars(asked.order_by(WaveLane.ordinal, WaveLane.tenant_id)))


def find_lane(public_id: str) -> WaveLane:
    """A lane by its public id. Raises NotFound."""
    found = db.session.scalar(select(WaveLane).where(WaveLane.public_id == _uuid(public_id)))
    if found is None:
        raise NotFound
    return found


@dataclass(slots=True)
class Tally:
    """A lane's actions by their end, and when the last good one came."""

    ok: int = 0
    bad: int = 0
    gone: int = 0
    aside: int = 0
    open: int = 0
    not_started: int = 0
    # Of those not started: eligible or offered.
    within_reach: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    last_ok_at: Any = None

    def counts(self, *, members: int, silent: int = 0) -> Counts:
        """As the gate wants them."""
        return Counts(
            members, self.ok, self.bad, self.gone, self.aside, self.open, silent, dict(self.reasons)
        )

    def add(self, phase: str, outcome: str | None, reason: str | None, count: int, last: Any) -> None:
        """Put one group of the query where it belongs."""
        if outcome in OK:
            self.ok += count
            self.last_ok_at = max(filter(None, (self.last_ok_at, last)), default=None)
        elif outcome in BAD:
            self.bad += count
            self.reasons[reason or outcome or ""] = self.reasons.get(reason or outcome or "", 0) + count
        elif outcome in GONE:
            self.gone += count
        elif outcome in ASIDE:
            self.aside += count
        else:
            self.open += count
            self.not_started += count if phase in ("planned", "eligible", "offered") else 0
            self.within_reach += count if phase in ("eligible", "offered") else 0


def count_actions(campaign_id: int) -> dict[int, Tally]:
    """Tallies by lane of a campaign, from one grouped query over the actions in scope."""
    return tally_by(Action.lane_id, Action.campaign_id == campaign_id)


def tally_by(column: Any, *conditions: Any) -> dict[int, Tally]:
    """Tallies of the actions that count and fulfil the conditions, by the values of a column."""
    kinds = (column, Action.phase, Action.outcome, Action.reason_code)
    grouped = select(*kinds, func.count(), func.max(Action.closed_at)).where(*conditions, Action.is_last)
    tallies: dict[int, Tally] = defaultdict(Tally)
    for key, phase, outcome, reason, count, last in db.session.execute(grouped.group_by(*kinds)):
        tallies[key].add(phase, outcome, reason, count, last)
    return tallies


def count_members(campaign_id: int) -> dict[int, int]:
    """How many assets each tenant in scope takes part with."""
    grouped = (
        select(CampaignMember.tenant_id, func.count().label("members"))
        .where(CampaignMember.campaign_id == campaign_id)
        .group_by(CampaignMember.tenant_id)
    )
    return {row.tenant_id: row.members for row in db.session.execute(grouped)}


def list_actions(
    campaign_id: int,
    *,
    lane_id: int | None = None,
    outcome: str | None = None,
    after: Sequence[int] | None = None,
    limit: int = 25,
) -> list[Action]:
    """The action that counts of each asset, by id, one more than `limit`; `outcome` may also name a phase."""
    page = select(Action).where(Action.campaign_id == campaign_id, Action.is_last)
    page = page.order_by(Action.id).limit(limit + 1)
    if lane_id is not None:
        page = page.where(Action.lane_id == lane_id)
    if outcome:
        page = page.where(or_(Action.outcome == outcome, Action.phase == outcome))
    if after:
        page = page.where(Action.id > after[0])
    return list(db.session.scalars(page))


def list_attempts(action: Action) -> list[Action]:
    """Every attempt at the action's asset in its campaign, the first one first."""
    asked = select(Action).where(
        Action.tenant_id == action.tenant_id,
        Action.campaign_id == action.campaign_id,
        Action.asset_id == action.asset_id,
    )
    return list(db.session.scalars(asked.order_by(Action.attempt)))


def count_retried(campaign_id: int) -> dict[int, int]:
    """How many assets are at a second or later attempt, by lane."""
    grouped = select(Action.lane_id, func.count()).where(
        Action.campaign_id == campaign_id, Action.is_last, Action.attempt > 1
    )
    return {row[0]: row[1] for row in db.session.execute(grouped.group_by(Action.lane_id))}


def count_to_retry(campaign_id: int) -> int:
    """How many assets a retry by hand would take up: those that ended badly in lanes that are not over."""
    lanes = select(WaveLane.id).where(
        WaveLane.campaign_id == campaign_id,
        WaveLane.opened_at.is_not(None),
        WaveLane.state.not_in(("passed", "skipped")),
    )
    bad = select(func.count()).where(
        Action.campaign_id == campaign_id,
        Action.is_last,
        Action.lane_id.in_(lanes),
        Action.outcome.in_((*BAD, *GONE, "cancelled")),
    )
    return db.session.scalar(bad) or 0


def find_action(campaign_id: int, action_id: int) -> Action:
    """One action of a campaign. Raises NotFound."""
    asked = select(Action).where(Action.campaign_id == campaign_id, Action.id == action_id)
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_events(*attempts: Action, limit: int = 200) -> list[ActionEvent]:
    """What was reported about an action, or about all attempts at one asset, oldest first."""
    asked = select(ActionEvent).where(
        ActionEvent.tenant_id == attempts[0].tenant_id,
        ActionEvent.action_id.in_([one.id for one in attempts]),
    )
    return list(db.session.scalars(asked.order_by(ActionEvent.id).limit(limit)))


def list_decisions(campaign_id: int, *, before: int | None = None, limit: int = 25) -> list[Decision]:
    """Decisions newest first, one more than `limit`: about the whole campaign, or about tenants in scope."""
    mine = or_(Decision.tenant_id.is_(None), Decision.tenant_id.in_(sorted(narrowed())))
    page = select(Decision).where(Decision.campaign_id == campaign_id, mine).order_by(Decision.id.desc())
    if before is not None:
        page = page.where(Decision.id < before)
    return list(db.session.scalars(page.limit(limit + 1)))


def list_member_assets(campaign_id: int, limit: int = 25) -> list[CampaignMember]:
    """The first members of a draft, in the order in which they were added."""
    asked = select(CampaignMember).where(CampaignMember.campaign_id == campaign_id)
    return list(db.session.scalars(asked.order_by(CampaignMember.id).limit(limit)))


def names_of_assets(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Asset]:
    """Assets by tenant and id: the second select of lists that show them."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    found = db.session.scalars(select(Asset).where(tuple_(Asset.tenant_id, Asset.id).in_(wanted)))
    return {(asset.tenant_id, asset.id): asset for asset in found}


def list_tenants_lanes(tenant_id: int, campaign_ids: Iterable[int]) -> dict[int, list[WaveLane]]:
    """One client's lanes of several campaigns, by campaign, wave by wave."""
    asked = select(WaveLane).where(
        WaveLane.tenant_id == tenant_id, WaveLane.campaign_id.in_(sorted(set(campaign_ids)))
    )
    found: dict[int, list[WaveLane]] = defaultdict(list)
    for lane in db.session.scalars(asked.order_by(WaveLane.ordinal)):
        found[lane.campaign_id].append(lane)
    return found
