"""A conversation: beginning it, saying something, taking it up and giving it back. The row's lock puts all in order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from msp.intake.chats.models import Chat, ChatLine
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.permissions import Permission
from tenants.people.limits import Limit

LONGEST_LINE = 2000
MOST_LINES = 400
BEGINNINGS = Limit("chats of a source", 20, timedelta(minutes=10))
# A visitor may type anybody's address, and that gets a mail.
ADDRESSES = Limit("chats of an address", 5, timedelta(hours=1))
LINES = Limit("lines of a chat", 120, timedelta(minutes=10))


@dataclass(frozen=True, kw_only=True)
class Start:
    """Who wants to talk, and by which way they came in."""

    channel: str
    name: str
    email: str | None = None
    user_id: int | None = None
    language: str = "id"
    request_key: str | None = None


def begin_chat(tenant_id: int, start: Start, first: str, *, at: datetime) -> Chat:
    """Begin a conversation with its first line; the same form again finds the one that is there. Raises Invalid."""
    words = read_line(first)
    name = " ".join(start.name.split())
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise Invalid("name", _l("Write your name in at most 120 characters."))
    if (existing := _begun_before(tenant_id, start.request_key)) is not None:
        return existing
    chat = Chat(
        tenant_id=tenant_id,
        channel=start.channel,
        state="waiting",
        requester_user_id=start.user_id,
        name=name,
        email=start.email,
        language=start.language,
        began_at=at,
        last_at=at,
        rev=1,
        request_key=start.request_key,
    )
    if (existing := _insert_once(chat)) is not None:
        return existing
    write_line(chat, words, kind="requester", name=name, user_id=start.user_id, at=at)
    return chat


def _begun_before(tenant_id: int, key: str | None) -> Chat | None:
    if key is None:
        return None
    return db.session.scalar(select(Chat).where(Chat.tenant_id == tenant_id, Chat.request_key == key))


def _insert_once(chat: Chat) -> Chat | None:
    """Insert; when the same form was sent twice at once, the chat that won."""
    try:
        with db.session.begin_nested():
            db.session.add(chat)
    except IntegrityError:
        existing = _begun_before(chat.tenant_id, chat.request_key)
        if existing is None:
            raise
        return existing
    return None


def read_line(typed: str) -> str:
    """A line as it is kept. Raises Invalid on `body`."""
    words = typed.replace("\r\n", "\n").strip()
    if not words:
        raise Invalid("body", _l("Write something first."))
    if len(words) > LONGEST_LINE:
        raise Invalid("body", _l("Write at most 2,000 characters at a time."))
    if any(ord(one) < 32 and one not in "\n\t" for one in words):
        raise Invalid("body", _l("This text has characters that cannot be stored."))
    return words


def hold(chat: Chat) -> None:
    """Lock the chat's row for this transaction and see its newest values."""
    newest = select(Chat).where(Chat.tenant_id == chat.tenant_id, Chat.id == chat.id)
    db.session.execute(newest.with_for_update().execution_options(populate_existing=True)).one()


def answer(chat: Chat, body: str, *, by: Actor, at: datetime, request_key: str | None = None) -> ChatLine:
    """Say something as staff; whoever answers a waiting chat takes it. Raises Invalid, Conflict."""
    hold(chat)
    if (said := _said_before(chat, request_key)) is not None:
        return said
    take_chat(chat, by=by, at=at)
    return _say(chat, body, kind="staff", name=by.name, user_id=by.id, at=at, key=request_key)


def ask(chat: Chat, body: str, *, at: datetime, request_key: str | None = None) -> ChatLine:
    """Say something as whoever began it. Raises Invalid, Conflict once it has ended."""
    hold(chat)
    if (said := _said_before(chat, request_key)) is not None:
        return said
    _refuse_ended(chat)
    user_id = chat.requester_user_id
    return _say(chat, body, kind="requester", name=chat.name, user_id=user_id, at=at, key=request_key)


def _say(
    chat: Chat, body: str, *, kind: str, name: str, user_id: int | None, at: datetime, key: str | None
) -> ChatLine:
    words = read_line(body)
    counted = select(func.count()).where(ChatLine.tenant_id == chat.tenant_id, ChatLine.chat_id == chat.id)
    if (db.session.scalar(counted) or 0) >= MOST_LINES:
        raise Conflict(_l("This conversation is very long. End it, and begin another one."))
    return write_line(chat, words, kind=kind, name=name, user_id=user_id, at=at, key=key)


def write_line(
    chat: Chat,
    body: str,
    *,
    kind: str,
    name: str,
    at: datetime,
    user_id: int | None = None,
    key: str | None = None,
) -> ChatLine:
    """The row of a line; the chat moves with it."""
    line = ChatLine(
        tenant_id=chat.tenant_id,
        chat_id=chat.id,
        kind=kind,
        author_user_id=user_id,
        author_name=name[:120],
        body=body,
        at=at,
        request_key=key,
    )
    db.session.add(line)
    chat.last_at, chat.rev = at, chat.rev + 1
    db.session.flush()
    return line


def _said_before(chat: Chat, key: str | None) -> ChatLine | None:
    if key is None:
        return None
    said = select(ChatLine).where(ChatLine.chat_id == chat.id, ChatLine.request_key == key)
    return db.session.scalar(said.where(ChatLine.tenant_id == chat.tenant_id))


def _refuse_ended(chat: Chat) -> None:
    if chat.state == "ended":
        raise Conflict(_l("This conversation has ended."))


def take_chat(chat: Chat, *, by: Actor, at: datetime) -> None:
    """Take it up; taking one's own again changes nothing. Raises Conflict when a colleague was faster."""
    hold(chat)
    _refuse_ended(chat)
    if chat.taken_by_user_id == by.id:
        return
    if chat.taken_by_user_id is not None:
        raise Conflict(_l("%(name)s answers this chat already.", name=chat.taken_by_name))
    chat.state, chat.taken_by_user_id, chat.taken_by_name, chat.taken_at = "active", by.id, by.name, at
    write_line(chat, "joined", kind="system", name=by.name, user_id=by.id, at=at)
    _audit("chat.take", chat, by=by, at=at)


def give_back_chat(chat: Chat, *, by: Actor, at: datetime) -> None:
    """Let others answer it: one's own, or anybody's by who may assign. Raises Forbidden, Conflict."""
    hold(chat)
    _refuse_ended(chat)
    if chat.taken_by_user_id is None:
        return
    if chat.taken_by_user_id != by.id and not by.may(Permission.ASSIGN_TICKETS):
        raise Forbidden
    name = chat.taken_by_name or ""
    chat.state, chat.taken_by_user_id, chat.taken_by_name, chat.taken_at = "waiting", None, None, None
    write_line(chat, "left", kind="system", name=name, at=at)
    _audit("chat.give_back", chat, by=by, at=at)


def _audit(action: str, chat: Chat, *, by: Actor, at: datetime) -> None:
    audit.record(
        action,
        tenant_id=chat.tenant_id,
        by=by,
        object=f"chat:{chat.public_id}",
        at=at,
        detail={"channel": chat.channel},
    )
