"""Weighing a ticket."""

from datetime import datetime

from flask_babel import lazy_gettext as _l

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.tenancy.models import Tenant
from tenants.tickets import rules
from tenants.tickets.events import TicketReprioritised
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import LEVELS, PRIORITIES, Ticket


def set_priority(
    ticket: Ticket,
    *,
    priority: str,
    reason: str,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    replay: bool = False,
) -> None:
    """Override what impact and urgency say, with a reason. Raises Invalid, Forbidden and Conflict."""
    hold(ticket)
    if ticket.priority == priority and ticket.priority_overridden:
        return
    check_rev(ticket, rev)
    if priority not in PRIORITIES:
        raise Invalid("priority", _l("Choose P1, P2, P3 or P4."))
    if not reason.strip() or len(reason) > 2000 or "\x00" in reason:
        raise Invalid("reason", _l("Say why, in at most 2,000 characters."))
    _check(ticket, by)
    ticket.priority_overridden = True
    _reprioritise(ticket, priority, by=by, at=at, reason=reason.strip(), replay=replay)


def reassess(
    ticket: Ticket,
    *,
    impact: str,
    urgency: str,
    tenant: Tenant,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    replay: bool = False,
) -> None:
    """Weigh impact and urgency anew; this also ends an override. Raises Invalid, Forbidden and Conflict."""
    hold(ticket)
    usual = (impact, urgency, False)
    if (ticket.impact, ticket.urgency, ticket.priority_overridden) == usual:
        return
    check_rev(ticket, rev)
    for field, value in (("impact", impact), ("urgency", urgency)):
        if value not in LEVELS:
            raise Invalid(field, _l("Choose high, medium or low."))
    _check(ticket, by)
    ticket.impact, ticket.urgency, ticket.priority_overridden = usual
    priority = rules.priority_of(impact, urgency, tenant.priority_matrix)
    _reprioritise(ticket, priority, by=by, at=at, reason=None, replay=replay)


def _check(ticket: Ticket, by: Actor) -> None:
    if who_is(by) == "requester":
        raise Forbidden
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets have a priority to change."))


def _reprioritise(
    ticket: Ticket, priority: str, *, by: Actor, at: datetime, reason: str | None, replay: bool
) -> None:
    before, ticket.priority = ticket.priority, priority
    seq = note(
        ticket,
        "reprioritised",
        by=by,
        at=at,
        replay=replay,
        from_priority=before,
        to_priority=priority,
        reason=reason,
        impact=ticket.impact,
        urgency=ticket.urgency,
    )
    if before != priority:
        event = TicketReprioritised(
            tenant_id=ticket.tenant_id,
            at=at,
            by=by,
            ticket_id=ticket.id,
            seq=seq,
            replay=replay,
            from_priority=before,
            to_priority=priority,
        )
        events.record(event, replay=replay)
