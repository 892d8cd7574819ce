"""Moving a ticket from state to state."""

from datetime import datetime

from tenants.foundation.actor import Actor
from tenants.tickets.history import check_rev, hold, who_is
from tenants.tickets.messages import add_message
from tenants.tickets.models import Ticket
from tenants.tickets.moving import check_move, move
from tenants.tickets.vendor_models import VendorCase
from tenants.tickets.vendors import VendorAsk, check_ask, open_case, write_answer


def change_state(
    ticket: Ticket,
    *,
    to: str,
    by: Actor,
    at: datetime,
    reason: str | None = None,
    rev: int | None = None,
    replay: bool = False,
) -> None:
    """Move a ticket to another state; to the one it is in is no change.

    `reason`: while waiting one of the waiting reasons, else free text. `rev` is what the acting person saw. Raises
    Conflict with the allowed states, or for a stale page, and Invalid on `to` or `reason`.
    """
    hold(ticket)
    if ticket.state == to and (to != "waiting" or reason == ticket.waiting_reason):
        return
    check_rev(ticket, rev)
    check_move(ticket, to, reason, who_is(by), at)
    move(ticket, to, by=by, at=at, reason=reason, replay=replay)


def wait_for_vendor(
    ticket: Ticket, ask: VendorAsk, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Let a ticket wait for a vendor, and keep what is known of the case. Raises Invalid and Conflict."""
    check_ask(ask)
    hold(ticket)
    check_rev(ticket, rev)
    change_state(ticket, to="waiting", reason="vendor", by=by, at=at)
    if not ask.is_empty:
        open_case(ticket, ask, by=by, at=at)


def answer_vendor(ticket: Ticket, case: VendorCase, *, answer: str, by: Actor, at: datetime) -> None:
    """Keep what the vendor answered; work goes on. Raises InvalidMany, Conflict and Forbidden."""
    write_answer(ticket, case, answer=answer, by=by, at=at)
    if (ticket.state, ticket.waiting_reason) == ("waiting", "vendor"):
        move(ticket, "in_progress", by=by, at=at, reason=None, replay=False)


def resolve_ticket(
    ticket: Ticket,
    *,
    solution: str,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    replay: bool = False,
) -> None:
    """Say what was done, in public, and resolve; without words only resolve."""
    _say_and_move(ticket, "resolved", solution, by=by, at=at, rev=rev, replay=replay)


def reopen_ticket(
    ticket: Ticket, *, because: str, by: Actor, at: datetime, rev: int | None = None, replay: bool = False
) -> None:
    """Take a resolved ticket back into work, or a closed one while that may be; the words become a public message.

    Raises Invalid and Conflict.
    """
    _say_and_move(ticket, "in_progress", because, by=by, at=at, rev=rev, replay=replay)


def _say_and_move(
    ticket: Ticket, to: str, words: str, *, by: Actor, at: datetime, rev: int | None, replay: bool
) -> None:
    hold(ticket)
    if ticket.state == to:
        return
    check_rev(ticket, rev)
    check_move(ticket, to, None, who_is(by), at)
    if words.strip():
        add_message(ticket, body=words, by=by, at=at, leads_to=to, replay=replay)
    move(ticket, to, by=by, at=at, reason=None, replay=replay)


def close_ticket(
    ticket: Ticket, *, by: Actor, at: datetime, rev: int | None = None, replay: bool = False
) -> None:
    """Confirm that it is done, or let it rest after nothing more was said."""
    change_state(ticket, to="closed", by=by, at=at, rev=rev, replay=replay)


def cancel_ticket(
    ticket: Ticket, *, reason: str, by: Actor, at: datetime, rev: int | None = None, replay: bool = False
) -> None:
    """End a ticket that nobody wants any more."""
    change_state(ticket, to="cancelled", by=by, at=at, reason=reason.strip() or None, rev=rev, replay=replay)
