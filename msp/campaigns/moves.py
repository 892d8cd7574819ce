"""Set-based moves of a campaign's actions: one statement for any number of assets, conditional on the phase they leave.

Every action that closes here gets its event in the same statement. All conditions name the campaign and the tenants in
scope themselves, because inserts and their sub-selects are outside the query guard.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    String,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from msp.campaigns import proofs
from msp.campaigns.gates import OK
from msp.campaigns.models import Action, ActionEvent, Campaign, CampaignMember, Release, WaveLane
from msp.campaigns.phases import AMENDABLE, EXPIRED, OPEN
from msp.campaigns.writes import write
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation.db import among, db
from tenants.foundation.scope import narrowed

_DIGEST = hashlib.sha256(b"portal").digest()


def _of(campaign_id: int, *phases: str) -> Any:
    return and_(
        Action.campaign_id == campaign_id, among(Action.tenant_id, narrowed()), Action.phase.in_(phases)
    )


def plan_actions(campaign: Campaign) -> None:
    """A planned action for each member, from the lanes that the approved plan made."""
    rows = (
        select(
            CampaignMember.tenant_id,
            CampaignMember.asset_id,
            CampaignMember.campaign_id,
            WaveLane.id,
            cast(campaign.release_id, BigInteger),
            literal(1),
            literal("planned"),
            literal(True),
            *(literal(0) for _ in range(5)),
            *(literal(False) for _ in range(5)),
        )
        .join(
            WaveLane,
            and_(
                WaveLane.tenant_id == CampaignMember.tenant_id,
                WaveLane.campaign_id == CampaignMember.campaign_id,
                WaveLane.ordinal == CampaignMember.wave,
            ),
        )
        .where(CampaignMember.campaign_id == campaign.id, among(CampaignMember.tenant_id, narrowed()))
        .order_by(CampaignMember.wave, CampaignMember.id)
    )
    columns = ["tenant_id", "asset_id", "campaign_id", "lane_id", "release_id", "attempt", "phase"]
    columns += ["is_last", "offers", "deferrals", "event_count", "rev", "boots"]
    columns += ["is_ambiguous", "has_late_failure", "cannot_stop", "reboot_pending", "rolled_back"]
    db.session.execute(
        insert(Action).from_select(columns, rows, include_defaults=False).on_conflict_do_nothing()
    )


def make_eligible(
    lane_ids: Sequence[int], campaign_id: int, at: datetime, deadlines: Mapping[int, datetime]
) -> dict[int, int]:
    """Let the lanes' assets be offered the release; those that are no longer active are skipped.

    Returns how many each lane has: the number that its gate counts with from now on.
    """
    mine = and_(_of(campaign_id, "planned"), among(Action.lane_id, lane_ids))
    active = _asset_where(Asset.state == "active")
    close_actions(and_(mine, ~active), literal("skipped"), "asset not active", at)
    moved = db.session.execute(
        update(Action)
        .where(mine)
        .values(phase="eligible", deadline_at=by_lane_id(deadlines), rev=Action.rev + 1)
        .returning(Action.lane_id)
        .execution_options(synchronize_session=False)
    ).scalars()
    counts: dict[int, int] = {}
    for lane_id in moved:
        counts[lane_id] = counts.get(lane_id, 0) + 1
    return counts


def by_lane_id(deadlines: Mapping[int, datetime]) -> Any:
    """The deadline of the action's lane, from few distinct moments."""
    lanes: dict[datetime, list[int]] = {}
    for lane_id, moment in deadlines.items():
        lanes.setdefault(moment, []).append(lane_id)
    whens = [(among(Action.lane_id, ids), literal(moment)) for moment, ids in lanes.items()]
    return case(*whens) if whens else null()


def hold(campaign_id: int, lane_ids: Collection[int]) -> None:
    """Take offers that nobody fetched back, and let no time run while the client keeps its lanes closed."""
    mine = and_(_of(campaign_id, "eligible", "offered"), among(Action.lane_id, lane_ids))
    write(
        update(Action)
        .where(mine, Action.retrieved_at.is_(None))
        .values(phase="eligible", offered_at=None, ready_at=None, deadline_at=None, rev=Action.rev + 1)
    )


def renew_deadlines(campaign_id: int, deadlines: Mapping[int, datetime]) -> None:
    """Give machines that were offered nothing their time anew."""
    mine = and_(_of(campaign_id, "eligible"), among(Action.lane_id, deadlines))
    write(update(Action).where(mine).values(deadline_at=by_lane_id(deadlines), rev=Action.rev + 1))


def skip_lanes(campaign_id: int, lane_ids: Collection[int], reason: str, at: datetime) -> int:
    """Close what has not begun in these lanes; returns how many."""
    unfetched = and_(_of(campaign_id, "planned", "eligible", "offered"), Action.retrieved_at.is_(None))
    return close_actions(and_(unfetched, among(Action.lane_id, lane_ids)), literal("skipped"), reason, at)


def _asset_where(*conditions: Any) -> Any:
    """Whether the action's own asset is so; said to be correlated, as SQLAlchemy does not by itself inside a CTE."""
    own = (Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id)
    return exists().where(*own, *conditions).correlate(Action)


def verify_reported(campaign_id: int, at: datetime) -> None:
    """Reported successes whose asset has since told what proves them. Nothing else makes a success.

    Versions are compared for equality by the database; whatever is higher than wanted is compared here.
    """
    reported = _of(campaign_id, "verifying")
    _close_verified(and_(reported, _shows_release()), at)
    kind = select(Release.kind).join(Campaign, Campaign.release_id == Release.id)
    if db.session.scalar(kind.where(Campaign.id == campaign_id)) != "deb":
        return
    proven = _proven_by_higher_versions(and_(reported, _shows_label(), _shows_reboot()))
    if proven:
        _close_verified(and_(reported, Action.id.in_(proven)), at)


def _close_verified(condition: Any, at: datetime) -> None:
    is_file = exists().where(Release.id == Action.release_id, Release.kind == "file").correlate(Action)
    is_pending = _asset_where(Asset.facts["reboot_required"].astext == "true")
    close_actions(
        condition,
        literal("success"),
        "verified",
        at,
        verified_at=at,
        reason_code=null(),
        reboot_pending=and_(~is_file, is_pending),
    )


def _shows_release() -> Any:
    """The asset's facts, newer than the action's start, prove the release; an inventory must not speak against it."""
    return and_(
        _shows_label(), _shows_reboot(), or_(~_asset_where(Asset.software_at > _begun()), _shows_packages())
    )


def _begun() -> Any:
    return func.coalesce(Action.started_at, Action.retrieved_at, Action.offered_at)


def _shows_label() -> Any:
    """The facts name the lane's release as the last one that was put in place."""
    label = (
        select(WaveLane.release_name + "/" + WaveLane.release_version)
        .where(WaveLane.tenant_id == Action.tenant_id, WaveLane.id == Action.lane_id)
        .correlate(Action)
        .scalar_subquery()
    )
    return _asset_where(Asset.installed_release == label, Asset.facts_at > _begun())


def _shows_reboot() -> Any:
    """The machine has booted since the start, if the release always wants that; see `proofs.has_rebooted`."""
    wants = exists().where(Release.id == Action.release_id, Release.spec["reboot"].astext == "always")
    return or_(~wants.correlate(Action), _asset_where(Asset.boot_id != Action.boot_id_before))


def _shows_packages() -> Any:
    """Every package that the release names is installed at just its version; true where it names none."""
    wanted = (
        func.jsonb_array_elements(Release.spec["packages"])
        .table_valued(column("value", JSONB))
        .alias("wanted")
    )
    there = exists().where(
        InstalledSoftware.tenant_id == Action.tenant_id,
        InstalledSoftware.asset_id == Action.asset_id,
        InstalledSoftware.name == func.split_part(wanted.c.value["name"].astext, ":", 1),
        InstalledSoftware.version == wanted.c.value["version"].astext,
    )
    missing = (
        select(literal(1))
        .select_from(Release)
        .join(wanted, true())
        .where(Release.id == Action.release_id, ~there.correlate(Action, wanted))
    )
    return ~missing.correlate(Action).exists()


def _proven_by_higher_versions(condition: Any) -> list[int]:
    """The actions of a rollout of packages whose inventory shows them at higher versions than the release's."""
    asked = (
        select(Action.id, Release.spec, InstalledSoftware.name, InstalledSoftware.version)
        .join(Release, Release.id == Action.release_id)
        .join(Campaign, Campaign.id == Action.campaign_id)
        .join(
            InstalledSoftware,
            and_(
                InstalledSoftware.tenant_id == Action.tenant_id,
                InstalledSoftware.asset_id == Action.asset_id,
                InstalledSoftware.name.in_(_package_names()),
            ),
        )
        .where(condition, Release.kind == "deb", Campaign.kind == "rollout")
    )
    specs: dict[int, Any] = {}
    installed: dict[int, dict[str, list[str]]] = {}
    for action_id, spec, name, version in db.session.execute(asked):
        specs[action_id] = spec
        installed.setdefault(action_id, {}).setdefault(name, []).append(version)
    return [one for one, spec in specs.items() if proofs.has_packages(spec["packages"], installed[one])]


def _package_names() -> Any:
    wanted = (
        func.jsonb_array_elements(Release.spec["packages"])
        .table_valued(column("value", JSONB))
        .alias("named")
    )
    name = func.split_part(wanted.c.value["name"].astext, ":", 1)
    return select(name).select_from(wanted).correlate(Release)


def skip_retired(campaign_id: int, at: datetime) -> dict[int, int]:
    """Skip actions that nobody has fetched and whose asset has been retired since; by lane, how many."""
    unfetched = and_(_of(campaign_id, "eligible", "offered"), Action.retrieved_at.is_(None))
    # Looked up for each action: a join over the assets of every client reads them all at every look.
    state = select(Asset.state).where(Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id)
    retired = and_(unfetched, state.correlate(Action).scalar_subquery() == "retired")
    asked = select(Action.lane_id, func.count().label("actions")).where(retired).group_by(Action.lane_id)
    found = _by_lane(asked)
    if found:
        close_actions(retired, literal("skipped"), "asset retired", at)
    return found


def expire(campaign_id: int, at: datetime, *, is_offering: bool) -> None:
    """Close what ran out of time; while nothing is offered, nobody is late in taking an offer up."""
    phases = [phase for phase in EXPIRED if is_offering or phase not in ("eligible", "offered")]
    outcome = case(*[(Action.phase == phase, EXPIRED[phase]) for phase in phases])
    due = or_(Action.deadline_at <= at, Action.hard_deadline_at <= at)
    close_actions(and_(_of(campaign_id, *phases), due), cast(outcome, String), "deadline", at)


def amend(campaign_id: int, at: datetime) -> dict[str, int]:
    """Correct outcomes that were guesses: a late verification makes a success, a late report of failure a failure.

    Returns how many became what; the only way in which an outcome ever changes.
    """
    guesses = and_(_of(campaign_id, "closed"), Action.is_last, Action.outcome.in_(AMENDABLE))
    amended = {"success": and_(guesses, _shows_release()), "failed": and_(guesses, Action.has_late_failure)}
    found: dict[str, int] = {}
    for outcome, condition in amended.items():
        count = close_actions(condition, literal(outcome), "amended", at, reason_code="amended")
        if count:
            found[outcome] = count
    return found


def withdraw_offers(campaign_id: int) -> None:
    """Take back offers that nobody has fetched yet."""
    db.session.execute(
        update(Action)
        .where(_of(campaign_id, "offered"), Action.retrieved_at.is_(None))
        .values(phase="eligible", offered_at=None, ready_at=None, rev=Action.rev + 1)
    )


def abort(campaign_id: int, at: datetime, cancel_seconds: int) -> None:
    """Close what has not begun and ask what has begun to stop."""
    close_actions(_of(campaign_id, "planned", "eligible"), literal("skipped"), "aborted", at)
    unfetched = and_(_of(campaign_id, "offered"), Action.retrieved_at.is_(None))
    close_actions(unfetched, literal("cancelled"), "aborted", at)
    write(
        update(Action)
        .where(_of(campaign_id, "offered", "running", "rebooting"), ~Action.cannot_stop)
        .values(
            phase="cancelling",
            phase_before=Action.phase,
            deadline_at=at + timedelta(seconds=cancel_seconds),
            rev=Action.rev + 1,
        )
    )


def longest_usual(campaign_id: int) -> float:
    """Within how many seconds nine of ten machines were done with it, from beginning to report; 0 before anyone was."""
    took = func.extract("epoch", Action.reported_at - Action.started_at)
    asked = select(func.percentile_disc(0.9).within_group(took.asc())).where(
        Action.campaign_id == campaign_id,
        among(Action.tenant_id, narrowed()),
        Action.reported_at.is_not(None),
        Action.started_at.is_not(None),
    )
    return float(db.session.scalar(asked) or 0)


def has_open(campaign_id: int) -> bool:
    """Whether any asset still has an action under way."""
    asked = select(Action.id).where(_of(campaign_id, *OPEN, "eligible")).limit(1)
    return db.session.scalar(asked) is not None


def count_silent(
    campaign_id: int, lane_ids: Collection[int], long_ago: datetime, alive: Any
) -> dict[int, int]:
    """Successes by lane that are long ago and whose asset is not among those heard of."""
    asked = (
        select(Action.lane_id, func.count().label("actions"))
        .where(
            Action.campaign_id == campaign_id,
            among(Action.lane_id, lane_ids),
            Action.is_last,
            Action.outcome.in_(OK),
            Action.closed_at < long_ago,
            ~alive.exists(),
        )
        .group_by(Action.lane_id)
    )
    return _by_lane(asked)


def _by_lane(asked: Any) -> dict[int, int]:
    return {row.lane_id: row.actions for row in db.session.execute(asked)}


def close_actions(condition: Any, outcome: Any, reason: str, at: datetime, **values: Any) -> int:
    """Close the actions that fit, each with an event; returns how many. The condition names the tenants in scope."""
    closed = (
        update(Action)
        .where(condition)
        .values(
            {
                "phase": "closed",
                "outcome": outcome,
                "reason_code": func.coalesce(Action.reason_code, reason),
                "closed_at": at,
                "deadline_at": None,
                "hard_deadline_at": None,
                "event_count": Action.event_count + 1,
                "rev": Action.rev + 1,
                **values,
            }
        )
        .returning(Action.tenant_id, Action.id, Action.asset_id, Action.outcome)
        .cte("closed_actions")
    )
    rows = select(
        closed.c.tenant_id,
        closed.c.id,
        closed.c.asset_id,
        literal("portal"),
        literal("portal"),
        closed.c.outcome,
        literal(at),
        literal(_DIGEST),
        literal(False),
        cast(literal({"because": reason}, JSONB), JSONB),
        literal(True),
        literal(reason),
    )
    columns = ["tenant_id", "action_id", "asset_id", "source", "channel", "finished", "received_at", "digest"]
    columns += ["is_terminal", "body", "accepted", "reason"]
    return write(insert(ActionEvent).from_select(columns, rows, include_defaults=False))
