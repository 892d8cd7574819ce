"""Planned maintenance of a client: what comes and what was, entering it, taking it back before it begins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length

from contracts.timers import maintenance as services
from msp.console.blueprint import bp
from msp.console.tenants import saved
from msp.web.access import actor, require
from msp.web.fields import options, plain_text
from tenants.assets.queries import ids_by_name
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.queries import find_tenant, list_sites

WHOLE, ASSETS = "tenant", "assets"
MOST_ASSETS = 1000
_YEARS = range(2000, 2101)


def _in_reach(_form: Any, field: Any) -> None:
    if field.data is not None and field.data.year not in _YEARS:
        raise ValidationError(_l("Choose a day and a time of this century."))


def _moment(label: Any) -> DateTimeLocalField:
    return DateTimeLocalField(label, [InputRequired(_l("Choose a day and a time.")), _in_reach])


class MaintenanceForm(FlaskForm):
    """What is planned, when, and for what; times are of the client's zone."""

    title = StringField(
        _l("What is done"),
        [
            DataRequired(_l("Write one line of at most 120 characters.")),
            Length(max=120, message=_l("Write one line of at most 120 characters.")),
            plain_text,
        ],
    )
    from_at = _moment(_l("Begin"))
    to_at = _moment(_l("Until"))
    reach = SelectField(_l("What is concerned"), default=WHOLE)
    assets = TextAreaField(_l("Names of the assets, one a line"), [Length(max=100_000)])

    @property
    def names(self) -> list[str]:
        """The assets that were typed, each once."""
        return list(
            dict.fromkeys(one.strip() for one in (self.assets.data or "").splitlines() if one.strip())
        )


@bp.get("/tenants/<slug>/maintenance")
@require(Permission.VIEW_CONTRACTS)
def list_maintenance(slug: str) -> Any:
    """What is planned for a client, and what was."""
    tenant, now = find_tenant(slug), time.now()
    coming, past = services.list_coming(tenant.id, now), services.list_past(tenant.id, now)
    return render_template(
        "console/list_maintenance.html",
        tenant=tenant,
        now=now,
        coming=coming,
        past=past,
        sites=_site_names(tenant),
        assets=services.names_of_reach([*coming, *past]),
    )


def _site_names(tenant: Tenant) -> dict[int, str]:
    return {one.id: one.name for one in list_sites(tenant.id, retired=True)}


@bp.route("/tenants/<slug>/maintenance/new", methods=["GET", "POST"])
@require(Permission.PLAN_MAINTENANCE)
def plan_maintenance(slug: str) -> Any:
    """Plan maintenance before it begins."""
    tenant, form = find_tenant(slug), MaintenanceForm()
    sites = list_sites(tenant.id)
    named = [(str(one.public_id), one.name) for one in sites]
    form.reach.choices = options(
        [(WHOLE, _("The whole client")), *named, (ASSETS, _("Chosen assets, named below"))]
    )
    if form.validate_on_submit() and saved(form, lambda: _record(tenant, form, sites)):
        flash(_("The maintenance is planned."), "good")
        return redirect(url_for("console.list_maintenance", slug=slug))
    page = render_template("console/plan_maintenance.html", tenant=tenant, form=form)
    return page, 422 if form.errors else 200


def _record(tenant: Tenant, form: MaintenanceForm, sites: Sequence[Site]) -> None:
    zone = ZoneInfo(tenant.time_zone)
    site = next((one for one in sites if str(one.public_id) == form.reach.data), None)
    work = services.Work(
        title=form.title.data or "",
        from_at=_of_zone(form.from_at.data, zone),
        to_at=_of_zone(form.to_at.data, zone),
        site_id=site.id if site else None,
        asset_ids=_asset_ids(tenant, form.names) if form.reach.data == ASSETS else (),
    )
    services.record_maintenance(tenant.id, work, by=actor(), at=time.now())


def _of_zone(typed: datetime | None, zone: ZoneInfo) -> datetime:
    assert typed is not None
    return typed.replace(tzinfo=zone)


def _asset_ids(tenant: Tenant, names: Sequence[str]) -> list[int]:
    """The assets of these names. Raises Invalid naming those that are not known."""
    if not 1 <= len(names) <= MOST_ASSETS:
        raise Invalid("assets", _l("Name at least one asset and at most 1,000."))
    known = ids_by_name(tenant.id, names)
    unknown = [one for one in names if one not in known]
    if unknown:
        shown = ", ".join(unknown[:5])
        raise Invalid("assets", _("This client has no asset of this name: %(names)s", names=shown))
    return [found for one in names for found in known[one]]


@bp.post("/tenants/<slug>/maintenance/<maintenance_id>/cancel")
@require(Permission.PLAN_MAINTENANCE)
def cancel_maintenance(slug: str, maintenance_id: str) -> Any:
    """Take back what has not begun."""
    tenant = find_tenant(slug)
    found = services.find_maintenance(maintenance_id, tenant_id=tenant.id)
    try:
        services.cancel_maintenance(found, by=actor(), at=time.now())
        db.session.commit()
    except Conflict as late:
        db.session.rollback()
        flash(str(late.message), "risk")
    else:
        flash(_("The maintenance is cancelled."), "good")
    return redirect(url_for("console.list_maintenance", slug=slug))
