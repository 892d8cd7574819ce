"""Who holds a ticket."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, or_, select

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.people.models import StaffMember
from tenants.people.queries import list_granted
from tenants.tickets import rules
from tenants.tickets.events import TicketAssigned
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import TIERS, Ticket
from tenants.tickets.moving import move

MOST_FREED = 200


def list_engineers(tenant_id: int, tier: str | None = None) -> Sequence[StaffMember]:
    """The provider's active people who are granted a tenant and may hold tickets of a tier, by name."""
    return [one for one in list_granted(tenant_id) if tier is None or rules.may_hold(one.tier, tier)]


def assign_ticket(
    ticket: Ticket,
    *,
    to_user_id: int | None,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    replay: bool = False,
) -> None:
    """Give the ticket to somebody with the tier and the grant for it, or to nobody.

    Raises Invalid on `to`, Forbidden for clients, and Conflict for tickets that are not open.
    """
    hold(ticket)
    if ticket.assignee_user_id == to_user_id:
        return
    check_rev(ticket, rev)
    _check(ticket, by)
    name = None if to_user_id is None else _engineer(ticket, to_user_id).name
    give(ticket, to_user_id, name, by=by, at=at, replay=replay)


def take_ticket(ticket: Ticket, *, by: Actor, at: datetime, rev: int | None = None) -> None:
    """Take a ticket oneself; a new one is in progress from then on."""
    assign_ticket(ticket, to_user_id=by.id, by=by, at=at, rev=rev)
    if ticket.state == "new":
        move(ticket, "in_progress", by=by, at=at, reason=None, replay=False)


def free_misheld(tenant_id: int, *, by: Actor, at: datetime) -> int:
    """Give a tenant's open tickets back to their queues where the holder lacks grant or tier; returns how many.

    Whoever holds one was asked when it was given; what was taken from them since, or at that very moment, was not.
    """
    people = list_engineers(tenant_id)
    able = {tier: {one.user_id for one in people if rules.may_hold(one.tier, tier)} for tier in TIERS}
    wrong = [
        and_(Ticket.tier == tier, Ticket.assignee_user_id.not_in(sorted(may))) for tier, may in able.items()
    ]
    found = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.is_open, or_(*wrong))
    freed = 0
    for ticket in db.session.scalars(found.order_by(Ticket.id).limit(MOST_FREED)).all():
        hold(ticket)
        # Somebody else may have taken it meanwhile.
        held = ticket.assignee_user_id is not None and rules.is_open(ticket.state)
        if held and ticket.assignee_user_id not in able[ticket.tier]:
            give(ticket, None, None, by=by, at=at)
            freed += 1
    return freed


def _check(ticket: Ticket, by: Actor) -> None:
    if who_is(by) == "requester":
        raise Forbidden
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets can be held by somebody."))


def _engineer(ticket: Ticket, user_id: int) -> StaffMember:
    person = next((one for one in list_engineers(ticket.tenant_id) if one.user_id == user_id), None)
    if person is None:
        raise Invalid("to", _l("This person does not work for this client."))
    if not rules.may_hold(person.tier, ticket.tier):
        raise Invalid(
            "to",
            _l(
                "%(name)s works in %(own)s; this ticket is in %(tier)s.",
                name=person.name,
                own=person.tier,
                tier=ticket.tier,
            ),
        )
    return person


def give(
    ticket: Ticket,
    user_id: int | None,
    name: str | None,
    *,
    by: Actor,
    at: datetime,
    replay: bool = False,
    because: str | None = None,
) -> None:
    """Change the holder of a held ticket, without asking whether it may be; `because` of what else that happened."""
    before, before_name = ticket.assignee_user_id, ticket.assignee_name
    ticket.assignee_user_id, ticket.assignee_name = user_id, name
    seq = note(
        ticket,
        "assigned",
        by=by,
        at=at,
        replay=replay,
        from_user_id=before,
        to_user_id=user_id,
        from_name=before_name,
        to_name=name,
        because=because,
    )
    event = TicketAssigned(
        tenant_id=ticket.tenant_id,
        at=at,
        by=by,
        ticket_id=ticket.id,
        seq=seq,
        replay=replay,
        from_user_id=before,
        to_user_id=user_id,
    )
    events.record(event, replay=replay)
