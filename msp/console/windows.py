"""When changes may be made: a client's windows and freezes, and the provider's freezes of all clients."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.languages import choose_time_zone
from msp.windows import queries, services
from msp.windows.forms import FreezeForm, WindowForm, dates_of
from msp.windows.models import Freeze, MaintenanceWindow
from msp.windows.sheet import sheet_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.spans import Span
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant


@bp.get("/tenants/<slug>/windows")
@require(Permission.VIEW_CONTRACTS)
def list_windows(slug: str) -> Any:
    """A client's windows and freezes with their next dates, and those that its contract names."""
    tenant = find_tenant(slug)
    return render_template(
        "console/list_windows.html",
        tenant=tenant,
        sheet=sheet_of(tenant.id, time.now()),
        everywhere=queries.list_provider_freezes(time.now()),
        end_url=partial(url_for, "console.end_window", slug=slug),
        lift_url=partial(url_for, "console.lift_freeze", slug=slug),
    )


@bp.route("/tenants/<slug>/windows/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_window(slug: str) -> Any:
    """Agree on a window; its next dates are looked at before it is saved."""
    tenant = find_tenant(slug)
    today = time.now().astimezone(ZoneInfo(tenant.time_zone)).date()
    begun = {"first_on": today, "time_zone": tenant.time_zone}
    form = WindowForm(data=begun if request.method == "GET" else None)
    dates: list[Span] = []
    if form.validate_on_submit():
        try:
            recurring = form.recurring(time.now())
            dates = dates_of(recurring, time.now())
            if form.is_to_be_saved(recurring):
                return _save_window(form, tenant)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    page = render_template("console/add_window.html", form=form, tenant=tenant, dates=dates)
    return page, 422 if form.errors else 200


def _save_window(form: WindowForm, tenant: Tenant) -> Any:
    rule = form.recurring(time.now())
    window = services.add_window(
        tenant_id=tenant.id,
        name=form.name.data or "",
        rule=rule.rule,
        first_on=rule.first_on,
        starts_at=rule.starts_at,
        minutes=rule.minutes,
        time_zone=rule.time_zone,
        by=actor(),
        at=time.now(),
    )
    db.session.commit()
    flash(_("%(name)s is saved.", name=window.name), "good")
    return _back(tenant)


def _back(tenant: Tenant) -> Any:
    return redirect(url_for("console.list_windows", slug=tenant.slug))


@bp.route("/tenants/<slug>/windows/<window>/end", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def end_window(slug: str, window: str) -> Any:
    """End a window, after saying what that means."""
    tenant = find_tenant(slug)
    found = _window_of(tenant, window)
    if request.method == "GET":
        others = len(sheet_of(tenant.id, time.now()).windows) - 1
        return render_template("console/end_window.html", tenant=tenant, window=found, others=others)
    services.end_window(found, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s has ended.", name=found.name), "good")
    return _back(tenant)


def _window_of(tenant: Tenant, public_id: str) -> MaintenanceWindow:
    found = queries.find_window(public_id)
    if found.tenant_id != tenant.id:
        raise NotFound
    return found


@bp.route("/tenants/<slug>/freezes/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_freeze(slug: str) -> Any:
    """Let nothing be changed at a client for some time."""
    tenant = find_tenant(slug)
    form = FreezeForm()
    if form.validate_on_submit() and _froze(form, tenant.time_zone, services.add_freeze, tenant_id=tenant.id):
        return _back(tenant)
    page = render_template("console/add_freeze.html", form=form, tenant=tenant, time_zone=tenant.time_zone)
    return page, 422 if form.errors else 200


def _froze(form: FreezeForm, time_zone: str, service: Any, **more: Any) -> bool:
    """Call the service and commit; a refusal goes into the form."""
    begins_at, ends_at = form.moments(time_zone)
    try:
        service(
            name=form.name.data or "",
            begins_at=begins_at,
            ends_at=ends_at,
            by=actor(),
            at=time.now(),
            **more,
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return False
    flash(_("%(name)s is saved.", name=form.name.data), "good")
    return True


@bp.route("/tenants/<slug>/freezes/<freeze>/lift", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def lift_freeze(slug: str, freeze: str) -> Any:
    """Let changes be made again at a client, after saying what that means."""
    tenant = find_tenant(slug)
    found: Freeze = queries.find_freeze(freeze)
    if found.tenant_id != tenant.id:
        raise NotFound
    if request.method == "GET":
        return render_template("console/lift_freeze.html", tenant=tenant, freeze=found)
    services.lift_freeze(found, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is lifted.", name=found.name), "good")
    return _back(tenant)


@bp.get("/freezes")
@require(Permission.VIEW_CONTRACTS)
def list_provider_freezes() -> Any:
    """Times in which nothing is changed at any client."""
    return render_template(
        "console/list_provider_freezes.html", freezes=queries.list_provider_freezes(time.now())
    )


@bp.route("/freezes/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_provider_freeze() -> Any:
    """Let nothing be changed at any client for some time."""
    form, zone = FreezeForm(), choose_time_zone()
    if form.validate_on_submit() and _froze(form, zone, services.add_provider_freeze):
        return redirect(url_for("console.list_provider_freezes"))
    page = render_template("console/add_freeze.html", form=form, tenant=None, time_zone=zone)
    return page, 422 if form.errors else 200


@bp.route("/freezes/<freeze>/lift", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def lift_provider_freeze(freeze: str) -> Any:
    """Let changes be made again at the clients, after saying what that means."""
    found = queries.find_provider_freeze(freeze)
    if request.method == "GET":
        return render_template("console/lift_freeze.html", tenant=None, freeze=found)
    services.lift_provider_freeze(found, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is lifted.", name=found.name), "good")
    return redirect(url_for("console.list_provider_freezes"))
