"""What happened on a ticket, to be read: every line of the history, and the texts of some of them at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Select, and_, bindparam, select

from tenants.foundation import guard
from tenants.foundation.actor import Actor
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import db
from tenants.tickets.models import Message, Ticket, TicketEvent

LINES = 200
# What an integer column holds; a story that is read to its end ends there.
_END = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket's history: all its lines, which clocks are derived from, and those of one page with what was said.

    `earlier` is the number before which the page before this one ends, None on the first; `later` says that newer ones
    follow.
    """

    lines: Sequence[TicketEvent]
    told: Sequence[tuple[TicketEvent, Message | None]]
    earlier: int | None
    later: TicketEvent | None

    @property
    def said(self) -> list[Message]:
        """The messages of this page."""
        return [message for _line, message in self.told if message is not None]


def read_story(ticket: Ticket, *, by: Actor, before: int | None = None, most: int | None = None) -> Story:
    """The last lines of a ticket, or the last before a number, in one statement; `most` of them, else `LINES`.

    For clients internal notes never leave the database.
    """
    end = ticket.rev + 1 if before is None else min(max(before, 2), ticket.rev + 1)
    first, newest = max(end - (most or LINES), 1), end > ticket.rev
    asked = {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.id,
        "first": first,
        "last": _END if newest else end - 1,
    }
    with guard.only(ticket.tenant_id):
        rows = [(row[0], row[1]) for row in db.session.execute(_statement(by.is_staff), asked)]
    return Story(
        lines=[line for line, _message in rows],
        told=[row for row in rows if first <= row[0].seq <= asked["last"]],
        earlier=first if first > 1 else None,
        later=next((line for line, _message in rows if line.seq > asked["last"]), None),
    )


@cache
def _statement(staff: bool) -> Select[TicketEvent, Message]:
    """Put together once for each side; texts outside the page stay in the database."""
    said = and_(
        Message.tenant_id == TicketEvent.tenant_id,
        Message.id == TicketEvent.message_id,
        TicketEvent.seq.between(bindparam("first"), bindparam("last")),
    )
    return (
        select(TicketEvent, Message)
        .outerjoin(Message, said if staff else and_(said, Message.kind == "public"))
        .where(
            TicketEvent.tenant_id == bindparam("tenant_id"), TicketEvent.ticket_id == bindparam("ticket_id")
        )
        .order_by(TicketEvent.seq)
        .execution_options(**PREPARED)
    )


def list_merged_messages(
    ticket: Ticket, story: Story, *, by: Actor
) -> Sequence[tuple[TicketEvent, Message, str]]:
    """What was said on tickets that were merged into this one in the time of a page, with the code of each.

    In one statement, asked only where the history tells of a merge; the newest of them, all are on their own tickets.
    """
    if not story.told or not any(line.kind == "merged" for line in story.lines):
        return []
    said = and_(Message.tenant_id == TicketEvent.tenant_id, Message.id == TicketEvent.message_id)
    there = and_(Ticket.tenant_id == TicketEvent.tenant_id, Ticket.id == TicketEvent.ticket_id)
    found = (
        select(TicketEvent, Message, Ticket.code)
        .join(Message, said)
        .join(Ticket, there)
        .where(Ticket.tenant_id == ticket.tenant_id, Ticket.merged_into_id == ticket.id)
    )
    if story.earlier is not None:
        found = found.where(TicketEvent.at >= story.told[0][0].at)
    if story.later is not None:
        found = found.where(TicketEvent.at < story.later.at)
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    newest = found.order_by(TicketEvent.at.desc(), TicketEvent.id.desc()).limit(LINES)
    with guard.only(ticket.tenant_id):
        return [(row[0], row[1], row[2]) for row in db.session.execute(newest)][::-1]
