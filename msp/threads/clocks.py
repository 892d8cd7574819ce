"""The clocks of a ticket, shown to staff and client alike: what is left, until when, and every interval behind it."""

from collections.abc import Sequence
from typing import Any

from contracts.clock.history import Reading
from contracts.timers.beside import list_side_timers, read_side
from contracts.timers.queries import find_measure, find_versions, read_clocks_by
from msp.threads.entries import audience_of
from msp.web.access import actor
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.tickets.models import TicketEvent
from tenants.tickets.queries import TicketView
from tenants.tickets.vendors import pending_case


def build_clocks(*, view: TicketView, history: Sequence[TicketEvent], **_more: Any) -> Panel | None:
    """The panel of a ticket's clocks; None where nothing was promised."""
    now = time.now()
    versions = find_versions(view.ticket, history)
    readings = read_clocks_by(view.ticket, history, versions, now)
    if not readings:
        return None
    audience = audience_of(view.ticket, actor())
    return "threads/clocks.html", {
        "readings": _newest_first(readings),
        "now": now,
        "audience": audience,
        "measured": find_measure(view.ticket, history, versions),
        "versions": versions,
    }


def build_side_clocks(*, view: TicketView, **_more: Any) -> Panel | None:
    """The panel of what runs beside the ticket's own clocks; staff only, and None where nothing does."""
    waits = view.hand_over is not None or view.ticket.waiting_reason == "vendor"
    if not actor().is_staff or not waits:
        return None
    now = time.now()
    timers = [(one, read_side(one, now)) for one in list_side_timers(view.ticket)]
    case = pending_case(view.ticket) if view.ticket.waiting_reason == "vendor" else None
    if not timers and case is None:
        return None
    return "threads/side_clocks.html", {"timers": timers, "case": case, "now": now}


def _newest_first(readings: Sequence[Reading]) -> list[Reading]:
    """Cycles that still run before those that are over."""
    return sorted(readings, key=lambda one: (one.stopped_at is not None, one.started_at))
