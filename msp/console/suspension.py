"""Suspending, resuming and seeing off a client: each says what will happen before it does."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.forms import OffboardForm, SuspendForm
from msp.console.tenants import form_page, revision, saved
from msp.web.access import actor, require
from msp.web.look import flash_with_undo
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries, services


@bp.route("/tenants/<slug>/suspend", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def suspend_tenant(slug: str) -> Any:
    """Ask for the reason, say what follows, then refuse the client's people and agents."""
    tenant = queries.find_tenant(slug)
    form = SuspendForm(
        data={"rev": request.args.get("rev", tenant.rev), "reason": request.args.get("reason", "")}
    )
    if form.validate_on_submit() and saved(
        form,
        lambda: services.suspend_tenant(
            tenant, reason=form.reason.data or "", rev=revision(form), by=actor(), at=time.now()
        ),
    ):
        undo = url_for("console.resume_tenant", slug=slug, rev=tenant.rev)
        flash_with_undo(_("%(name)s is suspended.", name=tenant.name), undo)
        return redirect(url_for("console.show_tenant", slug=slug))
    return form_page("suspend_tenant", form, tenant)


@bp.post("/tenants/<slug>/resume")
@require(Permission.MANAGE_TENANTS)
def resume_tenant(slug: str) -> Any:
    """Serve the client again; the undo suspends it for the same reason."""
    tenant = queries.find_tenant(slug)
    reason = tenant.suspended_reason
    rev = request.values.get("rev", "")
    services.resume_tenant(
        tenant, rev=int(rev) if rev.isdigit() and len(rev) < 12 else -1, by=actor(), at=time.now()
    )
    db.session.commit()
    undo = url_for("console.suspend_tenant", slug=slug, rev=tenant.rev, reason=reason)
    flash_with_undo(_("%(name)s is served again.", name=tenant.name), undo)
    return redirect(url_for("console.show_tenant", slug=slug))


@bp.route("/tenants/<slug>/offboard", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def offboard_tenant(slug: str) -> Any:
    """Mark a suspended client as gone, after its short name was typed."""
    tenant = queries.find_tenant(slug)
    form = OffboardForm(data={"rev": tenant.rev})
    if form.validate_on_submit() and saved(
        form,
        lambda: services.offboard_tenant(
            tenant, typed_slug=form.typed_slug.data or "", rev=revision(form), by=actor(), at=time.now()
        ),
    ):
        flash(_("%(name)s has left and is no longer listed.", name=tenant.name), "info")
        return redirect(url_for("console.list_tenants"))
    return form_page("offboard_tenant", form, tenant)
