"""The list of campaigns."""

from typing import Any

from flask import render_template, request

from msp.campaigns import queries
from msp.campaigns.blueprint import bp
from msp.campaigns.releases import labels_of
from msp.campaigns.rules import CAMPAIGN_STATES
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.foundation.permissions import Permission


@bp.get("/")
@require(Permission.VIEW_CAMPAIGNS)
def list_campaigns() -> Any:
    """Campaigns that concern the clients one is granted, newest first."""
    after, limit = asked(int)
    state, q = request.args.get("state", ""), request.args.get("q", "").replace("\x00", "")[:120]
    state = state if state in CAMPAIGN_STATES else ""
    found = queries.list_campaigns(state=state, q=q, before=after[0] if after else None, limit=limit)
    page = cut(found, limit, lambda campaign: [campaign.id])
    return render_template(
        "campaigns/list_campaigns.html",
        page=page,
        state=state,
        q=q,
        states=CAMPAIGN_STATES,
        releases=labels_of({campaign.release_id for campaign in page.items}),
    )
