"""What the requester says of the solution, as a panel of the ticket's page: the question, or the answer."""

from typing import Any

from flask import url_for

from msp.threads.forms import RatingForm
from msp.web.access import actor
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.tickets.models import Ticket
from tenants.tickets.ratings import find_rating, may_rate


def build_rating(*, ticket: Ticket, staff: bool, **_more: Any) -> Panel | None:
    """The panel; None while there is nothing to ask and nothing to show."""
    if ticket.is_open or ticket.resolved_at is None:
        return None
    rating = find_rating(ticket)
    asks = not staff and ticket.requester_user_id == actor().id and may_rate(ticket, rating, time.now())
    if rating is None and not asks and not staff:
        return None
    url = url_for("portal.rate_ticket", code=ticket.code) if asks else ""
    return "threads/rated.html", {
        "rating": rating,
        "url": url,
        "form": RatingForm(formdata=None) if asks else None,
    }
