"""What a ticket is, what it is about, which assets and which site: chosen together."""

from typing import Any

from flask import request
from flask_babel import gettext as _

from msp.desk.around_forms import DetailsForm
from msp.desk.blueprint import bp
from msp.desk.states import back, form_page
from msp.threads.acting import acted
from msp.threads.choices import category_options
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.assets.models import Asset
from tenants.assets.queries import list_choices
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Site
from tenants.tenancy.queries import list_sites
from tenants.tickets import categories, places, queries, services
from tenants.tickets.history import check_rev, hold
from tenants.tickets.kinds import CHOSEN_KINDS
from tenants.tickets.models import Ticket


@bp.route("/tickets/<code>/details", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def edit_details(code: str) -> Any:
    """Choose kind, category, assets and site anew."""
    view = queries.find_ticket_view(code, by=actor())
    ticket, further, tree = view.ticket, places.list_further_assets(view.ticket), categories.read_tree()
    assets = _with([*list_choices(ticket.tenant_id)], [view.asset, *further])
    sites = _with([*list_sites(ticket.tenant_id)], [view.site])
    form = DetailsForm(kind=ticket.kind)
    if ticket.kind not in CHOSEN_KINDS:
        del form.kind
    form.category.choices = options([("", _("None")), *category_options(tree, keep=ticket.category_id)])
    form.asset.choices = options([("", _("None, or not known")), *_named(assets)])
    form.further.choices = options(_named(assets))
    form.site.choices = options([("", _("None")), *_named(sites)])
    if request.method == "GET":
        _fill(form, view, further, tree)
    if acted(form, lambda: _save(ticket, form, assets, sites, tree)):
        return back(ticket, _("Saved."))
    return form_page("edit_details", ticket, form)


def _with(offered: list[Any], held: list[Any]) -> list[Any]:
    """What is offered, and what the ticket has although it is retired."""
    known = {one.id for one in offered}
    return offered + [one for one in held if one is not None and one.id not in known]


def _named(rows: list[Any]) -> list[tuple[str, str]]:
    return [(str(one.public_id), one.name) for one in rows]


def _fill(form: DetailsForm, view: queries.TicketView, further: list[Asset], tree: categories.Tree) -> None:
    form.category.data = tree.key(view.ticket.category_id)
    form.asset.data = str(view.asset.public_id) if view.asset else ""
    form.site.data = str(view.site.public_id) if view.site else ""
    form.further.data = [str(one.public_id) for one in further]


def _save(
    ticket: Ticket, form: DetailsForm, assets: list[Asset], sites: list[Site], tree: categories.Tree
) -> None:
    acting: dict[str, Any] = {"by": actor(), "at": time.now()}
    place = tree.named(form.category.data or "")
    hold(ticket)
    check_rev(ticket, form.seen)
    if form.kind is not None:
        services.change_kind(ticket, form.kind.data, **acting)
    services.place_ticket(
        ticket,
        asset=_chosen(assets, form.asset.data),
        further=[one for one in assets if str(one.public_id) in (form.further.data or ())],
        site=_chosen(sites, form.site.data),
        **acting,
    )
    services.categorise(ticket, place.category if place else None, **acting)


def _chosen(rows: list[Any], public_id: str | None) -> Any:
    return next((one for one in rows if str(one.public_id) == public_id), None)
