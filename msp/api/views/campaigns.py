"""Campaigns: the same services as their pages."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from marshmallow import RAISE

from msp.api.blueprint import bp
from msp.api.idempotency import creates
from msp.api.queries import releases_by_id
from msp.api.references import tenant_named
from msp.api.rights import allow, demand
from msp.api.schemas.campaigns import (
    ActionOut,
    ActionQuery,
    CampaignDetailOut,
    CampaignIn,
    CampaignOut,
    CampaignQuery,
    CampaignTransitionIn,
    DecisionOut,
    RollbackIn,
)
from msp.api.schemas.common import ListQuery, page_of
from msp.api.views.listing import page_document
from msp.campaigns import plans, queries, rules, services
from msp.campaigns.models import Action, Campaign, CampaignTenant, Decision, Release, WaveLane
from msp.campaigns.pacing import Limits
from msp.campaigns.queries import Tally
from msp.campaigns.releases import usable_release
from msp.web.access import actor, require
from msp.web.paging import asked
from tenants.assets.queries import names_of as assets_by_key
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of

P = Permission
# The right that each step asks for; every member of staff may stop one.
_RIGHTS: dict[str, Permission] = {
    "submit": P.PROPOSE_CAMPAIGNS,
    "withdraw": P.PROPOSE_CAMPAIGNS,
    "approve": P.APPROVE_CAMPAIGNS,
    "reject": P.APPROVE_CAMPAIGNS,
    "start": P.RUN_CAMPAIGNS,
    "pause": P.STOP_CAMPAIGNS,
    "resume": P.RUN_CAMPAIGNS,
    "abort": P.RUN_CAMPAIGNS,
    "retry": P.RUN_CAMPAIGNS,
}


@bp.get("/campaigns")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CAMPAIGNS)
@bp.input(CampaignQuery, location="query", unknown=RAISE)
@bp.output(page_of(CampaignOut))
@bp.doc(tags=["Campaigns"])
def list_campaigns(query_data: dict[str, Any]) -> Any:
    """List campaigns, newest first."""
    after, limit = asked(int)
    before = after[0] if after else None
    rows = queries.list_campaigns(
        state=query_data.get("state"), q=query_data["q"], before=before, limit=limit
    )
    releases, slugs = _releases(rows), _slugs(one for row in rows for one in row.tenant_ids)
    return page_document(
        rows, limit, lambda one: (one.id,), lambda one: _document(one, releases[one.release_id], slugs)
    )


@bp.post("/campaigns")
@require(Permission.USE_API)
@allow(staff=Permission.PROPOSE_CAMPAIGNS)
@creates
@bp.input(CampaignIn, location="json")
@bp.output(CampaignDetailOut, status_code=201)
@bp.doc(tags=["Campaigns"])
def draft_campaign(json_data: dict[str, Any]) -> Any:
    """Draft a campaign; it is frozen when it is submitted, and a second person approves it."""
    at = time.now()
    campaign = services.draft_campaign(
        title=json_data["title"], release=usable_release(json_data["release"]), by=actor(), at=at
    )
    tenants = [tenant_named(slug).id for slug in json_data["tenants"]]
    if tenants or json_data["assets"]:
        services.add_assets(
            campaign,
            by=actor(),
            tenants=tenants,
            kind=json_data["kind"],
            tag=json_data["tag"],
            software=json_data["software"],
            version=json_data["version"],
            assets=json_data["assets"],
        )
    _wish(campaign, json_data)
    return _detail(campaign)


def _wish(campaign: Campaign, wanted: dict[str, Any]) -> None:
    """Waves and limits, where they are given."""
    wishes: dict[str, Any] = {}
    if wanted["percents"] is not None:
        wishes["percents"] = wanted["percents"]
    if wanted["limits"] is not None:
        wishes["limits"] = Limits(**wanted["limits"])
    if wishes:
        services.wish(campaign, by=actor(), **wishes)


@bp.get("/campaigns/<id>")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CAMPAIGNS)
@bp.output(CampaignDetailOut)
@bp.doc(tags=["Campaigns"])
def find_campaign(id: str) -> Any:
    """Read one campaign with its waves, and its lanes at the clients that the caller sees."""
    return _detail(queries.find_campaign(id))


@bp.post("/campaigns/<id>/transitions")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CAMPAIGNS)
@creates
@bp.input(CampaignTransitionIn, location="json")
@bp.output(CampaignDetailOut)
@bp.doc(tags=["Campaigns"])
def move_campaign(id: str, json_data: dict[str, Any]) -> Any:
    """Move a campaign on; 409 names the steps that are possible.

    After an automatic stop the first person's `resume` only asks, another person's does it. `retry` gives assets that
    ended badly one more attempt, and changes no state.
    """
    demand(_RIGHTS[json_data["to"]])
    campaign = queries.find_campaign(id)
    _step(campaign, json_data)
    return _detail(campaign)


def _step(campaign: Campaign, wanted: dict[str, Any]) -> None:
    who: dict[str, Any] = {"by": actor(), "at": time.now()}
    why = {"reason": wanted["reason"]}
    seen = wanted["plan_sha256"] or campaign.plan_sha256 or ""
    steps: dict[str, Callable[[], object]] = {
        "submit": lambda: services.submit_campaign(campaign, **who),
        "withdraw": lambda: services.withdraw_campaign(campaign, **who),
        "approve": lambda: services.approve_campaign(campaign, seen=seen, **who),
        "reject": lambda: services.reject_campaign(campaign, **why, **who),
        "start": lambda: services.start_campaign(campaign, start_at=wanted["start_at"], **who),
        "pause": lambda: services.pause_campaign(campaign, **why, **who),
        "resume": lambda: services.resume_campaign(campaign, **why, **who),
        "abort": lambda: services.abort_campaign(campaign, **why, **who),
        "retry": lambda: services.retry_actions(campaign, chosen=wanted["actions"], **why, **who),
    }
    steps[wanted["to"]]()


@bp.post("/campaigns/<id>/rollbacks")
@require(Permission.USE_API)
@allow(staff=Permission.PROPOSE_CAMPAIGNS)
@creates
@bp.input(RollbackIn, location="json")
@bp.output(CampaignDetailOut, status_code=201)
@bp.doc(tags=["Campaigns"])
def draft_rollback(id: str, json_data: dict[str, Any]) -> Any:
    """Draft a campaign that brings the assets that this one touched to an earlier version; approved like any other."""
    campaign, release = queries.find_campaign(id), usable_release(json_data["release"])
    return _detail(services.draft_rollback(campaign, release=release, by=actor(), at=time.now()))


@bp.get("/campaigns/<id>/actions")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CAMPAIGNS)
@bp.input(ActionQuery, location="query", unknown=RAISE)
@bp.output(page_of(ActionOut))
@bp.doc(tags=["Campaigns"])
def list_campaign_actions(id: str, query_data: dict[str, Any]) -> Any:
    """List the campaign's actions: one named outcome per targeted asset."""
    after, limit = asked(int)
    campaign = queries.find_campaign(id)
    rows = queries.list_actions(campaign.id, outcome=query_data.get("outcome"), after=after, limit=limit)
    assets = assets_by_key([(one.tenant_id, one.asset_id) for one in rows])
    slugs = _slugs(one.tenant_id for one in rows)
    waves = {lane.id: lane.ordinal for lane in queries.list_lanes(campaign.id)}

    def document(one: Action) -> dict[str, Any]:
        asset = assets.get((one.tenant_id, one.asset_id))
        same = (
            "id", "attempt", "phase", "outcome", "detail", "offered_at", "started_at", "reported_at",
            "reboot_pending",
        )  # fmt: skip
        return {name: getattr(one, name) for name in same} | {
            "tenant": slugs.get(one.tenant_id),
            "asset": asset.public_id if asset else None,
            "asset_name": asset.name if asset else None,
            "wave": waves.get(one.lane_id),
            "reason": one.reason_code,
            "verified_at": one.verified_at,
            "closed_at": one.closed_at,
        }

    return page_document(rows, limit, lambda one: (one.id,), document)


@bp.get("/campaigns/<id>/decisions")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CAMPAIGNS)
@bp.input(ListQuery, location="query", unknown=RAISE)
@bp.output(page_of(DecisionOut))
@bp.doc(tags=["Campaigns"])
def list_campaign_decisions(id: str, query_data: dict[str, Any]) -> Any:
    """List the campaign's decisions with the numbers behind them, newest first."""
    after, limit = asked(int)
    campaign = queries.find_campaign(id)
    rows = queries.list_decisions(campaign.id, before=after[0] if after else None, limit=limit)
    slugs = _slugs(one.tenant_id for one in rows if one.tenant_id is not None)

    def document(one: Decision) -> dict[str, Any]:
        same = ("id", "at", "actor", "kind", "wave", "inputs", "result")
        return {name: getattr(one, name) for name in same} | {"tenant": slugs.get(one.tenant_id or 0)}

    return page_document(rows, limit, lambda one: (one.id,), document)


def _slugs(tenant_ids: Iterable[int]) -> dict[int, str]:
    """Slugs of the clients that the caller sees."""
    return {tenant_id: one.slug for tenant_id, one in names_of(list(tenant_ids)).items()}


def _releases(rows: Iterable[Campaign]) -> dict[int, Release]:
    return releases_by_id({one.release_id for one in rows})


def _document(campaign: Campaign, release: Release, slugs: dict[int, str]) -> dict[str, Any]:
    same = (
        "title", "kind", "state", "created_by", "created_at", "submitted_at", "decided_by", "decided_at", "start_at",
        "started_at", "ended_at", "deadline_at", "pause_cause", "pause_reason", "plan_sha256",
    )  # fmt: skip
    return {name: getattr(campaign, name) for name in same} | {
        "id": campaign.public_id,
        "release": {"id": release.public_id, "name": release.name, "version": release.version},
        "tenants": sorted(slugs[one] for one in campaign.tenant_ids or () if one in slugs),
        "allowed_transitions": rules.allowed_transitions(campaign.state),
    }


def _detail(campaign: Campaign) -> dict[str, Any]:
    lanes, tallies = queries.list_lanes(campaign.id), queries.count_actions(campaign.id)
    slugs = _slugs([*(campaign.tenant_ids or ()), *(lane.tenant_id for lane in lanes)])
    document = _document(campaign, _releases([campaign])[campaign.release_id], slugs)
    undone = queries.find_campaign_by_id(campaign.rollback_of_id) if campaign.rollback_of_id else None
    return document | {
        "resume_asked_by": campaign.resume_asked_by,
        "rollback_of": undone.public_id if undone else None,
        "limits": asdict(plans.limits_of(campaign.plan or campaign.wishes)),
        "consents": [_consent(one, slugs) for one in queries.list_parts(campaign.id)],
        "waves": [
            {"ordinal": one.ordinal, "name": one.name, "size": one.size, "gate": one.gate}
            for one in queries.list_waves(campaign.id)
        ],
        "lanes": [_lane(one, tallies.get(one.id, Tally()), slugs) for one in lanes],
    }


def _consent(part: CampaignTenant, slugs: dict[int, str]) -> dict[str, Any]:
    same = ("consent", "asked_at", "decided_by", "decided_at", "reason", "postponed_until")
    return {name: getattr(part, name) for name in same} | {
        "tenant": slugs.get(part.tenant_id),
        "assets": part.asset_count,
    }


def _lane(lane: WaveLane, tally: Tally, slugs: dict[int, str]) -> dict[str, Any]:
    same = ("state", "reason", "is_catch_up", "planned_at", "opened_at", "ended_at")
    return {name: getattr(lane, name) for name in same} | {
        "id": lane.public_id,
        "tenant": slugs.get(lane.tenant_id),
        "wave": lane.ordinal,
        "members": lane.member_count,
        "ok": tally.ok,
        "bad": tally.bad,
        "gone": tally.gone,
        "open": tally.open,
    }
