"""What the three tiers do, as panels beside a ticket: remote sessions and visits for everyone, the rest for staff.

A panel reads its table only where the ticket's history says that there is something in it.
"""

from collections.abc import Sequence
from typing import Any

from msp.web.access import actor
from msp.web.panels import Panel
from tenants.assets.rules import remote_link
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets.models import Ticket, TicketEvent
from tenants.tickets.queries import TicketView
from tenants.tickets.remote import list_sessions, may_allow
from tenants.tickets.remote_models import OPEN
from tenants.tickets.tiers import path_of
from tenants.tickets.vendors import list_cases
from tenants.tickets.visits import list_visits

History = Sequence[TicketEvent]


def _says(history: History, word: str) -> bool:
    return any(line.kind.startswith(word) for line in history)


def build_remote(*, view: TicketView, history: History, staff: bool, **_more: Any) -> Panel | None:
    """Remote sessions, with what each side may do with the one that is open; for staff the way to the tool."""
    machine = view.asset if staff and remote_link(view.asset) else None
    if not _says(history, "remote_session") and machine is None:
        return None
    sessions = list_sessions(view.ticket) if _says(history, "remote_session") else ()
    may_act = actor().may(Permission.WORK_TICKETS if staff else Permission.OPEN_OWN_TICKETS)
    open_one = next((one for one in sessions if one.state in OPEN), None)
    return "threads/remote.html", {
        "sessions": sessions,
        "open_one": open_one,
        "machine": machine,
        "remote_link": remote_link(machine),
        "may_act": may_act,
        "may_allow": may_allow(view.ticket, actor()),
        "is_open": view.ticket.is_open,
    }


def build_visits(*, view: TicketView, history: History, staff: bool, **_more: Any) -> Panel | None:
    """The visits: when, where, who, and what came of them."""
    if not _says(history, "visit_"):
        return None
    may_act = staff and actor().may(Permission.WORK_TICKETS)
    return "threads/visits.html", {"visits": list_visits(view.ticket), "may_act": may_act}


def build_cases(*, ticket: Ticket, history: History, staff: bool, **_more: Any) -> Panel | None:
    """What vendors were asked; never for clients."""
    if not staff or not _says(history, "vendor_"):
        return None
    may_act = actor().may(Permission.WORK_TICKETS)
    return "threads/vendor_cases.html", {
        "cases": list_cases(ticket),
        "may_act": may_act,
        "now": time.now(),
    }


def build_path(*, ticket: Ticket, history: History, staff: bool, **_more: Any) -> Panel | None:
    """Time in each tier and how often it came back; only where it was ever handed over, never for clients."""
    if not staff or not _says(history, "hand_over_"):
        return None
    path = path_of(history, ticket.tier, until=ticket.closed_at or time.now())
    return "threads/tier_path.html", {"path": path}
