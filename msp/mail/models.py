"""The outbox: every mail that the portal sends, and what became of it."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, Global, TenantOwned, choice, moment, public_id
from tenants.foundation.scope import Role

# unknown: the connection broke after the text was given away, so it may or may not have arrived.
STATES = ("queued", "sending", "sent", "failed", "unknown")


class OutgoingMail(TenantOwned, Base):
    """One mail to one address, rendered when it was asked for; clients never read the outbox."""

    __tablename__ = "outgoing_mails"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    to_address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    # Left out of exports: what stands in place of a secret link is one, too.
    text: Mapped[str] = mapped_column(info={"secret": True})
    html: Mapped[str] = mapped_column(info={"secret": True})
    language: Mapped[str] = mapped_column(String(5))
    template: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(default="queued")
    # Stays the same however often it is tried, so that a receiver recognises a repeat.
    message_id: Mapped[str] = mapped_column(String(200))
    # Mails about one thing are shown as one conversation.
    thread: Mapped[str | None] = mapped_column(String(200))
    # What the mail is about, once: asking again for the same is absorbed.
    key: Mapped[str | None] = mapped_column(String(120))
    # What it brings along, as `kind/id`: made when it is sent.
    encloses: Mapped[str | None] = mapped_column(String(80))
    # Where an answer goes, if not to the portal's own address.
    reply_to: Mapped[str | None] = mapped_column(String(254))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    queued_at: Mapped[datetime] = moment()
    sent_at: Mapped[datetime | None] = moment(nullable=True)
    # When and why it came back, as far as a server told.
    bounced_at: Mapped[datetime | None] = moment(nullable=True)
    bounce: Mapped[str | None] = mapped_column(String(300))
    __table_args__ = (
        choice("state", STATES),
        Index("uq_outgoing_mails_message_id", "tenant_id", "message_id", unique=True),
        Index("uq_outgoing_mails_key", "tenant_id", "key", unique=True),
        Index("ix_outgoing_mails_queued", "tenant_id", "queued_at", "id"),
        Index(
            "ix_outgoing_mails_unsent",
            "tenant_id",
            "queued_at",
            "id",
            postgresql_where=sql("state <> 'sent'"),
        ),
    )


class UnwantedNotice(Global, Base):
    """A kind of mail that a person does not want, or does want although few do; else its own usual way counts."""

    __tablename__ = "unwanted_notices"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.GATE: "SELECT",
        Role.CLIENT: "SELECT, INSERT, DELETE",
        Role.STAFF: "SELECT, INSERT, DELETE",
    }
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    notice: Mapped[str] = mapped_column(String(60))
    is_wanted: Mapped[bool] = mapped_column(default=False, server_default="false")
    __table_args__ = (Index("uq_unwanted_notices", "user_id", "notice", unique=True),)
