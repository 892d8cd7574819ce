"""Taking on a client: one guided page, everything or nothing."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.console import services
from msp.console.blueprint import bp
from msp.console.forms import FEWEST_SITES, OnboardingForm, onboarding_form
from msp.console.services import Admin
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries
from tenants.tenancy.models import Tenant
from tenants.tenancy.rules import Onboarding, suggest_prefix, suggest_slug

CHECK_SLUG = _l("We suggest this short name. It never changes: check it, then send the page again.")
CHECK_PREFIX = _l("We suggest this prefix. It never changes: check it, then send the page again.")


@bp.route("/tenants/new", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def onboard_tenant() -> Any:
    """The guided page. Sent twice, it takes the client on once."""
    form = onboarding_form(_rows_asked())
    if request.method == "GET":
        form.key.data = str(uuid.uuid4())
    elif "more_sites" in request.form:
        form.site_count.data = str(len(form.site_rows()))
        return _page(form, 200)
    elif form.validate_on_submit():
        tenant = _already(form) or _onboard(form)
        if tenant is not None:
            return redirect(url_for("console.show_tenant", slug=tenant.slug))
    return _page(form, 422 if form.errors else 200)


def _rows_asked() -> int:
    typed = request.form.get("site_count", "")
    rows = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else FEWEST_SITES
    return rows + ("more_sites" in request.form)


def _page(form: OnboardingForm, status: int) -> Any:
    return render_template("console/onboard_tenant.html", form=form), status


def _already(form: OnboardingForm) -> Tenant | None:
    """The client that this very form has taken on before."""
    try:
        found = queries.find_onboarded(queries.as_uuid(form.key.data or ""))
    except NotFound:
        return None
    if found is not None:
        flash(_("%(name)s was taken on already.", name=found.name), "info")
    return found


def _onboard(form: OnboardingForm) -> Tenant | None:
    if _suggested(form):
        return None
    try:
        tenant = services.take_on(
            _plan(form),
            admin=Admin(form.admin_name.data, form.admin_email.data) if form.admin_email.data else None,
            standard_contract=form.contract.data == "standard",
            by=actor(),
            at=time.now(),
            key=_key(form),
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        twin = _already(form)
        if twin is None:
            _show(form, refused)
        return twin
    flash(_("%(name)s is taken on.", name=tenant.name), "good")
    return tenant


def _key(form: OnboardingForm) -> uuid.UUID | None:
    try:
        return queries.as_uuid(form.key.data or "")
    except NotFound:
        return None


def _suggested(form: OnboardingForm) -> bool:
    """Fill in what was left empty and ask to check it, because it never changes."""
    slugs, prefixes = queries.taken_names()
    missing = False
    if not form.slug.data:
        form.slug.data, form.slug.errors, missing = suggest_slug(form.name.data, slugs), [CHECK_SLUG], True
    if not form.prefix.data:
        form.prefix.data, form.prefix.errors, missing = (
            suggest_prefix(form.name.data, prefixes),
            [CHECK_PREFIX],
            True,
        )
    return missing


def _plan(form: OnboardingForm) -> Onboarding:
    return Onboarding(
        name=form.name.data,
        slug=form.slug.data,
        prefix=form.prefix.data.upper(),
        time_zone=form.time_zone.data,
        language=form.language.data,
        address=form.address.data or "",
        sites=tuple(plan for _row, plan in form.sites()),
        priority_matrix=form.matrix(),
    )


def _show(form: OnboardingForm, refused: Invalid) -> None:
    """Put each fault beside its field; a site's fault goes to the row in which it was typed."""
    rows = [row for row, _plan in form.sites()]
    plain = []
    for field, message in refused.errors:
        part = field.split("-")
        if part[0] == "sites":
            name = form[f"site_{rows[int(part[1])]}_name"]
            name.errors = [*name.errors, message]
        else:
            plain.append((field, message))
    for one in plain:
        refuse_into_form(Invalid(*one), form)
    _suggest_instead(form, refused)


def _suggest_instead(form: OnboardingForm, refused: Invalid) -> None:
    """Offer a free name where the chosen one is taken."""
    slugs, prefixes = queries.taken_names()
    faulty = {field for field, _message in refused.errors}
    if "slug" in faulty:
        free = suggest_slug(form.name.data, {*slugs, form.slug.data})
        form.slug.errors = [*form.slug.errors, _("Perhaps: %(name)s", name=free)]
    if "prefix" in faulty:
        free = suggest_prefix(form.name.data, {*prefixes, form.prefix.data})
        form.prefix.errors = [*form.prefix.errors, _("Perhaps: %(name)s", name=free)]
