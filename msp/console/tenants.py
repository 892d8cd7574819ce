"""Client companies: the list, taking one on, its page and its facts."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.forms import MatrixForm, TenantForm
from msp.console.links import tenant_links
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy import queries, services
from tenants.tenancy.models import Tenant
from tenants.tickets.rules import DEFAULT_MATRIX


@bp.get("/tenants")
@require(Permission.VIEW_TENANTS)
def list_tenants() -> Any:
    """Clients by name, with a search."""
    after, limit = asked(str, int)
    q, state = request.args.get("q", "")[:100], request.args.get("state", "")
    rows = queries.list_tenants(
        q=q, state=state if state in ("active", "suspended") else "", after=after, limit=limit
    )
    page = cut(rows, limit, lambda tenant: (tenant.name, tenant.id))
    return render_template("console/list_tenants.html", page=page, q=q, state=state)


@bp.get("/tenants/<slug>")
@require(Permission.VIEW_TENANTS)
def show_tenant(slug: str) -> Any:
    """One client: facts, sites, links to all that belongs to it, exports, and what is dangerous."""
    tenant = queries.find_tenant(slug)
    exports = queries.list_exports(tenant.id, by=actor()) if actor().may(Permission.MANAGE_TENANTS) else []
    return render_template(
        "console/show_tenant.html",
        tenant=tenant,
        sites=queries.list_sites(tenant.id, retired=True),
        matrix=tenant.priority_matrix or DEFAULT_MATRIX,
        exports=exports,
        links=tenant_links(tenant, actor()),
    )


@bp.route("/tenants/<slug>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def edit_tenant(slug: str) -> Any:
    """Change a client's facts; short name and prefix never change."""
    tenant = queries.find_tenant(slug)
    form = TenantForm(obj=tenant)
    if form.validate_on_submit() and _saved(form, lambda: _edit(tenant, form)):
        flash(_("%(name)s is saved.", name=tenant.name), "good")
        return redirect(url_for("console.show_tenant", slug=slug))
    return form_page("edit_tenant", form, tenant)


def _edit(tenant: Tenant, form: TenantForm) -> None:
    services.edit_tenant(
        tenant,
        name=form.name.data,
        address=form.address.data or "",
        time_zone=form.time_zone.data,
        language=form.language.data,
        rev=revision(form),
        by=actor(),
        at=time.now(),
    )


@bp.route("/tenants/<slug>/priorities", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def edit_priorities(slug: str) -> Any:
    """Which priority an impact and an urgency make, for this client's next tickets."""
    tenant = queries.find_tenant(slug)
    form = MatrixForm(data={**MatrixForm.values(tenant.priority_matrix), "rev": tenant.rev})
    if form.validate_on_submit() and _saved(form, lambda: _set_matrix(tenant, form)):
        flash(_("Priorities are saved. They count for tickets opened from now on."), "good")
        return redirect(url_for("console.show_tenant", slug=slug))
    return form_page("edit_priorities", form, tenant)


def _set_matrix(tenant: Tenant, form: MatrixForm) -> None:
    services.set_priority_matrix(tenant, form.matrix(), rev=revision(form), by=actor(), at=time.now())


def _saved(form: Any, service: Any) -> bool:
    """Call a service and commit; a refusal goes into the form, which keeps what was typed."""
    try:
        service()
        db.session.commit()
    except (Invalid, Conflict) as refused:
        db.session.rollback()
        if isinstance(refused, Invalid):
            refuse_into_form(refused, form)
        else:
            form.form_errors.append(refused.message)
        return False
    return True


saved = _saved


def revision(form: Any) -> int:
    """The revision that the form was made from; nonsense is as stale as can be."""
    typed = form.rev.data or ""
    return int(typed) if str(typed).isdigit() and len(str(typed)) < 12 else -1


def form_page(name: str, form: Any, tenant: Tenant, **more: Any) -> Any:
    """A form's page; after a conflict it carries the newest revision, so that a second look can be sent."""
    stale = bool(form.form_errors)
    if stale:
        db.session.refresh(tenant)
        form.rev.data = str(tenant.rev)
    page = render_template(f"console/{name}.html", form=form, tenant=tenant, **more)
    return page, 409 if stale else 422 if form.errors else 200


def new_key() -> str:
    """A key for a form that must not be carried out twice."""
    return str(uuid.uuid4())
