"""Assets of all clients that one may see: list, page, entering and retiring."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.forms import AssetForm
from msp.console.sheets import asset_sheet
from msp.console.tenants import revision, saved
from msp.knowledge.queries import Reader
from msp.knowledge.searching import list_for_assets
from msp.web.access import actor, require
from msp.web.languages import reader_language
from msp.web.look import flash_with_undo
from msp.web.paging import asked, cut
from tenants.assets import queries, rules, services, words
from tenants.assets.models import Asset
from tenants.assets.queries import AssetFilter
from tenants.assets.rules import Entered, split_tags
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Site, Tenant
from tenants.tickets.queries import Filter, list_tickets

STATES = ("active", "quarantined", "retired", "all")


def asked_filter(tenant: Tenant | None) -> AssetFilter:
    """What the address asks to see; unknown values are as if they were left out."""
    given = {
        name: request.args.get(name, "")[:200]
        for name in ("q", "kind", "state", "tag", "software", "version")
    }
    site_id = None
    if tenant is not None and request.args.get("site"):
        site_id = tenancy.find_site(tenant.id, request.args["site"]).id
    return AssetFilter(
        tenant_id=tenant.id if tenant else None,
        site_id=site_id,
        q=given["q"],
        kind=given["kind"] if given["kind"] in words.KIND_WORDS else "",
        state=given["state"] if given["state"] in STATES else "",
        tag=given["tag"],
        software=given["software"],
        version=given["version"],
        silent=request.args.get("silent") == "1",
    )


def asked_tenant() -> Tenant | None:
    """The client that the list is narrowed to. Raises NotFound."""
    slug = request.args.get("tenant", "")
    return tenancy.find_tenant(slug) if slug else None


@bp.get("/assets")
@require(Permission.VIEW_ASSETS)
def list_assets() -> Any:
    """Assets by name, narrowed by what the address says."""
    after, limit = asked(str, int, int)
    now, tenant = time.now(), asked_tenant()
    chosen = asked_filter(tenant)
    tenants = tenancy.list_all_tenants()
    page = cut(queries.list_assets(chosen, at=now, after=after, limit=limit), limit, queries.sort_key)
    return render_template(
        "console/list_assets.html",
        page=page,
        chosen=chosen,
        tenant=tenant,
        tenant_options=[(one.slug, one.name) for one in tenants],
        client_names={one.id: one.name for one in tenants},
        sites=tenancy.sites_of([(one.tenant_id, one.site_id) for one in page.items if one.site_id]),
        site_options=[(site.public_id, site.name) for site in tenancy.list_sites(tenant.id)]
        if tenant
        else [],
        words=words,
        is_silent=lambda asset: rules.is_asset_silent(asset, now),
    )


@bp.get("/assets.csv")
@require(Permission.VIEW_ASSETS)
def export_assets() -> Response:
    """The same list as CSV, all pages of it."""
    return asset_sheet(asked_filter(asked_tenant()), with_client=True)


@bp.get("/assets/<asset_id>")
@require(Permission.VIEW_ASSETS)
def show_asset(asset_id: str) -> Any:
    """One asset: what people entered beside what its agent reports, and its software."""
    asset = queries.find_asset(asset_id)
    after, limit = asked(str, str)
    q = request.args.get("q", "")[:100]
    rows = queries.list_software(asset, q=q, after=after, limit=limit)
    tenant = tenancy.find_tenant_by_id(asset.tenant_id)
    return render_template(
        "console/show_asset.html",
        machine=asset,
        remote_link=rules.remote_link(asset),
        tenant=tenant,
        site=tenancy.site_of(asset.tenant_id, asset.site_id),
        software=cut(rows, limit, lambda one: (one.name, one.architecture)),
        q=q,
        words=words,
        is_silent=rules.is_asset_silent(asset, time.now()),
        tickets=list_tickets(
            Filter(state="all", tenant_id=asset.tenant_id, asset_id=asset.id), by=actor(), limit=5
        ),
        ticket_page="desk.show_ticket",
        known=list_for_assets(asset.tenant_id, [asset.id], Reader.of(actor()), reader_language()),
    )


@bp.route("/tenants/<slug>/assets/new", methods=["GET", "POST"])
@require(Permission.MANAGE_ASSETS)
def add_asset(slug: str) -> Any:
    """A new asset of a client."""
    tenant = tenancy.find_tenant(slug)
    form = _form(tenant)
    made: list[Asset] = []
    if form.validate_on_submit() and saved(
        form,
        lambda: made.append(services.add_asset(tenant.id, _entered(form, tenant), by=actor(), at=time.now())),
    ):
        flash(_("%(name)s is added.", name=made[0].name), "good")
        return redirect(url_for("console.show_asset", asset_id=made[0].public_id))
    return _page(form, tenant, None)


@bp.route("/assets/<asset_id>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_ASSETS)
def edit_asset(asset_id: str) -> Any:
    """Change what people say about an asset."""
    asset = queries.find_asset(asset_id)
    tenant = tenancy.find_tenant_by_id(asset.tenant_id)
    form = _form(tenant, asset)
    if form.validate_on_submit() and saved(
        form,
        lambda: services.edit_asset(
            asset, _entered(form, tenant), rev=revision(form), by=actor(), at=time.now()
        ),
    ):
        flash(_("%(name)s is saved.", name=asset.name), "good")
        return redirect(url_for("console.show_asset", asset_id=asset.public_id))
    return _page(form, tenant, asset)


@bp.post("/assets/<asset_id>/retire")
@require(Permission.MANAGE_ASSETS)
def retire_asset(asset_id: str) -> Any:
    """Take an asset out of service; the undo puts it back."""
    asset = queries.find_asset(asset_id)
    services.retire_asset(asset, by=actor(), at=time.now())
    db.session.commit()
    undo = url_for("console.unretire_asset", asset_id=asset.public_id)
    flash_with_undo(
        _("%(name)s is retired: it gets no more updates, and the client no longer sees it.", name=asset.name),
        undo,
    )
    return redirect(url_for("console.show_asset", asset_id=asset.public_id))


@bp.post("/assets/<asset_id>/unretire")
@require(Permission.MANAGE_ASSETS)
def unretire_asset(asset_id: str) -> Any:
    """Put an asset back into service."""
    asset = queries.find_asset(asset_id)
    services.unretire_asset(asset, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is back in service.", name=asset.name), "good")
    return redirect(url_for("console.show_asset", asset_id=asset.public_id))


def _form(tenant: Tenant, asset: Asset | None = None) -> AssetForm:
    sites = tenancy.list_sites(tenant.id, retired=True)
    form = AssetForm(data=_shown(asset, sites) if asset else None)
    form.offer([site for site in sites if site.retired_at is None or (asset and site.id == asset.site_id)])
    return form


def _shown(asset: Asset, sites: list[Site]) -> dict[str, Any]:
    """What people entered, as the form's fields hold it."""
    kept = ("name", "kind", "serial", "controller_id", "remote_url", "notes", "rev")
    site = next((str(one.public_id) for one in sites if one.id == asset.site_id), "")
    return {**{field: getattr(asset, field) for field in kept}, "tags": ", ".join(asset.tags), "site": site}


def _entered(form: AssetForm, tenant: Tenant) -> Entered:
    """The form's values; a site that is not this client's is named as the field at fault."""
    return Entered(
        name=form.name.data,
        kind=form.kind.data,
        site_id=_site(form, tenant),
        serial=form.serial.data or None,
        tags=split_tags(form.tags.data or ""),
        notes=(form.notes.data or "").replace("\r\n", "\n"),
        controller_id=form.controller_id.data or None,
        remote_url=form.remote_url.data or "",
    )


def _site(form: AssetForm, tenant: Tenant) -> int | None:
    if not form.site.data:
        return None
    try:
        return tenancy.find_site(tenant.id, form.site.data).id
    except NotFound as unknown:
        raise services.unknown_site() from unknown


def _page(form: AssetForm, tenant: Tenant, asset: Asset | None) -> Any:
    stale = bool(form.form_errors)
    if stale and asset is not None:
        db.session.refresh(asset)
        form.rev.data = str(asset.rev)
    page = render_template("console/edit_asset.html", form=form, tenant=tenant, machine=asset)
    return page, 409 if stale else 422 if form.errors else 200
