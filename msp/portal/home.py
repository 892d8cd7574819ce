"""The client's home: is my problem moving?"""

from typing import Any

from flask import render_template

from contracts.timers.queries import badges
from msp.campaigns.parts import count_waiting_parts
from msp.portal.blueprint import bp
from msp.web.access import actor, require, tenant
from msp.web.panels import panels
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries
from tenants.tickets.queries import Filter

SHOWN = 50


@bp.get("/")
@require(Permission.VIEW_PORTAL)
def home() -> Any:
    """What waits for the viewer first, then everything that is on its way."""
    rows = queries.list_underway(tenant(), by=actor(), limit=SHOWN)
    mine = [ticket for ticket in rows if _is_for_viewer(ticket)]
    decides = actor().may(Permission.DECIDE_OWN_LANES)
    return render_template(
        "portal/home.html",
        decisions=count_waiting_parts(tenant(), time.now()) if decides else 0,
        yours=mine,
        moving=[ticket for ticket in rows if ticket not in mine],
        badges=badges(rows, time.now()),
        has_more=len(rows) > SHOWN,
        panels=panels("portal_home", actor=actor()),
    )


def _is_for_viewer(ticket: Any) -> bool:
    """Whether the next step is the client's: an answer, or a word that it works."""
    return ticket.state == "resolved" or (ticket.state, ticket.waiting_reason) == ("waiting", "requester")


def narrowed_to_tenant(**changes: Any) -> Filter:
    """A filter on the company in view."""
    return Filter(tenant_id=tenant(), **changes)
