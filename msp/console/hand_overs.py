"""How work passes between the tiers: what was handed over, accepted and returned, and why."""

from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _l

from msp.console.blueprint import bp
from msp.console.tier_figures import list_passed, list_returned, list_to_and_fro
from msp.web.access import require
from msp.web.navigation import Place
from msp.web.periods import asked_period
from tenants.foundation.permissions import Permission

PLACE = Place(
    _l("Hand-overs"),
    "console.list_hand_overs",
    "arrow-left-right",
    Permission.VIEW_TENANTS,
    staff=True,
    order=66,
)


@bp.get("/hand-overs")
@require(Permission.VIEW_TENANTS)
def list_hand_overs() -> Any:
    """Figures by client and pair of tiers."""
    period = asked_period()
    often, tickets = list_to_and_fro(period)
    return render_template(
        "console/list_hand_overs.html",
        period=period,
        passed=list_passed(period),
        returned=list_returned(period),
        often=often,
        tickets=tickets,
        names={one.id: one.name for one in period.tenants},
        choices=[(one.slug, one.name) for one in period.tenants],
    )
