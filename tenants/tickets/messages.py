"""Saying something on a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.files.models import StoredFile
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.tickets import rules
from tenants.tickets.events import MessageAdded
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import MESSAGE_KINDS, Attachment, Message, Ticket
from tenants.tickets.moving import move
from tenants.tickets.texts import learn_words

LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: a person with an account, or somebody on the phone known by name only."""

    name: str
    email: str | None = None
    user_id: int | None = None


def add_message(
    ticket: Ticket,
    *,
    body: str,
    by: Actor,
    at: datetime,
    kind: str = "public",
    files: Sequence[StoredFile] = (),
    spoke_with_caller: bool = False,
    request_key: str | None = None,
    via: str | None = None,
    leads_to: str | None = None,
    replay: bool = False,
) -> Message:
    """Say something on a ticket; the same `request_key` again gives the message that is there already.

    A public reply by staff takes a new ticket into work; the requester's reply ends a wait for the requester.
    `leads_to` is the state that the caller moves the ticket to in the same breath. Raises Invalid, Forbidden, Conflict.
    """
    hold(ticket)
    if (existing := said_before(ticket, request_key)) is not None:
        return existing
    side = who_is(by)
    _check(ticket, body, kind, side, spoke_with_caller=spoke_with_caller, leads_to=leads_to)
    author_kind = "auto" if side == "system" else side
    message = write_message(
        ticket,
        body,
        kind,
        author_kind,
        by=by,
        at=at,
        files=files,
        via=via,
        spoke_with_caller=spoke_with_caller,
        request_key=request_key,
    )
    _tell(ticket, message, by=by, leads_to=leads_to, replay=replay)
    after = rules.state_after_message(ticket.state, ticket.waiting_reason, kind=kind, author_kind=author_kind)
    if after != ticket.state and leads_to is None:
        move(ticket, after, by=by, at=at, reason=None, replay=replay)
    return message


def said_before(ticket: Ticket, request_key: str | None) -> Message | None:
    """The message that the same form brought already."""
    if request_key is None:
        return None
    found = select(Message).where(Message.tenant_id == ticket.tenant_id, Message.request_key == request_key)
    return db.session.scalars(found).one_or_none()


def _check(
    ticket: Ticket, body: str, kind: str, side: str, *, spoke_with_caller: bool, leads_to: str | None
) -> None:
    if kind not in MESSAGE_KINDS:
        raise Invalid("kind", _l("A message is public or internal."))
    if side == "requester" and (kind == "internal" or spoke_with_caller):
        raise Forbidden
    if not body.strip() and not spoke_with_caller:
        raise Invalid("body", _l("Write something first."))
    if len(body) > LONGEST_BODY or "\x00" in body:
        raise Invalid("body", _l("Write at most 20,000 characters, without control characters."))
    if leads_to is None and not rules.may_say(ticket.state, kind):
        raise Conflict(_l("This ticket is closed. Open a new one and mention this one's code."))


def write_message(
    ticket: Ticket,
    body: str,
    kind: str,
    author_kind: str,
    *,
    by: Actor,
    at: datetime,
    files: Sequence[StoredFile] = (),
    author: Requester | None = None,
    via: str | None = None,
    spoke_with_caller: bool = False,
    request_key: str | None = None,
) -> Message:
    """The row of a message with its files, without history."""
    who = author or Requester(by.name, user_id=by.id if who_is(by) != "system" else None)
    message = Message(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        kind=kind,
        author_kind=author_kind,
        author_user_id=who.user_id,
        author_name=who.name[:120],
        via=via or by.via,
        body=body.replace("\r\n", "\n").strip(),
        spoke_with_caller=spoke_with_caller,
        at=at,
        request_key=request_key,
    )
    db.session.add(message)
    db.session.flush()
    place = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "message_id": message.id}
    db.session.add_all(Attachment(**place, file_id=file.id) for file in files)
    for file in files:
        file.is_internal = kind != "public"
    learn_words(ticket, body, *(file.name for file in files), for_staff=kind != "public")
    return message


def _tell(ticket: Ticket, message: Message, *, by: Actor, leads_to: str | None, replay: bool) -> None:
    answered = rules.meets_response(
        kind=message.kind, author_kind=message.author_kind, spoke_with_caller=message.spoke_with_caller
    )
    seq = note(
        ticket,
        "message_added",
        by=by,
        at=message.at,
        message_id=message.id,
        replay=replay,
        kind=message.kind,
        author_kind=message.author_kind,
        spoke_with_caller=message.spoke_with_caller,
    )
    added = MessageAdded(
        tenant_id=ticket.tenant_id,
        at=message.at,
        by=by,
        ticket_id=ticket.id,
        seq=seq,
        replay=replay,
        message_id=message.id,
        kind=message.kind,
        author_kind=message.author_kind,
        meets_response=answered,
        leads_to=leads_to,
    )
    events.record(added, replay=replay)
