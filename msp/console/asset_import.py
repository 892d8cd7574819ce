"""Assets from a file: choose it, look at what would happen, then do it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.console.blueprint import bp
from msp.console.forms import ImportForm
from msp.web.access import actor, require
from tenants.assets import imports, sheets
from tenants.assets.imports import Plan
from tenants.assets.sheets import Sheet
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Tenant

FIELDS = {
    "name": _l("Name"),
    "kind": _l("Kind"),
    "site": _l("Site"),
    "serial": _l("Serial number"),
    "tags": _l("Tags"),
    "notes": _l("Notes"),
    "controller_id": _l("Agent id"),
}
MOST_PROBLEMS_SHOWN = 100


@bp.route("/tenants/<slug>/assets/import", methods=["GET", "POST"])
@require(Permission.MANAGE_ASSETS)
def import_assets(slug: str) -> Any:
    """One page for all steps: the text of the file travels with the form, nothing is kept in between."""
    tenant = tenancy.find_tenant(slug)
    form = ImportForm()
    if request.method == "GET" or not form.validate_on_submit():
        return _choose(tenant)
    try:
        text, name = _given(form)
        sheet = sheets.read_sheet(text)
    except Invalid as refused:
        return _choose(tenant, refused.message, 422)
    mapping = _mapping(sheet)
    try:
        plan = imports.plan_import(tenant.id, sheet, mapping)
    except Invalid as refused:
        return _look(tenant, text, name, sheet, mapping, Plan(), refused.message, 422)
    if "apply" not in request.form:
        return _look(tenant, text, name, sheet, mapping, plan)
    return _apply(tenant, text, name, sheet, mapping, plan)


def _given(form: ImportForm) -> tuple[str, str]:
    """The text of the chosen file, or of the one looked at before. Raises Invalid."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        with upload.stream as stream:
            return sheets.decode(stream.read(sheets.MOST_BYTES + 1)), upload.filename[:200]
    if not form.text.data:
        raise Invalid("file", _("Choose a file."))
    return sheets.decode(form.text.data.encode("utf-8", "replace")), (form.file_name.data or "")[:200]


def _mapping(sheet: Sheet) -> dict[str, int]:
    """What the person chose for each column, else what the headers say."""
    if "mapped" not in request.form:
        return sheets.guess_mapping(sheet.headers)
    chosen: dict[str, int] = {}
    for place in range(len(sheet.headers)):
        field = request.form.get(f"column_{place}", "")
        if field in FIELDS:
            chosen.setdefault(field, place)
    return chosen


def _choose(tenant: Tenant, error: Any = "", status: int = 200) -> Any:
    return render_template("console/import_assets.html", tenant=tenant, error=error, fields=FIELDS), status


def _look(
    tenant: Tenant,
    text: str,
    name: str,
    sheet: Sheet,
    mapping: dict[str, int],
    plan: Plan,
    error: Any = "",
    status: int = 200,
) -> Any:
    page = render_template(
        "console/check_import.html",
        tenant=tenant,
        text=text,
        file_name=name,
        sheet=sheet,
        columns={place: field for field, place in mapping.items()},
        plan=plan,
        problems=plan.problems[:MOST_PROBLEMS_SHOWN],
        bad_lines=len({line for line, _field, _message in plan.problems}),
        fields=FIELDS,
        error=error,
    )
    return page, status


def _apply(tenant: Tenant, text: str, name: str, sheet: Sheet, mapping: dict[str, int], plan: Plan) -> Any:
    try:
        added, changed = imports.apply_import(
            tenant.id,
            plan,
            skip_bad=request.form.get("skip_bad") == "y",
            file_name=name,
            by=actor(),
            at=time.now(),
        )
        db.session.commit()
    except (Invalid, Conflict) as refused:
        db.session.rollback()
        return _look(tenant, text, name, sheet, mapping, plan, refused.message, refused.http_status)
    flash(_("%(added)s assets added, %(changed)s changed.", added=added, changed=changed), "good")
    return redirect(url_for("console.list_assets", tenant=tenant.slug))
