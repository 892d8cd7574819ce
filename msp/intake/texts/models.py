"""Texts by SMS and WhatsApp: those that came, the conversations they belong to, and those that go out."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

CHANNELS = ("sms", "whatsapp")
ARRIVED = ("waiting", "placed", "dismissed")
# unknown: the connection broke after the text was given away, so it may or may not have arrived.
STATES = ("queued", "sending", "sent", "delivered", "failed", "unknown")


class IncomingText(TenantOwned, Base):
    """What the gateway brought, once for each of its numbers; the provider keeps its words only while it waits."""

    __tablename__ = "incoming_texts"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    sid: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str]
    from_number: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(default="")
    media_count: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="waiting")
    at: Mapped[datetime] = moment()
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    reason: Mapped[str] = mapped_column(String(300), default="")
    __table_args__ = (
        choice("channel", CHANNELS),
        choice("state", ARRIVED),
        Index("uq_incoming_texts_sid", "tenant_id", "sid", unique=True),
        Index("ix_incoming_texts_state", "tenant_id", "state", "at", "id"),
    )


class TextThread(TenantOwned, Base):
    """A ticket that is talked about with one number."""

    __tablename__ = "text_threads"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.GATE: "SELECT"}
    channel: Mapped[str]
    number: Mapped[str] = mapped_column(String(20))
    ticket_id: Mapped[int]
    last_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("channel", CHANNELS),
        belongs("tickets", "ticket_id"),
        Index("uq_text_threads_ticket", "tenant_id", "ticket_id", unique=True),
        # Whoever texts knows no tenant.
        Index("ix_text_threads_number", "number", "channel", "last_at"),
    )


class OutgoingText(TenantOwned, Base):
    """One text to one number, and what became of it; clients never read the outbox."""

    __tablename__ = "outgoing_texts"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.GATE: "SELECT"}
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    channel: Mapped[str]
    to_number: Mapped[str] = mapped_column(String(20))
    body: Mapped[str]
    # What the text is about, once: asking again for the same is absorbed.
    key: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(default="queued")
    gateway_sid: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    queued_at: Mapped[datetime] = moment()
    sent_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("channel", CHANNELS),
        choice("state", STATES),
        belongs("tickets", "ticket_id"),
        Index("uq_outgoing_texts_key", "tenant_id", "key", unique=True),
        Index("ix_outgoing_texts_ticket", "tenant_id", "ticket_id", "id"),
    )
