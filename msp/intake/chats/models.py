"""Conversations with somebody who waits for an answer, line by line, and the doors by which visitors come in."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, ProviderOwned, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

CHANNELS = ("chat", "website")
STATES = ("waiting", "active", "ended")
ENDINGS = ("ticket", "appended", "none")
LINE_KINDS = ("requester", "staff", "system")


class Chat(TenantOwned, Base):
    """A conversation with one requester: with an account from the portal, or a visitor of the client's website."""

    __tablename__ = "chats"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE", Role.SWEEPER: "SELECT"}
    public_id: Mapped[Any] = public_id()
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    requester_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(5), default="id")
    began_at: Mapped[datetime] = moment()
    last_at: Mapped[datetime] = moment()
    taken_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    taken_by_name: Mapped[str | None] = mapped_column(String(120))
    taken_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    ended_by_name: Mapped[str | None] = mapped_column(String(120))
    ending: Mapped[str | None]
    reason: Mapped[str] = mapped_column(String(300), default="")
    ticket_id: Mapped[int | None]
    # Counts changes: whoever listens knows by it that there is something new.
    rev: Mapped[int] = mapped_column(default=1)
    # The form that began it: a second click finds the first one's chat.
    request_key: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        choice("channel", CHANNELS),
        choice("state", STATES),
        choice("ending", ENDINGS),
        belongs("tickets", "ticket_id"),
        Index("ix_chats_open", "tenant_id", "last_at", "id", postgresql_where=text("state <> 'ended'")),
        # The sweep's own index runs over all tenants: it reads only what is open.
        Index("ix_chats_idle", "last_at", postgresql_where=text("state <> 'ended'")),
        # The latest that ended are asked for at each change of the queue, over all clients of whoever looks: with the
        # tenant in front every ended chat would be read and sorted.
        Index("ix_chats_ended", "last_at", "id", postgresql_where=text("state = 'ended'")),
        Index("ix_chats_requester", "tenant_id", "requester_user_id", "id"),
        Index("uq_chats_request_key", "tenant_id", "request_key", unique=True),
    )


class ChatLine(TenantOwned, Base):
    """Something said in a conversation; never changed afterwards."""

    __tablename__ = "chat_lines"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.CLIENT, Role.STAFF, Role.WORKER), "SELECT, INSERT"
    )
    chat_id: Mapped[int]
    kind: Mapped[str]
    author_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    author_name: Mapped[str] = mapped_column(String(120))
    body: Mapped[str]
    at: Mapped[datetime] = moment()
    request_key: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        choice("kind", LINE_KINDS),
        belongs("chats", "chat_id"),
        Index("ix_chat_lines_chat", "tenant_id", "chat_id", "id"),
        Index("uq_chat_lines_request_key", "tenant_id", "chat_id", "request_key", unique=True),
    )


class ChatDoor(TenantOwned, Base):
    """The way in from a client's website: a key that is no secret, and the pages that may embed the chat."""

    __tablename__ = "chat_doors"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.GATE: "SELECT"}
    public_key: Mapped[str] = mapped_column(String(40))
    is_open: Mapped[bool] = mapped_column(default=True)
    origins: Mapped[list[Any]] = mapped_column(default=list)
    changed_at: Mapped[datetime] = moment()
    changed_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (
        Index("uq_chat_doors_tenant", "tenant_id", unique=True),
        # Who knocks knows no tenant.
        Index("ix_chat_doors_public_key", "public_key"),
    )


class ChatPresence(ProviderOwned, Base):
    """When one of staff was last seen on the page of chats; asked through the gate, which knows the grants."""

    __tablename__ = "chat_presences"
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT, INSERT, UPDATE"}
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), unique=True)
    seen_at: Mapped[datetime] = moment()
