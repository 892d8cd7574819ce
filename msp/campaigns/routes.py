"""The campaigns' pages; each module puts its views on the one blueprint."""

from typing import Any

from flask import Flask, url_for
from flask_babel import lazy_gettext as _l

from msp.campaigns import acts, assets, board, drafting, jobs, listing, mending, queries, releasing
from msp.campaigns.blueprint import bp
from msp.campaigns.parts import find_part_of
from msp.campaigns.tickets import find_lane_of_ticket
from msp.campaigns.words import decision_look, decision_numbers, gate_row, reason_words
from msp.web import navigation, panels
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission
from tenants.tickets.models import Ticket

__all__ = ["acts", "assets", "board", "bp", "drafting", "jobs", "listing", "mending", "releasing"]


def maintenance_panel(*, ticket: Ticket, staff: bool, **_given: Any) -> panels.Panel | None:
    """On a ticket that failures of a campaign opened: the way to the campaign, or to the client's part of it."""
    if ticket.source != "campaign":
        return None
    lane = find_lane_of_ticket(ticket)
    if lane is None:
        return None
    if staff:
        found = queries.find_campaign_by_id(lane.campaign_id)
        url = url_for("campaigns.show_campaign", campaign=found.public_id)
    else:
        url = url_for("portal.show_maintenance", part=find_part_of(lane).public_id)
    return "campaigns/ticket_panel.html", {"lane": lane, "lane_url": url}


def install(app: Flask) -> None:
    """Put the list into the navigation of staff, and numbers into words."""
    app.jinja_env.filters.update(
        campaign_gate=gate_row,
        decision_look=decision_look,
        decision_numbers=decision_numbers,
        campaign_reason=reason_words,
    )
    panels.add(app, "ticket", maintenance_panel)
    navigation.add(
        app,
        Place(
            _l("Campaigns"),
            "campaigns.list_campaigns",
            "rocket-takeoff",
            Permission.VIEW_CAMPAIGNS,
            staff=True,
            order=55,
        ),
    )
