"""A client's places."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.forms import SiteForm
from msp.console.tenants import saved
from msp.web.access import actor, require
from msp.web.look import flash_with_undo
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries, services
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.rules import SitePlan


@bp.route("/tenants/<slug>/sites/new", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def add_site(slug: str) -> Any:
    """A new place."""
    tenant = queries.find_tenant(slug)
    form = SiteForm()
    if form.validate_on_submit() and saved(
        form, lambda: services.add_site(tenant, _plan(form), by=actor(), at=time.now())
    ):
        flash(_("%(name)s is added.", name=form.name.data), "good")
        return redirect(url_for("console.show_tenant", slug=slug, _anchor="sites"))
    return _page(form, tenant, None)


@bp.route("/tenants/<slug>/sites/<site_id>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def edit_site(slug: str, site_id: str) -> Any:
    """Another name or address."""
    tenant = queries.find_tenant(slug)
    site = queries.find_site(tenant.id, site_id)
    form = SiteForm(obj=site)
    if form.validate_on_submit() and saved(
        form, lambda: services.edit_site(tenant, site, _plan(form), by=actor(), at=time.now())
    ):
        flash(_("%(name)s is saved.", name=form.name.data), "good")
        return redirect(url_for("console.show_tenant", slug=slug, _anchor="sites"))
    return _page(form, tenant, site)


@bp.post("/tenants/<slug>/sites/<site_id>/retire")
@require(Permission.MANAGE_TENANTS)
def retire_site(slug: str, site_id: str) -> Any:
    """Hide a place from new choices."""
    tenant = queries.find_tenant(slug)
    site = queries.find_site(tenant.id, site_id)
    services.retire_site(tenant, site, by=actor(), at=time.now())
    db.session.commit()
    undo = url_for("console.unretire_site", slug=slug, site_id=site.public_id)
    flash_with_undo(_("%(name)s is retired.", name=site.name), undo)
    return redirect(url_for("console.show_tenant", slug=slug, _anchor="sites"))


@bp.post("/tenants/<slug>/sites/<site_id>/unretire")
@require(Permission.MANAGE_TENANTS)
def unretire_site(slug: str, site_id: str) -> Any:
    """Offer a retired place again."""
    tenant = queries.find_tenant(slug)
    site = queries.find_site(tenant.id, site_id)
    services.unretire_site(tenant, site, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is in use again.", name=site.name), "good")
    return redirect(url_for("console.show_tenant", slug=slug, _anchor="sites"))


def _plan(form: SiteForm) -> SitePlan:
    return SitePlan(form.name.data, form.address.data or "")


def _page(form: SiteForm, tenant: Tenant, site: Site | None) -> Any:
    page = render_template("console/edit_site.html", form=form, tenant=tenant, site=site)
    return page, 422 if form.errors else 200
