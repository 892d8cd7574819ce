"""Maintenance as the client sees it: what comes next, and what happened to which of its machines."""

from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _l

from contracts.timers import maintenance as timers
from msp.campaigns import queries
from msp.campaigns.models import WaveLane
from msp.campaigns.queries import Tally
from msp.campaigns.rules import TERMINAL_LANES
from msp.portal.blueprint import bp
from msp.web import navigation
from msp.web.access import require, tenant
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_sites

PLACE = navigation.Place(
    _l("Maintenance"), "portal.list_maintenance", "tools", Permission.DECIDE_OWN_LANES, staff=False, order=45
)


@bp.get("/maintenance")
@require(Permission.DECIDE_OWN_LANES)
def list_maintenance() -> Any:
    """Announced maintenance, newest first; what is still to come stands apart."""
    after, limit = asked(datetime, int)
    rows = queries.list_tenant_lanes(tenant(), before=after, limit=limit)
    page = cut(rows, limit, lambda lane: [lane.planned_at, lane.id])
    now = time.now()
    plans = timers.list_coming(tenant(), now)
    over = timers.list_past(tenant(), now) if after is None else ()
    return render_template(
        "portal/list_maintenance.html",
        plans=plans,
        over=over,
        sites={one.id: one.name for one in list_sites(tenant(), retired=True)},
        assets=timers.names_of_reach([*plans, *over]),
        page=page,
        coming=[lane for lane in page.items if lane.state not in TERMINAL_LANES],
        past=[lane for lane in page.items if lane.state in TERMINAL_LANES],
        tallies=queries.count_lanes([lane.id for lane in page.items]),
        none=Tally(),
    )


@bp.get("/maintenance/<lane>")
@require(Permission.DECIDE_OWN_LANES)
def show_maintenance(lane: str) -> Any:
    """One piece of maintenance, machine by machine."""
    found = _announced(lane)
    after, limit = asked(int)
    rows = queries.list_lane_actions(found, after=after[0] if after else None, limit=limit)
    page = cut(rows, limit, lambda action: [action.id])
    return render_template(
        "portal/show_maintenance.html",
        lane=found,
        page=page,
        tally=queries.count_lanes([found.id]).get(found.id, Tally()),
        machines=queries.names_of_assets([(one.tenant_id, one.asset_id) for one in page.items]),
    )


def _announced(public_id: str) -> WaveLane:
    """A lane that the client may know of. Raises NotFound, also while it is only a plan."""
    found = queries.find_lane(public_id)
    if found.state == "planned" or found.tenant_id != tenant():
        raise NotFound
    return found
