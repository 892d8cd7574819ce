"""A campaign's pages: the board of waves and clients, its assets one by one, and the ledger of decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.campaigns import plans, queries, rules
from msp.campaigns.blueprint import bp
from msp.campaigns.forms import AssetsForm, WavesForm, wave_values
from msp.campaigns.gates import Gate
from msp.campaigns.models import Action, Campaign, Wave, WaveLane
from msp.campaigns.phases import OUTCOMES, PHASES
from msp.campaigns.queries import Tally
from msp.campaigns.releases import artifacts_of, find_release_by_id
from msp.campaigns.rules import Transition
from msp.campaigns.words import reason_words
from msp.web.access import actor, require
from msp.web.paging import asked, cut
from tenants.foundation.actor import Actor
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import list_all_tenants, names_of

RIGHTS: dict[Transition, Permission] = {
    Transition.SUBMIT: Permission.PROPOSE_CAMPAIGNS,
    Transition.WITHDRAW: Permission.PROPOSE_CAMPAIGNS,
    Transition.APPROVE: Permission.APPROVE_CAMPAIGNS,
    Transition.REJECT: Permission.APPROVE_CAMPAIGNS,
    Transition.START: Permission.RUN_CAMPAIGNS,
    Transition.PAUSE: Permission.STOP_CAMPAIGNS,
    Transition.RESUME: Permission.RUN_CAMPAIGNS,
    Transition.ABORT: Permission.RUN_CAMPAIGNS,
}
SHOWN_DECISIONS = 8
LIVE_SECONDS = 5


@bp.get("/<campaign>")
@require(Permission.VIEW_CAMPAIGNS)
def show_campaign(campaign: str) -> Any:
    """What is planned, how far it is, and why it stands."""
    return show_campaign_page(queries.find_campaign(campaign))


def show_campaign_page(
    found: Campaign, *, assets_form: AssetsForm | None = None, waves_form: WavesForm | None = None
) -> str:
    """The page, with the forms of a draft as they were sent."""
    release = find_release_by_id(found.release_id)
    return render_template(
        "campaigns/show_campaign.html",
        campaign=found,
        release=release,
        artifacts=artifacts_of(release.id),
        offered=offered_transitions(found, actor()),
        is_author=actor().id == found.created_by_id,
        live_seconds=LIVE_SECONDS if found.state in rules.EVALUATED else None,
        **(_draft_parts(found, assets_form, waves_form) if found.state == "draft" else _plan_parts(found)),
    )


def offered_transitions(found: Campaign, who: Actor) -> list[Transition]:
    """What this person can ask for now: the state allows it, the role does, and it is theirs or another's to decide."""
    return [
        one
        for one in rules.allowed_transitions(found.state)
        if who.may(RIGHTS[one]) and _is_theirs(one, found, who)
    ]


def _is_theirs(one: Transition, found: Campaign, who: Actor) -> bool:
    if one in (Transition.SUBMIT, Transition.WITHDRAW):
        return who.id == found.created_by_id
    if one in (Transition.APPROVE, Transition.REJECT) and who.id == found.created_by_id:
        return False
    return one is Transition.PAUSE or rules.covers(who.tenants, found.tenant_ids)


def _draft_parts(
    found: Campaign, assets_form: AssetsForm | None, waves_form: WavesForm | None
) -> dict[str, Any]:
    members = queries.count_members(found.id)
    tenants = list_all_tenants()
    fresh = AssetsForm(formdata=None)
    fresh.tenants.choices = [(tenant.slug, tenant.name) for tenant in tenants]
    sample = queries.list_member_assets(found.id)
    named = queries.names_of_assets([(one.tenant_id, one.asset_id) for one in sample])
    total = sum(members.values())
    return {
        "members": [(tenant, members[tenant.id]) for tenant in tenants if tenant.id in members],
        "total": total,
        "sample": [
            named[one.tenant_id, one.asset_id] for one in sample if (one.tenant_id, one.asset_id) in named
        ],
        "sizes": _sizes(found, total),
        "assets_form": assets_form or fresh,
        "waves_form": waves_form or WavesForm(formdata=None, data=wave_values(found.wishes)),
    }


def _sizes(found: Campaign, total: int) -> list[int]:
    """How large the waves of a draft would be now."""
    percents = found.wishes.get("percents", (5, 25, 100)) if total > 1 else (100,)
    try:
        return plans.wave_sizes(total, percents)
    except plans.UnfitPlan:
        return []


def _plan_parts(found: Campaign) -> dict[str, Any]:
    waves, lanes = queries.list_waves(found.id), queries.list_lanes(found.id)
    tallies = queries.count_actions(found.id)
    tenants, sums = names_of(found.tenant_ids), _sums(tallies.values())
    return {
        "waves": [
            {
                "name": _("Wave %(number)s", number=wave.ordinal),
                "detail": ngettext("%(num)s asset", "%(num)s assets", wave.size),
            }
            for wave in waves
        ],
        "gates": [(wave, Gate.of(wave.gate)) for wave in waves],
        "rows": _rows(found, waves, lanes, tallies, tenants),
        "hidden_clients": len(found.tenant_ids) - len(tenants),
        "total": sum(wave.size for wave in waves),
        "sums": sums,
        "reasons": [[reason_words(reason), count] for reason, count in sorted(sums.reasons.items())],
        "timing": plans.timing_of(found.plan or {}),
        "decisions": queries.list_decisions(found.id, limit=SHOWN_DECISIONS)[:SHOWN_DECISIONS],
        "tenants": tenants,
    }


def _sums(tallies: Any) -> Tally:
    total = Tally()
    for one in tallies:
        for name in ("ok", "bad", "gone", "aside", "open", "not_started"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for reason, count in one.reasons.items():
            total.reasons[reason] = total.reasons.get(reason, 0) + count
    return total


def _rows(
    found: Campaign,
    waves: Sequence[Wave],
    lanes: Sequence[WaveLane],
    tallies: Mapping[int, Tally],
    tenants: Mapping[int, Tenant],
) -> list[dict[str, Any]]:
    """A row of the board for each client that one may see, own machines first."""
    by_place = {(lane.tenant_id, lane.ordinal): lane for lane in lanes}
    ordered = sorted(tenants.values(), key=lambda tenant: (tenant.kind != "own", tenant.name))
    return [
        {
            "tenant": tenant.name,
            "url": url_for("console.show_tenant", slug=tenant.slug),
            "lanes": [_cell(found, by_place.get((tenant.id, wave.ordinal)), tallies) for wave in waves],
        }
        for tenant in ordered
    ]


def _cell(found: Campaign, lane: WaveLane | None, tallies: Mapping[int, Tally]) -> dict[str, Any] | None:
    if lane is None:
        return None
    tally = tallies.get(lane.id, Tally())
    return {
        "state": lane.state,
        "reason": lane.reason or "",
        "ok": tally.ok,
        "bad": tally.bad,
        "gone": tally.gone,
        "open": tally.open,
        "total": lane.member_count,
        "url": url_for("campaigns.list_actions", campaign=found.public_id, lane=lane.public_id),
    }


@bp.get("/<campaign>/actions")
@require(Permission.VIEW_CAMPAIGNS)
def list_actions(campaign: str) -> Any:
    """What came of each asset."""
    found = queries.find_campaign(campaign)
    after, limit = asked(int)
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in (*OUTCOMES, *PHASES) else ""
    lanes = {lane.id: lane for lane in queries.list_lanes(found.id)}
    lane = _asked_lane(found, request.args.get("lane", ""))
    rows = queries.list_actions(
        found.id, lane_id=lane.id if lane else None, outcome=outcome, after=after, limit=limit
    )
    page = cut(rows, limit, lambda action: [action.id])
    return render_template(
        "campaigns/list_actions.html",
        campaign=found,
        page=page,
        lane=lane,
        lanes=lanes,
        outcome=outcome,
        outcomes=[*OUTCOMES, *PHASES[:-1]],
        tenants=names_of(found.tenant_ids),
        assets=queries.names_of_assets([(one.tenant_id, one.asset_id) for one in page.items]),
    )


def _asked_lane(found: Campaign, public_id: str) -> WaveLane | None:
    """The lane that the list is narrowed to. Raises NotFound."""
    lane = queries.find_lane(public_id) if public_id else None
    if lane is not None and lane.campaign_id != found.id:
        raise NotFound
    return lane


@bp.get("/<campaign>/actions/<action>")
@require(Permission.VIEW_CAMPAIGNS)
def show_action(campaign: str, action: str) -> Any:
    """One asset's way through the campaign, with everything that was reported."""
    found = queries.find_campaign(campaign)
    number = int(action) if action.isascii() and action.isdigit() and len(action) <= 10 else 0
    row: Action = queries.find_action(found.id, number)
    return render_template(
        "campaigns/show_action.html",
        campaign=found,
        action=row,
        machine=queries.names_of_assets([(row.tenant_id, row.asset_id)])[row.tenant_id, row.asset_id],
        tenant=names_of([row.tenant_id])[row.tenant_id],
        events=queries.list_events(row),
    )


@bp.get("/<campaign>/decisions")
@require(Permission.VIEW_CAMPAIGNS)
def list_decisions(campaign: str) -> Any:
    """Every decision with the numbers behind it, newest first."""
    found = queries.find_campaign(campaign)
    after, limit = asked(int)
    rows = queries.list_decisions(found.id, before=after[0] if after else None, limit=limit)
    return render_template(
        "campaigns/list_decisions.html",
        campaign=found,
        page=cut(rows, limit, lambda decision: [decision.id]),
        tenants=names_of(found.tenant_ids),
    )
