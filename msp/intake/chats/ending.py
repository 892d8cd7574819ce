"""How a conversation ends: as a ticket, on a ticket that is there, or without one and with a reason."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.intake.chats.doors import visitor_of
from msp.intake.chats.models import Chat, ChatLine
from msp.intake.chats.queries import list_lines
from msp.intake.chats.services import hold
from msp.intake.codes import read_code
from msp.intake.receiving import receive_ticket
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import queries, services
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket

log = structlog.get_logger()
IDLE = timedelta(minutes=30)
BATCH = 200
LONGEST_REASON = 300


def end_as_ticket(
    chat: Chat, *, by: Actor, at: datetime, subject: str = "", impact: str = "low", urgency: str = "medium"
) -> Ticket:
    """Make a ticket of it with all that was said; asked again it gives the same ticket. Raises Conflict, Invalid."""
    hold(chat)
    if chat.state == "ended":
        return _made_before(chat)
    tenant, lines = find_tenant_by_id(chat.tenant_id), list_lines(chat)
    parts = transcript(lines, tenant)
    request = services.Request(
        subject=subject.strip() or _subject_of(lines),
        body=parts[0],
        impact=impact,
        urgency=urgency,
        requester=_requester(chat),
        source=chat.channel,
        request_key=f"chat-{chat.public_id}",
    )
    answered = was_answered(lines)
    ticket = receive_ticket(tenant, request, by=by, at=at, spoke_with_caller=answered and by.is_staff)
    _write_rest(ticket, parts[1:], by=by if answered else _requester_as_actor(chat), at=at)
    _end(chat, "ticket", by=by, at=at, ticket=ticket)
    return ticket


def _made_before(chat: Chat) -> Ticket:
    if chat.ending != "ticket" or chat.ticket_id is None:
        raise Conflict(_l("This conversation has ended."))
    return db.session.get_one(Ticket, (chat.tenant_id, chat.ticket_id))


def ticket_of(chat: Chat) -> Ticket | None:
    """The ticket that a conversation became, or was added to."""
    return db.session.get(Ticket, (chat.tenant_id, chat.ticket_id)) if chat.ticket_id else None


def end_on_ticket(chat: Chat, code: str, *, by: Actor, at: datetime) -> Ticket:
    """Add what was said to a ticket of the same client. Raises Invalid on `code`, Conflict."""
    hold(chat)
    if chat.state == "ended":
        raise Conflict(_l("This conversation has ended."))
    try:
        ticket = services.current_of(queries.find_ticket(read_code(code), by=by))
    except NotFound:
        ticket = None
    if ticket is None or ticket.tenant_id != chat.tenant_id:
        raise Invalid("code", _l("This client has no ticket with this code."))
    _append(chat, ticket, by=by, at=at)
    _end(chat, "appended", by=by, at=at, ticket=ticket)
    return ticket


def end_without_ticket(chat: Chat, reason: str, *, by: Actor, at: datetime) -> None:
    """Nothing is left to do. Raises Invalid on `reason`, Conflict."""
    hold(chat)
    if chat.state == "ended":
        raise Conflict(_l("This conversation has ended."))
    words = " ".join(reason.split())
    if not 1 <= len(words) <= LONGEST_REASON or not words.isprintable():
        raise Invalid("reason", _l("Say in one line why there is nothing left to do."))
    _end(chat, "none", by=by, at=at, reason=words)


def _end(
    chat: Chat, ending: str, *, by: Actor, at: datetime, ticket: Ticket | None = None, reason: str = ""
) -> None:
    chat.state, chat.ending, chat.ended_at, chat.ended_by_name = "ended", ending, at, by.name
    chat.ticket_id, chat.reason, chat.rev = ticket.id if ticket else None, reason, chat.rev + 1
    db.session.flush()
    audit.record(
        "chat.end",
        tenant_id=chat.tenant_id,
        by=by,
        object=f"chat:{chat.public_id}",
        at=at,
        detail={"ending": ending, "ticket": ticket.code if ticket else None},
    )


def was_answered(lines: list[ChatLine]) -> bool:
    """Whether somebody of the provider said anything in it."""
    return any(line.kind == "staff" for line in lines)


def _append(chat: Chat, ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Write it down as what it is: an answer only if staff said something, else the requester's own words, or a note.

    Only an account proves that the one who waited in the chat is the one who asked on the ticket.
    """
    lines = list_lines(chat)
    parts = transcript(lines, find_tenant_by_id(chat.tenant_id))
    if was_answered(lines):
        _write_rest(ticket, parts, by=by, at=at)
    elif chat.requester_user_id is not None and chat.requester_user_id == ticket.requester_user_id:
        _write_rest(ticket, parts, by=_requester_as_actor(chat), at=at)
    else:
        _write_rest(ticket, parts, by=by, at=at, kind="internal")


def _write_rest(ticket: Ticket, parts: list[str], *, by: Actor, at: datetime, kind: str = "public") -> None:
    for part in parts:
        services.add_message(ticket, body=part, by=by, at=at, kind=kind, via="chat")


def _requester_as_actor(chat: Chat) -> Actor:
    """Whoever waited, with or without an account, for words that nobody of the provider said."""
    return replace(visitor_of(chat), id=chat.requester_user_id, via="chat")


def _requester(chat: Chat) -> services.Requester:
    known = queries.find_requester(chat.tenant_id, chat.requester_user_id)
    return known or services.Requester(chat.name, chat.email)


def _subject_of(lines: list[ChatLine]) -> str:
    said = next((line.body for line in lines if line.kind == "requester"), "")
    words = " ".join(said.split())
    return words if len(words) <= 100 else words[:99].rstrip() + "…"


def transcript(lines: list[ChatLine], tenant: Tenant) -> list[str]:
    """What was said, with the client's hours, in parts that each fit into a message."""
    zone, parts = ZoneInfo(tenant.time_zone), [""]
    for line in lines:
        if line.kind == "system":
            continue
        words = f"{line.at.astimezone(zone):%H:%M} {line.author_name}: {line.body}"
        if len(parts[-1]) + len(words) + 1 > LONGEST_BODY:
            parts.append("")
        parts[-1] = f"{parts[-1]}\n{words}".strip()
    return parts


def sweep_idle_chats() -> int:
    """End chats in which nothing was said for half an hour, each in its own transaction; returns how many."""
    with enter(sweeper()):
        idle = (
            select(Chat.tenant_id, Chat.id)
            .where(Chat.state != "ended", Chat.last_at <= time.now() - IDLE)
            .order_by(Chat.last_at)
            .limit(BATCH)
        )
        found = db.session.execute(idle).all()
    return sum(_end_idle(tenant_id, chat_id) for tenant_id, chat_id in found)


def _end_idle(tenant_id: int, chat_id: int) -> bool:
    try:
        with enter(of_tenant(tenant_id)):
            chat, at = db.session.get_one(Chat, (tenant_id, chat_id)), time.now()
            hold(chat)
            if chat.state == "ended" or chat.last_at > at - IDLE:
                return False
            by = Actor.system("chat")
            said = [line.kind for line in list_lines(chat) if line.kind != "system"]
            if said[-1] == "staff":
                _end(chat, "none", by=by, at=at, reason="idle")
            else:
                end_as_ticket(chat, by=by, at=at)
            db.session.commit()
    except Exception as error:
        log.exception("chat not swept", tenant=tenant_id, chat=chat_id, error=type(error).__name__)
        return False
    return True
