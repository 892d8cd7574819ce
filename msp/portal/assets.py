"""The company's machines, as its administrator sees them: what is in service, and what their agents report."""

from typing import Any

from flask import render_template, request
from flask_babel import lazy_gettext as _l

from msp.portal.blueprint import bp
from msp.web import navigation
from msp.web.access import actor, require, tenant
from msp.web.paging import asked, cut
from tenants.assets import queries, rules, words
from tenants.assets.queries import AssetFilter
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries as tenancy
from tenants.tickets.queries import Filter, list_tickets

PLACE = navigation.Place(
    _l("Assets"), "portal.list_assets", "pc-display", Permission.VIEW_COMPANY_ASSETS, staff=False, order=40
)


@bp.get("/assets")
@require(Permission.VIEW_COMPANY_ASSETS)
def list_assets() -> Any:
    """What is in service, by name."""
    after, limit = asked(str, int, int)
    kind, q = request.args.get("kind", ""), request.args.get("q", "")[:100]
    chosen = AssetFilter(tenant_id=tenant(), q=q, kind=kind if kind in words.KIND_WORDS else "")
    now = time.now()
    page = cut(queries.list_assets(chosen, at=now, after=after, limit=limit), limit, queries.sort_key)
    return render_template(
        "portal/list_assets.html",
        page=page,
        chosen=chosen,
        sites=tenancy.sites_of([(one.tenant_id, one.site_id) for one in page.items if one.site_id]),
        words=words,
        is_silent=lambda asset: rules.is_asset_silent(asset, now),
    )


@bp.get("/assets/<asset_id>")
@require(Permission.VIEW_COMPANY_ASSETS)
def show_asset(asset_id: str) -> Any:
    """One asset; a retired one is not found."""
    asset = queries.find_asset(asset_id)
    if asset.state == "retired":
        raise NotFound
    after, limit = asked(str, str)
    q = request.args.get("q", "")[:100]
    rows = queries.list_software(asset, q=q, after=after, limit=limit)
    return render_template(
        "portal/show_asset.html",
        machine=asset,
        site=tenancy.site_of(asset.tenant_id, asset.site_id),
        software=cut(rows, limit, lambda one: (one.name, one.architecture)),
        q=q,
        words=words,
        is_silent=rules.is_asset_silent(asset, time.now()),
        tickets=list_tickets(
            Filter(state="all", tenant_id=asset.tenant_id, asset_id=asset.id), by=actor(), limit=5
        ),
        ticket_page="portal.show_ticket",
    )
