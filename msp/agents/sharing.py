"""Pages on what a client's machines share, and on how one machine's client calls. Tokens are shown once."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from msp.agents import devices, rotation, shared
from msp.agents.blueprint import bp
from msp.agents.forms import ClientForm, SharedForm
from msp.agents.models import SharedCredential
from msp.agents.words import SHARED_WORDS
from msp.campaigns.capabilities import client_named, overrides
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.limits import limiter
from tenants.assets.models import Asset
from tenants.assets.queries import find_asset
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, find_tenant_by_id, list_all_tenants

TOKENS = "60/hour"


@bp.get("/console/agents/clients")
@require(Permission.ENROL_AGENTS)
def list_clients() -> Any:
    """Whose machines share what."""
    return render_template("agents/list_clients.html", tenants=list_all_tenants())


@bp.route("/console/agents/clients/<slug>", methods=["GET", "POST"])
@require(Permission.ENROL_AGENTS)
@limiter.limit(TOKENS, methods=["POST"])
def show_client(slug: str) -> Any:
    """What a client's machines share, and a form for one more."""
    tenant = find_tenant(slug)
    form = SharedForm()
    if form.validate_on_submit():
        try:
            kept, token = shared.add_shared(
                tenant.id,
                kind=form.kind.data,
                name=form.name.data or "",
                issuer=form.issuer.data or "",
                by=actor(),
                at=time.now(),
            )
            db.session.commit()
            return _added(kept, token, tenant)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    page = render_template(
        "agents/show_client.html",
        form=form,
        tenant=tenant,
        kept=shared.list_shared(tenant.id),
        words=SHARED_WORDS,
    )
    return page, 422 if form.errors else 200


def _added(kept: SharedCredential, token: str, tenant: Tenant) -> Any:
    if not token:
        flash(_("Certificates of %(name)s count from now on.", name=kept.name), "good")
        return redirect(url_for("agents.show_client", slug=tenant.slug))
    return render_template(
        "agents/show_shared.html",
        kept=kept,
        token=token,
        tenant=tenant,
        address=current_app.extensions["settings"].public_url,
    )


@bp.route("/console/agents/shared/<shared_id>/revoke", methods=["GET", "POST"])
@require(Permission.ENROL_AGENTS)
def revoke_shared(shared_id: str) -> Any:
    """End what machines share, at once."""
    kept = shared.find_shared(shared_id)
    tenant = find_tenant_by_id(kept.tenant_id)
    if request.method == "POST" and FlaskForm().validate_on_submit():
        shared.revoke_shared(kept, by=actor(), at=time.now())
        db.session.commit()
        flash(_("%(name)s is refused from now on.", name=kept.name), "good")
        return redirect(url_for("agents.show_client", slug=tenant.slug))
    return render_template("agents/revoke_shared.html", kept=kept, tenant=tenant)


@bp.post("/console/agents/hand-out/<asset_id>")
@require(Permission.ENROL_AGENTS)
@limiter.limit(TOKENS)
def hand_out_token(asset_id: str) -> Any:
    """A token for a client that cannot enrol by itself."""
    machine = find_asset(asset_id)
    token = rotation.hand_out_token(machine, by=actor(), at=time.now())
    db.session.commit()
    return render_template(
        "agents/show_handed_out.html",
        machine=machine,
        tenant=find_tenant_by_id(machine.tenant_id),
        token=token,
        address=f"{current_app.extensions['settings'].public_url}/ddi",
    )


@bp.post("/console/agents/rotate/<asset_id>")
@require(Permission.ENROL_AGENTS)
def rotate_credential(asset_id: str) -> Any:
    """Have the asset's agent replace its credential."""
    machine = find_asset(asset_id)
    rotation.ask_rotation(machine, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The agent of %(name)s replaces its credential when it calls next.", name=machine.name), "good")
    return redirect(url_for("agents.enrol_asset", asset_id=machine.public_id))


@bp.post("/console/agents/client/<asset_id>")
@require(Permission.ENROL_AGENTS)
def set_client(asset_id: str) -> Any:
    """Say which client an asset runs and what it can do, where people know better."""
    machine = find_asset(asset_id)
    form = ClientForm()
    if form.validate_on_submit():
        _set_client(machine, form)
        db.session.commit()
        flash(_("What the client of %(name)s can do is kept.", name=machine.name), "good")
    return redirect(url_for("agents.enrol_asset", asset_id=machine.public_id))


def _set_client(machine: Asset, form: ClientForm) -> None:
    db.session.refresh(machine, with_for_update=True)
    own = {name: value for name, value in machine.capabilities.items() if name != "by_staff"}
    chosen = {"client": form.client.data} if form.client.data else {}
    known = client_named({**own, "by_staff": chosen})
    # Whoever names another client gets what is known of it: the boxes shown were the former one's.
    is_same = known == client_named(machine.capabilities)
    by_staff = {**chosen, **(overrides(known, form.wanted()) if is_same else {})}
    machine.capabilities = {**own, **({"by_staff": by_staff} if by_staff else {})}
    audit.record(
        "agent.set_client",
        tenant_id=machine.tenant_id,
        by=actor(),
        object=f"asset:{machine.public_id}",
        at=time.now(),
        detail={"name": machine.name, "capabilities": machine.capabilities},
    )


@bp.post("/console/agents/keys/<key>/refuse")
@require(Permission.ENROL_AGENTS)
def refuse_key(key: str) -> Any:
    """Refuse a device's key."""
    found = devices.find_key(key)
    devices.refuse_key(found, by=actor(), at=time.now())
    db.session.commit()
    machine = db.session.get_one(Asset, (found.tenant_id, found.asset_id))
    flash(_("The key is refused from now on."), "good")
    return redirect(url_for("agents.enrol_asset", asset_id=machine.public_id))
