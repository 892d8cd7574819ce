"""Which of the provider's people hear what of a ticket. Reactions ask for a job; the job looks again and queues mails.

Whoever did it is never told of it, and nobody twice: a mail's key names the line of the history and the person.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.readers import Reader, list_readers
from msp.mail.services import queue_mail
from msp.staff.queries import list_on_duty
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Claimed, request_work
from tenants.people.models import StaffMember
from tenants.people.queries import list_granted, list_leads
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import rules
from tenants.tickets.events import (
    HandOverAccepted,
    HandOverMade,
    HandOverReturned,
    OnTicket,
    TicketAssigned,
    TicketOpened,
    TicketRated,
)
from tenants.tickets.models import HandOver, Ticket, TicketEvent
from tenants.tickets.ratings import find_rating

# Who hears of it, and what else the mail tells; nobody where it is not so any more.
Told = tuple[Iterable[int | None], dict[str, Any]]
_NOBODY: Told = ((), {})
_DECIDED = {HandOverAccepted: "hand_over_accepted", HandOverReturned: "hand_over_returned"}


def tell_holder(event: TicketAssigned) -> None:
    """Reaction: whoever holds the ticket from now on hears of it."""
    if event.to_user_id is not None and event.to_user_id != event.by.id:
        _ask("ticket_assigned", event, to=event.to_user_id)


def tell_next_tier(event: HandOverMade) -> None:
    """Reaction: the people of the next tier hear that a hand-over waits to be accepted."""
    _ask("hand_over_waits", event, hand_over=event.hand_over_id)


def tell_sender(event: HandOverMade) -> None:
    """Reaction: whoever handed it over hears what became of that."""
    _ask(_DECIDED[type(event)], event, hand_over=event.hand_over_id)


def tell_of_bad_rating(event: TicketRated) -> None:
    """Reaction: whoever resolved it, and those who lead, hear that the requester is not satisfied."""
    if event.score == "bad":
        _ask("rated_bad", event)


def tell_tier(event: TicketOpened) -> None:
    """Reaction: those of the tier who asked for it hear of every new ticket."""
    _ask("tier_opened", event)


def _ask(what: str, event: OnTicket, **more: Any) -> None:
    arguments = {"what": what, "ticket": event.ticket_id, "seq": event.seq, "by": event.by.id, **more}
    request_work("tell_staff", tenant_id=event.tenant_id, arguments=arguments, queue="mail")


@job("tell_staff", queue="mail")
def tell_staff(work: Claimed) -> None:
    """Queue the mails about one event, to those who still work for the client."""
    asked = work.arguments
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == asked["ticket"])).one()
    granted = list_granted(ticket.tenant_id)
    named, more = _FINDERS[asked["what"]](ticket, granted, asked)
    told = set(named) - {asked["by"], None}
    receivers = [one for one in granted if one.user_id in told]
    tenant, readers = find_tenant_by_id(ticket.tenant_id), list_readers([one.user_id for one in receivers])
    for one in receivers:
        _queue(ticket, tenant, asked, one, readers[one.user_id], more)


def _queue(
    ticket: Ticket,
    tenant: Tenant,
    asked: dict[str, Any],
    to: StaffMember,
    reader: Reader,
    more: dict[str, Any],
) -> None:
    context = {
        "ticket": ticket,
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "name": to.name,
        "action_url": address_of("desk.show_ticket", code=ticket.code),
        **more,
    }
    queue_mail(
        ticket.tenant_id,
        to=to.email,
        template=asked["what"],
        language=reader.language or tenant.language,
        context=context,
        unwanted=reader.unwanted,
        key=f"told:{ticket.id}:{asked['seq']}:{to.user_id}",
        thread=f"ticket-{ticket.code}",
    )


def _assigned(ticket: Ticket, _granted: Sequence[StaffMember], asked: dict[str, Any]) -> Told:
    """Whoever has it back from a returned hand-over hears of that with its reason, and not of this as well."""
    line = select(TicketEvent).where(
        TicketEvent.tenant_id == ticket.tenant_id,
        TicketEvent.ticket_id == ticket.id,
        TicketEvent.seq.in_((asked["seq"] - 1, asked["seq"])),
    )
    before, given = db.session.scalars(line.order_by(TicketEvent.seq)).all()
    if before.kind == "hand_over_returned" or ticket.assignee_user_id != asked["to"]:
        return _NOBODY
    return [asked["to"]], {"giver": given.actor_name}


def _waits(ticket: Ticket, granted: Sequence[StaffMember], asked: dict[str, Any]) -> Told:
    passed = _passed(ticket, asked["hand_over"])
    if passed.state != "pending":
        return _NOBODY
    return _on_duty(_of_tier(granted, passed.to_tier)), {"passed": passed}


def _accepted(ticket: Ticket, _granted: Sequence[StaffMember], asked: dict[str, Any]) -> Told:
    passed = _passed(ticket, asked["hand_over"])
    return [passed.made_by_user_id], {"passed": passed}


def _returned(ticket: Ticket, _granted: Sequence[StaffMember], asked: dict[str, Any]) -> Told:
    passed = _passed(ticket, asked["hand_over"])
    holds = passed.held_by_user_id if passed.held_by_user_id == ticket.assignee_user_id else None
    return [passed.made_by_user_id, holds], {"passed": passed}


def _rated(ticket: Ticket, _granted: Sequence[StaffMember], _asked: dict[str, Any]) -> Told:
    rating = find_rating(ticket)
    if rating is None:
        return _NOBODY
    leads = [one.user_id for one in list_leads(ticket.tenant_id)]
    return [rating.solved_by_user_id, *leads], {"rating": rating}


def _opened(ticket: Ticket, granted: Sequence[StaffMember], _asked: dict[str, Any]) -> Told:
    if not ticket.is_open:
        return _NOBODY
    people = _of_tier(granted, ticket.tier)
    return [one.user_id for one in people if one.user_id != ticket.assignee_user_id], {}


Finder = Callable[[Ticket, Sequence[StaffMember], dict[str, Any]], Told]
_FINDERS: dict[str, Finder] = {
    "ticket_assigned": _assigned,
    "hand_over_waits": _waits,
    "hand_over_accepted": _accepted,
    "hand_over_returned": _returned,
    "rated_bad": _rated,
    "tier_opened": _opened,
}


def _passed(ticket: Ticket, hand_over_id: int) -> HandOver:
    found = select(HandOver).where(HandOver.tenant_id == ticket.tenant_id, HandOver.id == hand_over_id)
    return db.session.scalars(found).one()


def _of_tier(people: Sequence[StaffMember], tier: str) -> list[StaffMember]:
    """A tier's engineers, or whoever may stand in where it has none; nobody for the vendor's."""
    own = [one for one in people if one.role == tier.lower()]
    return own or [one for one in people if rules.may_hold(one.tier, tier)]


def _on_duty(people: Sequence[StaffMember]) -> list[int]:
    """Those who are on duty now, or all where the roster names none of them."""
    present = {one.user_id for one in list_on_duty(time.now())}
    everybody = [one.user_id for one in people]
    return [one for one in everybody if one in present] or everybody
