"""The audit log of a client, and whether its chain holds."""

import json
from typing import Any

from flask import render_template, request

from msp.console.blueprint import bp
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.audit import queries
from tenants.audit.queries import Flaw
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Tenant


@bp.get("/audit")
@require(Permission.VIEW_AUDIT)
def choose_audit() -> Any:
    """Which client's log."""
    return render_template("console/choose_audit.html", tenants=tenancy.list_all_tenants())


@bp.get("/tenants/<slug>/audit")
@require(Permission.VIEW_AUDIT)
def show_audit(slug: str) -> Any:
    """A client's log, newest first."""
    tenant = tenancy.find_tenant(slug)
    return render_template("console/show_audit.html", **audit_page(tenant))


@bp.post("/tenants/<slug>/audit")
@require(Permission.VIEW_AUDIT)
def verify_audit(slug: str) -> Any:
    """Compute the chain anew and say whether it holds."""
    tenant = tenancy.find_tenant(slug)
    return render_template("console/show_audit.html", **audit_page(tenant, queries.verify_tenant(tenant.id)))


def audit_page(tenant: Tenant, flaws: list[Flaw] | None = None) -> dict[str, Any]:
    """What the page shows; `flaws` None means that the chain was not looked at."""
    after, limit = asked(int) if request.method == "GET" else (None, 25)
    rows = queries.list_entries(tenant.id, before=after[0] if after else None, limit=limit + 1)
    page = cut(rows, limit, lambda entry: (entry.seq,))
    bodies = {entry.seq: json.loads(entry.body) for entry in page.items}
    return {"tenant": tenant, "page": page, "bodies": bodies, "flaws": flaws}
