"""A campaign's assets one by one: what came of each, and every attempt with what was reported."""

from typing import Any

from flask import render_template, request

from msp.campaigns import queries
from msp.campaigns.blueprint import bp
from msp.campaigns.models import Action, Campaign, WaveLane
from msp.campaigns.phases import OUTCOMES, PHASES
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of


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
    """One asset's way through the campaign: every attempt, with everything that was reported."""
    found = queries.find_campaign(campaign)
    number = int(action) if action.isascii() and action.isdigit() and len(action) <= 10 else 0
    row: Action = queries.find_action(found.id, number)
    attempts = queries.list_attempts(row)
    return render_template(
        "campaigns/show_action.html",
        campaign=found,
        action=row,
        attempts=attempts,
        numbers={one.id: one.attempt for one in attempts},
        machine=queries.names_of_assets([(row.tenant_id, row.asset_id)])[row.tenant_id, row.asset_id],
        tenant=names_of([row.tenant_id])[row.tenant_id],
        events=queries.list_events(*attempts),
    )
