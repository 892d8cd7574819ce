"""The campaigns' pages; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.campaigns import acts, assets, board, drafting, jobs, listing, mending
from msp.campaigns.blueprint import bp
from msp.campaigns.words import decision_look, decision_numbers, gate_row, reason_words
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["acts", "assets", "board", "bp", "drafting", "jobs", "listing", "mending"]


def install(app: Flask) -> None:
    """Put the list into the navigation of staff, and numbers into words."""
    app.jinja_env.filters.update(
        campaign_gate=gate_row,
        decision_look=decision_look,
        decision_numbers=decision_numbers,
        campaign_reason=reason_words,
    )
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
