"""Conversations by text: which ticket a number talks about, and what its next text does there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from msp.intake.texts.models import TextThread
from msp.intake.texts.rules import RUNNING, Step, next_step
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets import rules
from tenants.tickets.merging import current_of
from tenants.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Place:
    """Whose text it is: the client, the person where one is known, and the ticket that was talked about, and when."""

    tenant_id: int
    person: Membership | None
    ticket_id: int | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """Where the story goes on, and what a text does there."""

    ticket: Ticket | None
    step: Step


def look(place: Place, *, is_thanks: bool, at: datetime, held: bool = False) -> Talk:
    """The ticket that was talked about, or the one that it was merged into. In the client's scope.

    `held` locks it: it may have changed since the first look.
    """
    if place.ticket_id is None or place.last_at is None:
        return Talk(None, "leave")
    ticket = _find(place.tenant_id, place.ticket_id, held=held)
    current = current_of(ticket)
    if current is not ticket and held:
        current = _find(current.tenant_id, current.id, held=True)
    step = next_step(
        current.state,
        is_reopenable=rules.is_reopenable(current.state, current.reopen_until, at),
        is_running=place.last_at > at - RUNNING,
        is_thanks=is_thanks,
    )
    return Talk(current, step)


def _find(tenant_id: int, ticket_id: int, *, held: bool) -> Ticket:
    asked = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id)
    if held:
        asked = asked.with_for_update(key_share=True).execution_options(populate_existing=True)
    return db.session.scalars(asked).one()


def begun_meanwhile(place: Place, number: str, channel: str, at: datetime) -> Ticket | None:
    """Two texts of one person at once begin one conversation.

    The person's row puts them in order, or for a number without a person the ticket that both of them hold.
    """
    if place.person is None and place.ticket_id is None:
        return None
    if place.person is not None:
        person = select(Membership).where(
            Membership.tenant_id == place.tenant_id, Membership.id == place.person.id
        )
        db.session.scalars(person.with_for_update()).one()
    newest = (
        select(TextThread.ticket_id)
        .where(
            TextThread.tenant_id == place.tenant_id,
            TextThread.number == number,
            TextThread.channel == channel,
            TextThread.last_at > at - RUNNING,
        )
        .order_by(TextThread.last_at.desc())
    )
    ticket_id = db.session.scalar(newest.limit(1))
    if ticket_id is None:
        return None
    ticket = current_of(_find(place.tenant_id, ticket_id, held=False))
    return ticket if ticket.is_open else None


def note_thread(
    ticket: Ticket, channel: str, number: str, at: datetime, *, through: int | None = None
) -> None:
    """Write down that a number talks about a ticket, also where it came to it `through` a merged one."""
    row = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "channel": channel, "number": number}
    written = insert(TextThread).values(**row, last_at=at)
    db.session.execute(
        written.on_conflict_do_update(
            index_elements=[TextThread.tenant_id, TextThread.ticket_id], set_={"last_at": at}
        )
    )
    if through not in (None, ticket.id):
        _note_merged(ticket, through or 0, at)


def _note_merged(ticket: Ticket, through: int, at: datetime) -> None:
    merged = select(Ticket.id).where(
        Ticket.tenant_id == ticket.tenant_id, Ticket.id == through, Ticket.merged_into_id == ticket.id
    )
    db.session.execute(
        update(TextThread)
        .where(TextThread.tenant_id == ticket.tenant_id, TextThread.ticket_id.in_(merged))
        .values(last_at=at)
    )


def list_numbers(ticket: Ticket) -> list[TextThread]:
    """The conversations about a ticket and about those that were merged into it, its own first, each number once."""
    merged = select(Ticket.id).where(Ticket.tenant_id == ticket.tenant_id, Ticket.merged_into_id == ticket.id)
    about = (TextThread.ticket_id == ticket.id) | TextThread.ticket_id.in_(merged)
    if ticket.follows_id is not None and not (ticket.requester_email or ticket.requester_user_id):
        # Somebody who has only a telephone carried it on from the page that a text had led to.
        about = about | (TextThread.ticket_id == ticket.follows_id)
    found = db.session.scalars(
        select(TextThread)
        .where(TextThread.tenant_id == ticket.tenant_id, about)
        .order_by(TextThread.ticket_id != ticket.id, TextThread.id)
    )
    numbers: dict[tuple[str, str], TextThread] = {}
    for one in found:
        numbers.setdefault((one.channel, one.number), one)
    return list(numbers.values())
