"""Asking for everything of a client, and taking it home."""

from typing import Any

from flask import Response, flash, redirect, send_file, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.jobs import files_root
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy import exports, queries


@bp.post("/tenants/<slug>/exports")
@require(Permission.MANAGE_TENANTS)
def request_export(slug: str) -> Any:
    """Let a job make the archive."""
    tenant = queries.find_tenant(slug)
    exports.request_export(tenant.id, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The export is being made. This page shows how far it is."), "info")
    return redirect(url_for("console.show_tenant", slug=slug, _anchor="exports"))


@bp.get("/tenants/<slug>/exports/<export_id>")
@require(Permission.MANAGE_TENANTS)
def download_export(slug: str, export_id: str) -> Response:
    """The archive, for a week."""
    tenant = queries.find_tenant(slug)
    export = queries.find_export(tenant.id, export_id, by=actor())
    path = exports.take_export(export, files_root(), by=actor(), at=time.now())
    db.session.commit()
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name, max_age=0)
