"""Finding conversations: staff those of their clients, a requester the own ones, a visitor the one of the token."""

from collections.abc import Iterable

from sqlalchemy import case, func, select

from msp.intake.chats.models import Chat, ChatLine
from msp.web import streams
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tenancy.queries import as_uuid


def find_chat(public_id: str, *, by: Actor) -> Chat:
    """The chat with this id, as far as somebody may see it. Raises NotFound."""
    asked = select(Chat).where(Chat.public_id == as_uuid(public_id))
    if not by.is_staff:
        asked = asked.where(Chat.requester_user_id == by.id, Chat.channel == "chat")
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def find_visitors_chat(tenant_id: int, public_id: str) -> Chat:
    """The chat of a visitor of this client's website. Raises NotFound."""
    asked = select(Chat).where(
        Chat.tenant_id == tenant_id, Chat.public_id == as_uuid(public_id), Chat.channel == "website"
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_lines(chat: Chat) -> list[ChatLine]:
    """What was said, in order."""
    said = select(ChatLine).where(ChatLine.tenant_id == chat.tenant_id, ChatLine.chat_id == chat.id)
    return list(db.session.scalars(said.order_by(ChatLine.id)))


def list_open(limit: int = 100) -> list[Chat]:
    """Chats that have not ended: those that wait first, the longest wait at the top."""
    waits = case((Chat.state == "waiting", 0), else_=1)
    found = select(Chat).where(Chat.state != "ended").order_by(waits, Chat.last_at, Chat.id)
    return list(db.session.scalars(found.limit(limit)))


def list_ended(limit: int = 25) -> list[Chat]:
    """The latest that ended."""
    found = select(Chat).where(Chat.state == "ended").order_by(Chat.last_at.desc(), Chat.id.desc())
    return list(db.session.scalars(found.limit(limit)))


def count_waiting() -> int:
    """How many wait for somebody to answer."""
    return db.session.scalar(select(func.count()).where(Chat.state == "waiting")) or 0


def list_own(tenant_id: int, *, by: Actor, limit: int = 10) -> list[Chat]:
    """A requester's own conversations with the desk, newest first."""
    found = select(Chat).where(Chat.tenant_id == tenant_id, Chat.requester_user_id == by.id)
    return list(db.session.scalars(found.order_by(Chat.id.desc()).limit(limit)))


def read_queue() -> streams.Digests:
    """A digest of the open chats of each client in scope."""
    rows = db.session.execute(
        select(Chat.tenant_id, func.count(), func.sum(Chat.rev), func.max(Chat.id))
        .where(Chat.state != "ended")
        .group_by(Chat.tenant_id)
    )
    return {row[0]: streams.digest_of(tuple(row)) for row in rows}


def queue_version(tenants: Iterable[int]) -> str:
    """The version of the queue as somebody with these clients sees it."""
    return streams.combine(read_queue(), frozenset(tenants))


def version_of(chat: Chat) -> str:
    """The version of one conversation."""
    return streams.combine(digests_of(chat), ())


def digests_of(chat: Chat) -> streams.Digests:
    """A digest of what a page shows of one conversation."""
    return {None: streams.digest_of((chat.rev, chat.state))}
