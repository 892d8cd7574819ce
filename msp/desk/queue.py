"""One queue over all clients that one is granted: what runs out first is at the top."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for

from contracts.timers.beside import side_badges
from contracts.timers.queries import badges
from msp.desk.blueprint import bp
from msp.threads.typed import as_code
from msp.web.access import actor, require
from msp.web.paging import Page, asked, cut
from msp.web.panels import panels
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import TenantName, list_tenant_names
from tenants.tickets import queries
from tenants.tickets.models import OPEN_STATES, PRIORITIES, STATES, TIERS, Ticket
from tenants.tickets.queries import Filter


@bp.get("/")
@require(Permission.VIEW_DESK)
def show_queue() -> Any:
    """Open tickets across clients; closed ones of one client, newest first."""
    if (code := as_code(request.args.get("q", ""))) is not None:
        return redirect(url_for("desk.show_ticket", code=code))
    tenants = list_tenant_names()
    narrowed = _narrowed(tenants)
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
        needs_client=_needs_client(narrowed, tenants),
        panels=panels("desk_home", actor=actor()),
    )


def _narrowed(tenants: Sequence[TenantName]) -> Filter:
    """The filter in the address; words that mean nothing narrow nothing, a foreign client finds nothing."""
    slug = request.args.get("tenant", "")
    known = {tenant.slug: tenant.id for tenant in tenants} if slug else {}
    who = {"me": actor().id, "none": 0}.get(request.args.get("assignee", ""))
    return Filter(
        state=_one_of(request.args.get("state", ""), (*STATES, "all")) or "open",
        tenant_id=known.get(slug, -1) if slug else None,
        tier=_one_of(request.args.get("tier", ""), TIERS),
        priority=_one_of(request.args.get("priority", ""), PRIORITIES),
        assignee=who,
        q=request.args.get("q", "")[:100],
    )


def _one_of(value: str, known: Sequence[str]) -> str:
    return value if value in known else ""


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
