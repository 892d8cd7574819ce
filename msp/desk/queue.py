"""One queue over all clients that one is granted: what runs out first is at the top."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for

from contracts.timers.beside import side_badges
from contracts.timers.queries import badges
from msp.desk.blueprint import bp
from msp.desk.bulk import acts_for
from msp.desk.narrowing import narrowed_by, places_of
from msp.desk.views import address_of, offered_views
from msp.staff.teams import list_teams
from msp.threads.typed import as_code
from msp.web.access import actor, require
from msp.web.languages import reader_language
from msp.web.paging import Page, asked, cut
from msp.web.panels import panels
from msp.web.words import SOURCES as SOURCE_WORDS
from msp.web.words import TICKET_KINDS, WAITING
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import TenantName, list_tenant_names
from tenants.tickets import queries
from tenants.tickets.categories import Tree, read_tree
from tenants.tickets.models import OPEN_STATES, PRIORITIES, STATES, TIERS, Ticket
from tenants.tickets.queries import Filter
from tenants.tickets.views import KEPT, home_among, list_views

# Filters that are shown when they are asked for, or one of them is used.
FURTHER = ("team", "kind", "category", "waiting", "source", "site", "asset", "from", "to")


@bp.get("/")
@require(Permission.VIEW_DESK)
def show_queue() -> Any:
    """Open tickets across clients; closed ones of one client, newest first."""
    if (code := as_code(request.args.get("q", ""))) is not None:
        return redirect(url_for("desk.show_ticket", code=code))
    views = list_views(by=actor())
    if not request.args and (home := home_among(views, actor())) is not None:
        return redirect(address_of(home))
    further = any(request.args.get(name) for name in (*FURTHER, "more"))
    tenants, tree = list_tenant_names(), read_tree() if further else Tree(())
    narrowed = narrowed_by(request.args, tenants, tree)
    page = _page(narrowed, tenants)
    return render_template(
        "desk/show_queue.html",
        page=page,
        badges=badges(page.items, time.now()),
        beside=side_badges(page.items, time.now()),
        tenants={tenant.id: tenant for tenant in tenants},
        choices=[(tenant.slug, tenant.name) for tenant in tenants],
        asked=request.args,
        states=STATES,
        priorities=PRIORITIES,
        tiers=TIERS,
        kind_words=TICKET_KINDS,
        further=further,
        more_url="?" + urlencode({**request.args.to_dict(), "more": "1"}),
        teams=[(str(one.public_id), one.name) for one in list_teams()] if further else [],
        waiting=WAITING,
        sources=SOURCE_WORDS.items(),
        categories=[(str(one.category.public_id), one.path(reader_language())) for one in tree.places],
        **places_of(narrowed),
        views=[(one, address_of(one)) for one in offered_views(views, [one.slug for one in tenants])],
        acts=acts_for(),
        kept=urlencode({name: request.args[name] for name in KEPT if request.args.get(name)}),
        needs_client=_needs_client(narrowed, tenants),
        panels=panels("desk_home", actor=actor()),
    )


def _needs_client(narrowed: Filter, tenants: Sequence[TenantName]) -> bool:
    """Closed work of all clients at once has no order that could be read cheaply."""
    return narrowed.state not in ("open", *OPEN_STATES) and narrowed.tenant_id is None and len(tenants) > 1


def _page(narrowed: Filter, tenants: Sequence[TenantName]) -> Page[Ticket]:
    after, limit = asked(datetime, int)
    if _needs_client(narrowed, tenants):
        return Page([], None)
    if narrowed.state in ("open", *OPEN_STATES):
        rows = queries.list_queue(narrowed, by=actor(), after=after, limit=limit)
        return cut(rows, limit, queries.queue_key)
    rows = queries.list_tickets(narrowed, by=actor(), after=after, limit=limit)
    return cut(rows, limit, queries.opened_key)
