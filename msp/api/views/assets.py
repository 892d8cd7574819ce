"""Assets: what people entered, and what agents report."""

from typing import Any

from marshmallow import RAISE

from msp.api.blueprint import bp
from msp.api.idempotency import creates
from msp.api.references import is_hidden, named, tenant_filter, tenant_named
from msp.api.rights import allow
from msp.api.schemas.assets import AssetDetailOut, AssetIn, AssetOut, AssetQuery
from msp.api.schemas.common import page_of
from msp.api.views.listing import page_document
from msp.web.access import actor, require
from msp.web.paging import asked
from tenants.assets import queries, services
from tenants.assets.models import Asset
from tenants.assets.queries import AssetFilter
from tenants.assets.rules import Entered
from tenants.foundation import time
from tenants.foundation.errors import Forbidden, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.queries import find_site, find_tenant_by_id, names_of, sites_of


@bp.get("/assets")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_ASSETS, client=Permission.VIEW_COMPANY_ASSETS)
@bp.input(AssetQuery, location="query", unknown=RAISE)
@bp.output(page_of(AssetOut))
@bp.doc(tags=["Assets"])
def list_assets(query_data: dict[str, Any]) -> Any:
    """List assets by name."""
    after, limit = asked(str, int, int)
    if query_data.get("state", "") in ("retired", "all") and not actor().is_staff:
        raise Forbidden
    chosen = AssetFilter(
        tenant_id=tenant_filter(query_data["tenant"]),
        name=query_data["name"],
        kind=query_data.get("kind", ""),
        state=query_data.get("state", ""),
        q=query_data["q"],
    )
    rows = queries.list_assets(chosen, at=time.now(), after=after, limit=limit)
    tenants = names_of([one.tenant_id for one in rows])
    sites = sites_of([(one.tenant_id, one.site_id) for one in rows if one.site_id is not None])
    return page_document(
        rows,
        limit,
        queries.sort_key,
        lambda one: _document(one, tenants[one.tenant_id], sites.get((one.tenant_id, one.site_id or 0))),
    )


@bp.post("/assets")
@require(Permission.USE_API)
@allow(staff=Permission.MANAGE_ASSETS)
@creates
@bp.input(AssetIn, location="json")
@bp.output(AssetDetailOut, status_code=201)
@bp.doc(tags=["Assets"])
def add_asset(json_data: dict[str, Any]) -> Any:
    """Enter an asset."""
    tenant = tenant_named(json_data.pop("tenant"))
    site_id = json_data.pop("site")
    site = named("site", lambda word: find_site(tenant.id, word), site_id) if site_id is not None else None
    tags = tuple(dict.fromkeys(one.lower() for one in json_data.pop("tags")))
    entered = Entered(site_id=site.id if site else None, tags=tags, **json_data)
    asset = services.add_asset(tenant.id, entered, by=actor(), at=time.now())
    return _detail(asset, tenant, site)


@bp.get("/assets/<id>")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_ASSETS, client=Permission.VIEW_COMPANY_ASSETS)
@bp.output(AssetDetailOut)
@bp.doc(tags=["Assets"])
def find_asset(id: str) -> Any:
    """Read one asset with the facts that its agent reports."""
    asset = queries.find_asset(id)
    if is_hidden(asset):
        raise NotFound
    place = (asset.tenant_id, asset.site_id or 0)
    return _detail(asset, find_tenant_by_id(asset.tenant_id), sites_of([place]).get(place))


def _document(asset: Asset, tenant: Tenant, site: Site | None) -> dict[str, Any]:
    same = ("name", "kind", "state", "serial", "tags", "controller_id", "last_seen_at", "installed_release")
    return {name: getattr(asset, name) for name in same} | {
        "id": asset.public_id,
        "tenant": tenant.slug,
        "site": {"id": site.public_id, "name": site.name} if site else None,
        "created_at": asset.created_at,
        "retired_at": asset.retired_at,
    }


def _detail(asset: Asset, tenant: Tenant, site: Site | None) -> dict[str, Any]:
    return _document(asset, tenant, site) | {
        "notes": asset.notes if actor().is_staff else None,
        "facts": asset.facts or {},
        "facts_at": asset.facts_at,
    }
