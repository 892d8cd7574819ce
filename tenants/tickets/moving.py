"""The step from one state to the next, as the ticket, its history and everybody who follows see it."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.errors import Conflict, Invalid
from tenants.tickets import rules
from tenants.tickets.events import (
    TicketCancelled,
    TicketClosed,
    TicketReopened,
    TicketResolved,
    TicketStateChanged,
)
from tenants.tickets.history import note, who_is
from tenants.tickets.models import WAITING_REASONS, Ticket
from tenants.tickets.vendors import answer_case

_NAMED: dict[str, tuple[str, type[TicketStateChanged]]] = {
    "resolved": ("resolved", TicketResolved),
    "closed": ("closed", TicketClosed),
    "cancelled": ("cancelled", TicketCancelled),
}


def check_move(ticket: Ticket, to: str, reason: str | None, side: rules.Who, at: datetime) -> None:
    """Whether this side may take this step at this moment. Raises Invalid and Conflict."""
    if to not in rules.TRANSITIONS:
        raise Invalid("to", _l("This state is not known."))
    if to == "waiting" and reason not in WAITING_REASONS:
        raise Invalid(
            "reason", _l("Say what the ticket waits for: requester, vendor, part, visit or change.")
        )
    if reason is not None and (len(reason) > 2000 or "\x00" in reason):
        raise Invalid("reason", _l("Write at most 2,000 characters."))
    changes_reason = (ticket.state, to) == ("waiting", "waiting") and side != "requester"
    reopenable = rules.is_reopenable(ticket.state, ticket.reopen_until, at)
    if not changes_reason and not rules.may_change_state(ticket.state, to, side, reopenable=reopenable):
        allowed = rules.allowed_transitions(ticket.state, side, reopenable=reopenable)
        raise Conflict(_l("That step is not possible from here."), allowed=allowed)


def move(ticket: Ticket, to: str, *, by: Actor, at: datetime, reason: str | None, replay: bool) -> None:
    """Change the state of a held ticket, without asking whether it may."""
    before, awaited = ticket.state, ticket.waiting_reason
    _set_state(ticket, to, reason, at)
    reopened = ("reopened", TicketReopened) if rules.is_reopening(before, to) else None
    line, happening = reopened or _NAMED.get(to, ("state_changed", TicketStateChanged))
    change: dict[str, Any] = {"from_state": before, "to_state": to, "reason": reason}
    seq = note(ticket, line, by=by, at=at, replay=replay, **change)
    event = happening(
        tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=seq, replay=replay, **change
    )
    events.record(event, replay=replay)
    # Clients neither see nor touch what passes between the provider and a vendor; the sweep ends what they leave open.
    if awaited == "vendor" and ticket.waiting_reason != "vendor" and who_is(by) != "requester":
        answer_case(ticket, by=by, at=at)


def _set_state(ticket: Ticket, to: str, reason: str | None, at: datetime) -> None:
    ticket.state = to
    ticket.waiting_reason = reason if to == "waiting" else None
    ticket.waiting_since = at if to == "waiting" else None
    ticket.closed_at = at if to in ("closed", "cancelled") else None
    if to == "resolved":
        ticket.resolved_at = at
    elif to == "in_progress":
        ticket.resolved_at = None
