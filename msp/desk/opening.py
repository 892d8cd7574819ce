"""Opening a ticket for a client who calls."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.desk.blueprint import bp
from msp.desk.forms import PhoneForm
from msp.intake.receiving import receive_ticket
from msp.threads.acting import acted, form_status, keep_uploads
from msp.threads.choices import category_options
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.assets.queries import list_choices
from tenants.foundation import time
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, list_all_tenants
from tenants.tickets import queries, services
from tenants.tickets.categories import Tree, read_tree
from tenants.tickets.models import Ticket


@bp.get("/tickets/new")
@require(Permission.WORK_TICKETS)
def choose_client() -> Any:
    """Whose ticket is it?"""
    slug = request.args.get("tenant", "")
    if slug:
        return redirect(url_for("desk.open_ticket", slug=find_tenant(slug).slug))
    return render_template("desk/choose_client.html", tenants=list_all_tenants())


@bp.route("/tickets/new/<slug>", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def open_ticket(slug: str) -> Any:
    """Write down what the caller says."""
    tenant = find_tenant(slug)
    people, assets = queries.list_requesters(tenant.id), list_choices(tenant.id)
    form = PhoneForm()
    named = [(str(one.public_id), f"{one.name} · {one.email}") for one in people]
    form.requester.choices = options([("", _("Somebody without an account")), *named])
    form.asset.choices = options(
        [("", _("None, or not known")), *((str(one.public_id), one.name) for one in assets)]
    )
    tree = read_tree()
    form.category.choices = options([("", _("None")), *category_options(tree)])
    opened: list[Ticket] = []
    if acted(form, lambda: opened.append(_open(tenant, form, people, assets, tree))):
        flash(_("Ticket %(code)s is open. Tell the caller its code.", code=opened[0].code), "good")
        return redirect(url_for("desk.show_ticket", code=opened[0].code))
    return render_template("desk/open_ticket.html", tenant=tenant, form=form), form_status()


def _open(tenant: Tenant, form: PhoneForm, people: Any, assets: Any, tree: Tree) -> Ticket:
    place = tree.named(form.category.data or "")
    asset = next((one for one in assets if str(one.public_id) == form.asset.data), None)
    request_ = services.Request(
        subject=form.subject.data or "",
        body=form.body.data or "",
        impact=form.impact.data,
        urgency=form.urgency.data,
        kind=form.kind.data,
        requester=_requester(form, people),
        source="phone",
        asset=asset,
        category=place.category if place else None,
        files=keep_uploads(tenant.id),
        request_key=form.request_key.data,
    )
    return receive_ticket(
        tenant, request_, by=actor(), at=time.now(), spoke_with_caller=form.spoke_with_caller.data
    )


def _requester(form: PhoneForm, people: Any) -> services.Requester:
    known = next((one for one in people if str(one.public_id) == form.requester.data), None)
    if known is not None:
        return services.Requester(known.name, known.email, known.user_id)
    if not form.caller_name.data:
        raise Invalid("caller_name", _("Choose who asks, or type the caller's name."))
    return services.Requester(form.caller_name.data, form.caller_email.data or None)
