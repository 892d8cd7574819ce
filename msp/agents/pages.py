"""Pages on which people enrol machines. A token is shown once, in the answer to the form that asked for it."""

from dataclasses import asdict
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from msp.agents import devices, enrolment, joining, rotation
from msp.agents.blueprint import bp
from msp.agents.forms import AdmitForm, ClientForm, EnrolForm, UnknownAssetForm
from msp.agents.words import CLIENT_WORDS, KEY_WORDS, QUARANTINE_WORDS
from msp.campaigns.capabilities import capabilities_of, client_named
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.limits import limiter
from msp.web.paging import asked, cut
from tenants.assets import queries
from tenants.assets.models import Asset
from tenants.assets.queries import AssetFilter, find_asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, find_tenant_by_id, list_all_tenants, names_of

TOKENS = "60/hour"


@bp.get("/console/agents/")
@require(Permission.ENROL_AGENTS)
def list_unadmitted() -> Any:
    """Machines that have enrolled or may, and that nothing is rolled out to until a person admits them."""
    after, limit = asked(str, int, int)
    waiting = AssetFilter(state="quarantined")
    page = cut(queries.list_assets(waiting, at=time.now(), after=after, limit=limit), limit, queries.sort_key)
    pairs = [(one.tenant_id, one.id) for one in page.items]
    return render_template(
        "agents/list_unadmitted.html",
        page=page,
        tenants=names_of([one.tenant_id for one in page.items]),
        live=enrolment.count_live_by_asset(pairs),
        keys=devices.keys_of(pairs),
        words=QUARANTINE_WORDS,
        alarms=devices.list_alarms(),
    )


@bp.route("/console/agents/enrol", methods=["GET", "POST"])
@require(Permission.ENROL_AGENTS)
@limiter.limit(TOKENS, methods=["POST"])
def enrol_unknown() -> Any:
    """A token for a machine that is not listed yet: it comes into quarantine."""
    form = UnknownAssetForm()
    form.tenant.choices = [(tenant.slug, tenant.name) for tenant in list_all_tenants()]
    if form.validate_on_submit():
        try:
            tenant = find_tenant(form.tenant.data)
            machine = enrolment.add_unknown_asset(
                tenant_id=tenant.id, name=form.name.data or "", kind=form.kind.data, by=actor(), at=time.now()
            )
            return _issue(machine, tenant, form.controller_id.data)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    return render_template("agents/enrol_unknown.html", form=form), 422 if form.errors else 200


@bp.route("/console/agents/enrol/<asset_id>", methods=["GET", "POST"])
@require(Permission.ENROL_AGENTS)
@limiter.limit(TOKENS, methods=["POST"])
def enrol_asset(asset_id: str) -> Any:
    """A token for an asset."""
    machine = find_asset(asset_id)
    tenant = find_tenant_by_id(machine.tenant_id)
    form = EnrolForm()
    if form.validate_on_submit():
        try:
            return _issue(machine, tenant, form.controller_id.data)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    can_rotate, is_rotating = rotation.rotations_of(machine)
    page = render_template(
        "agents/enrol_asset.html",
        can_rotate=can_rotate,
        is_rotating=is_rotating,
        form=form,
        machine=machine,
        tenant=tenant,
        live=enrolment.count_live(machine),
        keys=devices.keys_of([(machine.tenant_id, machine.id)]).get((machine.tenant_id, machine.id), []),
        key_words=KEY_WORDS,
        words=QUARANTINE_WORDS,
        admit=_admit_form(machine),
        client=_client_form(machine),
        program=CLIENT_WORDS[client_named(machine.capabilities)],
    )
    return page, 422 if form.errors else 200


def _client_form(machine: Asset) -> ClientForm:
    """What the asset's client can do, as it counts now."""
    chosen = machine.capabilities.get("by_staff", {}).get("client", "")
    return ClientForm(formdata=None, client=chosen, **asdict(capabilities_of(machine.capabilities)))


def _issue(machine: Asset, tenant: Tenant, controller_id: str | None) -> Any:
    token = enrolment.issue_token(
        machine, by=actor(), at=time.now(), controller_id=(controller_id or "").strip()
    )
    db.session.commit()
    config = {
        "url": f"{current_app.extensions['settings'].public_url}/ddi",
        "tenant": tenant.slug,
        "controller_id": machine.controller_id,
        "enrolment_token": token,
    }
    return render_template("agents/show_token.html", machine=machine, tenant=tenant, config=config)


@bp.post("/console/agents/admit/<asset_id>")
@require(Permission.ENROL_AGENTS)
def admit_asset(asset_id: str) -> Any:
    """Let a machine out of quarantine, as an asset of its own or as one that is known."""
    machine = find_asset(asset_id)
    joined = request.form.get("asset", "")
    if joined:
        return _join(machine, joined)
    enrolment.admit_asset(machine, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is admitted. Campaigns may include it now.", name=machine.name), "good")
    return redirect(url_for("agents.list_unadmitted"))


def _join(machine: Asset, asset_id: str) -> Any:
    try:
        known = joining.join_asset(machine, asset_id, by=actor(), at=time.now())
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        flash(str(refused.message), "danger")
        return redirect(url_for("agents.enrol_asset", asset_id=machine.public_id))
    flash(_("The device is admitted as %(name)s. Campaigns may include it now.", name=known.name), "good")
    return redirect(url_for("agents.enrol_asset", asset_id=known.public_id))


def _admit_form(machine: Asset) -> AdmitForm:
    """Which of its client's assets a waiting device may turn out to be."""
    form = AdmitForm(formdata=None)
    known = joining.list_joinable(machine) if machine.quarantined_for == "device" else []
    form.asset.choices = [("", _("A new asset")), *((str(one.public_id), one.name) for one in known)]
    return form


@bp.route("/console/agents/revoke/<asset_id>", methods=["GET", "POST"])
@require(Permission.ENROL_AGENTS)
def revoke_agent(asset_id: str) -> Any:
    """End an agent's credentials at once."""
    machine = find_asset(asset_id)
    form = FlaskForm()
    live = enrolment.count_live(machine)
    if request.method == "POST" and form.validate_on_submit():
        if machine.state == "retired" and not live:
            raise Conflict(_("This asset has no credential any more."))
        enrolment.revoke_credentials(machine, by=actor(), at=time.now())
        db.session.commit()
        flash(_("The agent of %(name)s is refused from now on.", name=machine.name), "good")
        return redirect(url_for("agents.enrol_asset", asset_id=machine.public_id))
    return render_template("agents/revoke_agent.html", machine=machine, live=live)
