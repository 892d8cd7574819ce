"""The company's own records: its audit log, and everything of it in one archive."""

import json
from pathlib import Path
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.portal.blueprint import bp
from msp.web import navigation
from msp.web.access import actor, require, tenant
from msp.web.paging import asked, cut
from tenants.audit import queries as audit
from tenants.audit.queries import Flaw
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy import exports, queries

PLACES = (
    navigation.Place(
        _l("Export"),
        "portal.list_exports",
        "box-arrow-right",
        Permission.EXPORT_COMPANY,
        staff=False,
        order=85,
    ),
    navigation.Place(
        _l("Audit log"), "portal.show_audit", "shield-check", Permission.VIEW_AUDIT, staff=False, order=90
    ),
)


@bp.get("/audit")
@require(Permission.VIEW_AUDIT)
def show_audit() -> Any:
    """The company's log, newest first."""
    after, limit = asked(int)
    return _audit_page(after[0] if after else None, limit, None)


@bp.post("/audit")
@require(Permission.VIEW_AUDIT)
def verify_audit() -> Any:
    """Compute the chain anew and say whether it holds."""
    return _audit_page(None, 25, audit.verify_tenant(tenant()))


def _audit_page(before: int | None, limit: int, flaws: list[Flaw] | None) -> Any:
    rows = audit.list_entries(tenant(), before=before, limit=limit + 1, for_client=True)
    page = cut(rows, limit, lambda entry: (entry.seq,))
    bodies = {entry.seq: json.loads(entry.body) for entry in page.items}
    own = audit.count_providers_own(tenant()) if flaws is not None else 0
    return render_template("portal/show_audit.html", page=page, bodies=bodies, flaws=flaws, own=own)


@bp.get("/exports")
@require(Permission.EXPORT_COMPANY)
def list_exports() -> Any:
    """Exports and how far they are."""
    return render_template("portal/list_exports.html", exports=queries.list_exports(tenant(), by=actor()))


@bp.post("/exports")
@require(Permission.EXPORT_COMPANY)
def request_export() -> Any:
    """Let a job make the archive."""
    exports.request_export(tenant(), by=actor(), at=time.now())
    db.session.commit()
    flash(_("The export is being made. This page shows how far it is."), "info")
    return redirect(url_for("portal.list_exports"))


@bp.get("/exports/<export_id>")
@require(Permission.EXPORT_COMPANY)
def download_export(export_id: str) -> Response:
    """The archive, for a week."""
    export = queries.find_export(tenant(), export_id, by=actor())
    root: Path = current_app.extensions["settings"].files_dir
    path = exports.take_export(export, root, by=actor(), at=time.now())
    db.session.commit()
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name, max_age=0)
