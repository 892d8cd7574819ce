"""The time worked on a ticket, as a panel beside it: the sum for everyone, the entries for staff who work on it."""

from typing import Any

from flask import url_for

from msp.web.access import actor
from msp.web.panels import Panel
from tenants.foundation.permissions import Permission
from tenants.tickets.queries import TicketView


def build_worked(*, view: TicketView, **_more: Any) -> Panel | None:
    """The panel of a ticket's time, month by month; None for clients while there is none."""
    months = view.worked
    may_enter = actor().is_staff and actor().may(Permission.WORK_TICKETS)
    if not months and not may_enter:
        return None
    url = url_for("desk.list_time", code=view.ticket.code) if may_enter else ""
    return "threads/worked.html", {"months": months, "url": url}
