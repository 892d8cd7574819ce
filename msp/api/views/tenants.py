"""Clients: what the caller may see of them."""

from typing import Any

from marshmallow import RAISE

from msp.api.blueprint import bp
from msp.api.rights import allow
from msp.api.schemas.common import page_of
from msp.api.schemas.tenants import TenantOut, TenantQuery
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries


@bp.get("/tenants")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_TENANTS, client=Permission.VIEW_PORTAL)
@bp.input(TenantQuery, location="query", unknown=RAISE)
@bp.output(page_of(TenantOut))
@bp.doc(tags=["Tenants"])
def list_tenants(query_data: dict[str, Any]) -> Any:
    """List the clients that the caller may see, by name."""
    after, limit = asked(str, int)
    rows = queries.list_tenants(
        q=query_data["q"], state=query_data.get("state", ""), after=after, limit=limit
    )
    page = cut(rows, limit, lambda one: (one.name, one.id))
    return {"items": page.items, "next": page.next}


@bp.get("/tenants/<slug>")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_TENANTS, client=Permission.VIEW_PORTAL)
@bp.output(TenantOut)
@bp.doc(tags=["Tenants"])
def find_tenant(slug: str) -> Any:
    """Read one client."""
    return queries.find_tenant(slug)
