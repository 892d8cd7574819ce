"""Maintenance as the client sees it: what asks for its word, what comes when on which machines, and what happened."""

from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _l

from contracts.timers import maintenance as timers
from msp.campaigns import parts, plans
from msp.campaigns.consents import find_part
from msp.campaigns.models import CampaignTenant
from msp.campaigns.queries import Tally, list_tenants_lanes, names_of_assets
from msp.campaigns.tickets import list_tickets_of_lanes
from msp.portal import coming
from msp.portal.blueprint import bp
from msp.web import navigation
from msp.web.access import actor, require, tenant
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id, list_sites

PLACE = navigation.Place(
    _l("Maintenance"), "portal.list_maintenance", "tools", Permission.DECIDE_OWN_LANES, staff=False, order=45
)


@bp.get("/maintenance")
@require(Permission.DECIDE_OWN_LANES)
def list_maintenance() -> Any:
    """What asks for a decision on top, then everything that was announced, newest first."""
    after, limit = asked(datetime, int)
    now, zone = time.now(), find_tenant_by_id(tenant()).time_zone
    waiting = parts.list_waiting_parts(tenant(), now) if after is None else []
    rows = parts.list_tenant_parts(tenant(), before=after, limit=limit)
    page = cut(rows, limit, lambda part: [part.asked_at, part.id])
    shown = [one for one in page.items if not parts.waits_for_word(one, now)]
    tallies = parts.count_parts(tenant(), {one.campaign_id for one in shown})
    lanes = list_tenants_lanes(tenant(), {one.campaign_id for one in shown})
    planned = timers.list_coming(tenant(), now)
    over = timers.list_past(tenant(), now) if after is None else ()

    def look(part: CampaignTenant) -> Any:
        tally = tallies.get(part.campaign_id, Tally())
        return coming.part_look(part, lanes.get(part.campaign_id, ()), tally, zone, now)

    def is_over(part: CampaignTenant) -> bool:
        tally = tallies.get(part.campaign_id, Tally())
        return coming.is_over(part, lanes.get(part.campaign_id, ()), tally)

    return render_template(
        "portal/list_maintenance.html",
        freezes=coming.freezes_ahead(tenant(), now) if after is None else (),
        plans=planned,
        over=over,
        sites={one.id: one.name for one in list_sites(tenant(), retired=True)},
        assets=timers.names_of_reach([*planned, *over]),
        page=page,
        waiting=waiting,
        coming=[one for one in shown if not is_over(one)],
        past=[one for one in shown if is_over(one)],
        tallies=tallies,
        none=Tally(),
        look=look,
    )


@bp.get("/maintenance/<part>")
@require(Permission.DECIDE_OWN_LANES)
def show_maintenance(part: str) -> Any:
    """One piece of maintenance: what, when, on which machines, what happened, and who decided."""
    found, now = own_part(part), time.now()
    after, limit = asked(int, int)
    page = cut(
        parts.list_machines(found, after=after, limit=limit), limit, lambda one: [one.wave, one.asset_id]
    )
    zone, lanes = find_tenant_by_id(tenant()).time_zone, parts.list_part_lanes(found)
    tally = parts.count_parts(tenant(), {found.campaign_id}).get(found.campaign_id, Tally())
    is_over = coming.is_over(found, lanes, tally)
    return render_template(
        "portal/show_maintenance.html",
        part=found,
        zone=zone,
        now=now,
        look=coming.part_look(found, lanes, tally, zone, now),
        waits=parts.waits_for_word(found, now),
        may_change=not is_over and found.consent not in ("declined", "not_needed"),
        ahead=None if is_over else ahead_of(found, now),
        freezes=() if is_over else coming.freezes_ahead(tenant(), now),
        tally=tally,
        opened_at=min((lane.opened_at for lane in lanes if lane.opened_at), default=None),
        page=page,
        lanes={lane.id: lane for lane in lanes} | {-lane.ordinal: lane for lane in lanes},
        machines=names_of_assets([(found.tenant_id, one.asset_id) for one in page.items]),
        tickets=[one for _link, one in list_tickets_of_lanes([lane.id for lane in lanes], by=actor())],
        outcome_words=coming.outcome_words,
        log_lines=coming.log_lines,
    )


def own_part(public_id: str) -> CampaignTenant:
    """The client's part that a page names. Raises NotFound, also while the client was told nothing."""
    found = find_part(public_id)
    if found.tenant_id != tenant():
        raise NotFound
    return found


def ahead_of(part: CampaignTenant, now: datetime) -> coming.Ahead | None:
    """When it may come; None once it is over."""
    if part.ended_at is not None:
        return None
    lanes = parts.list_part_lanes(part)
    kept = [lane.timing.get("reserve_seconds", plans.Timing().reserve_seconds) for lane in lanes]
    begin = max(now, part.begins_at) if part.begins_at else now
    return coming.look_ahead(part.tenant_id, begin, max(kept, default=0))
