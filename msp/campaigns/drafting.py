"""Pages on which a campaign is put together: release, assets, waves."""

from collections.abc import Sequence
from typing import IO, Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.campaigns import queries, releases, services
from msp.campaigns.blueprint import bp
from msp.campaigns.board import show_campaign_page
from msp.campaigns.forms import NEW_RELEASE, AssetsForm, DraftForm, WavesForm
from msp.campaigns.models import Campaign, Release
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_all_tenants


@bp.route("/new", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def draft_campaign() -> Any:
    """Title and release of a new campaign."""
    form = DraftForm()
    form.release.choices = [
        (NEW_RELEASE, _("A new release")),
        *((str(one.public_id), one.label) for one in releases.list_releases()),
    ]
    if form.validate_on_submit():
        campaign = _draft(form)
        if campaign is not None:
            return redirect(_url(campaign))
    return render_template("campaigns/draft_campaign.html", form=form), 422 if form.errors else 200


def _draft(form: DraftForm) -> Campaign | None:
    try:
        campaign = services.draft_campaign(
            title=form.title.data or "", release=_release(form), by=actor(), at=time.now()
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return None
    return campaign


def _release(form: DraftForm) -> Release:
    if not form.is_new_release:
        return releases.usable_release(form.release.data)
    return releases.add_release(
        name=(form.name.data or "").strip(),
        version=(form.version.data or "").strip(),
        target_path=(form.target_path.data or "").strip(),
        files=_files(form),
        by=actor(),
        at=time.now(),
    )


def _files(form: DraftForm) -> Sequence[tuple[str, IO[bytes]]]:
    given = [one for one in form.files.data or () if getattr(one, "filename", "")]
    return [(one.filename.replace("\\", "/").rpartition("/")[2], one.stream) for one in given]


def _url(campaign: Campaign, anchor: str | None = None) -> str:
    return url_for("campaigns.show_campaign", campaign=campaign.public_id, _anchor=anchor)


@bp.post("/<campaign>/assets")
@require(Permission.PROPOSE_CAMPAIGNS)
def add_assets(campaign: str) -> Any:
    """Add assets of clients to a draft."""
    found = queries.find_campaign(campaign)
    form = assets_form()
    if not form.validate_on_submit():
        return show_campaign_page(found, assets_form=form), 422
    slugs = {tenant.slug: tenant.id for tenant in list_all_tenants()}
    added = services.add_assets(
        found,
        by=actor(),
        tenants=[slugs[slug] for slug in form.tenants.data or () if slug in slugs],
        kind=form.kind.data or "",
        tag=(form.tag.data or "").strip().lower(),
        software=(form.software.data or "").strip(),
        version=(form.version.data or "").strip(),
    )
    db.session.commit()
    flash(ngettext("%(num)s asset added.", "%(num)s assets added.", added), "good" if added else "info")
    return redirect(_url(found, "assets"))


def assets_form() -> AssetsForm:
    """The form with the clients one is granted."""
    form = AssetsForm()
    form.tenants.choices = [(tenant.slug, tenant.name) for tenant in list_all_tenants()]
    return form


@bp.post("/<campaign>/assets/remove")
@require(Permission.PROPOSE_CAMPAIGNS)
def remove_assets(campaign: str) -> Any:
    """Take a client's assets out of a draft."""
    found = queries.find_campaign(campaign)
    slugs = {tenant.slug: tenant.id for tenant in list_all_tenants()}
    chosen = [slugs[slug] for slug in request.form.getlist("tenant") if slug in slugs]
    removed = services.remove_assets(found, by=actor(), tenants=chosen)
    db.session.commit()
    flash(ngettext("%(num)s asset removed.", "%(num)s assets removed.", removed), "info")
    return redirect(_url(found, "assets"))


@bp.post("/<campaign>/waves")
@require(Permission.PROPOSE_CAMPAIGNS)
def set_waves(campaign: str) -> Any:
    """How large the waves are, what stops them and how long each step may take."""
    found = queries.find_campaign(campaign)
    form = WavesForm()
    if form.validate_on_submit() and _wish(found, form):
        flash(_("The waves are set."), "good")
        return redirect(_url(found, "waves"))
    return show_campaign_page(found, waves_form=form), 422


def _wish(campaign: Campaign, form: WavesForm) -> bool:
    try:
        services.wish(
            campaign,
            by=actor(),
            percents=form.wave_percents(),
            gates=[form.gate()],
            timing=form.timing(),
            limits=form.limits(),
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return False
    return True
