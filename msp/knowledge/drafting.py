"""An article begun from a resolved ticket: what was seen, why, and what helped, without saying whose it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from msp.knowledge.rules import LEFT_OUT, Secret, leave_out, names_in
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tenancy.models import Site, Tenant
from tenants.tickets.models import HandOver, Message, Ticket, TicketEvent
from tenants.tickets.stories import read_story


@dataclass(frozen=True, slots=True)
class Told:
    """What a ticket tells of a matter, with everything left out that names somebody."""

    title: str
    symptoms: str
    cause: str
    solution: str


def draft_from(ticket: Ticket, *, by: Actor) -> Told:
    """What a ticket tells: from its last hand-over, its first message and the words with which it was resolved.

    Machines leave names out by lists and forms; whoever saves it has to read it first.
    """
    history = read_story(ticket, by=by, most=ticket.rev).told
    passed = _last_hand_over(ticket)
    secrets = _secrets(ticket, [message for _line, message in history if message])
    first = next((message.body for _line, message in history if message), "")
    texts = (
        ticket.subject,
        passed.symptoms if passed and passed.symptoms else first,
        passed.suspected_cause if passed else "",
        _solution(history),
    )
    return Told(*(leave_out(text, secrets).strip() for text in texts))


def body_of(told: Told) -> str:
    """The parts as one text with headings."""
    parts = ((_("Symptoms"), told.symptoms), (_("Cause"), told.cause), (_("Solution"), told.solution))
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in parts if text)


def _last_hand_over(ticket: Ticket) -> HandOver | None:
    asked = select(HandOver).where(
        HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id, HandOver.symptoms != ""
    )
    return db.session.scalar(asked.order_by(HandOver.id.desc()).limit(1))


def _solution(history: Sequence[tuple[TicketEvent, Message | None]]) -> str:
    """What staff last said in public before it was resolved."""
    resolved = [place for place, (line, _message) in enumerate(history) if line.kind == "resolved"]
    before = history[: resolved[-1]] if resolved else history
    said = [message for _line, message in before if message and message.kind == "public"]
    return next((one.body for one in reversed(said) if one.author_kind == "staff"), "")


def _secrets(ticket: Ticket, said: Sequence[Message]) -> list[Secret]:
    """Everything that would tell whose ticket it was: the client, its people, places and machines, and who worked."""
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == ticket.tenant_id)).one()
    people = {ticket.requester_name, ticket.assignee_name or "", *(one.author_name for one in said)}
    people |= set(_column(Membership.name, Membership, ticket))
    things = [*_column(Asset.name, Asset, ticket), *_column(Asset.serial, Asset, ticket)]
    things += [*_column(Asset.controller_id, Asset, ticket), *_column(Site.name, Site, ticket)]
    found = [Secret(name, _("the client")) for name in (tenant.name, tenant.slug, tenant.prefix)]
    found += [Secret(part, LEFT_OUT) for name in sorted(people) if name for part in names_in(name)]
    return found + [Secret(thing, LEFT_OUT) for thing in things if thing]


def _column(column: Any, model: Any, ticket: Ticket) -> Sequence[str]:
    return db.session.scalars(select(column).where(model.tenant_id == ticket.tenant_id)).all()
