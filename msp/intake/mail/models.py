"""Mailboxes, the mails that came in by them, and which domains belong to which client."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, ProviderOwned, TenantOwned, choice, moment, public_id
from tenants.foundation.scope import Role

SECURITIES = ("tls", "starttls", "plain")
# received: its bytes are kept and nothing else is known yet.
MAIL_STATES = ("received", "done", "quarantined", "dropped")
CHANNELS = ("imap", "webhook", "command")
OUTCOMES = ("ticket", "reply", "follow_up", "vendor", "bounce")


class Mailbox(ProviderOwned, Base):
    """An address at which mail comes in: fetched by IMAP, or brought by a gateway; the password lies sealed."""

    __tablename__ = "mailboxes"
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT", Role.SWEEPER: "SELECT"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(254), unique=True)
    # Without a host nothing is fetched: mail comes by the webhook only.
    host: Mapped[str] = mapped_column(String(253), default="")
    port: Mapped[int] = mapped_column(default=993)
    security: Mapped[str] = mapped_column(default="tls")
    user_name: Mapped[str] = mapped_column(String(254), default="")
    password: Mapped[bytes | None] = mapped_column(LargeBinary, info={"secret": True})
    # Makes the webhook's key, which is derived and stored nowhere; another nonce ends the old key.
    key_nonce: Mapped[bytes] = mapped_column(LargeBinary, info={"secret": True})
    # Where mail of unknown senders goes; none: into quarantine.
    default_tenant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tenants.id"))
    language: Mapped[str] = mapped_column(String(5))
    paused_at: Mapped[datetime | None] = moment(nullable=True)
    fetch_at: Mapped[datetime] = moment()
    # How far it was read: numbers of the server, which count anew when its validity changes.
    uid_validity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(default=0)
    fetched_at: Mapped[datetime | None] = moment(nullable=True)
    failed_at: Mapped[datetime | None] = moment(nullable=True)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    created_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (
        choice("security", SECURITIES),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port_of_a_host"),
        Index("ix_mailboxes_fetch_at", "fetch_at", postgresql_where=text("paused_at IS NULL")),
    )


class IncomingMail(ProviderOwned, Base):
    """One mail as it came in, and what became of it; its bytes lie in the file store under their digest.

    The provider's, because nobody knows whose it is before it was read; `for_tenant_id` says so afterwards.
    """

    __tablename__ = "incoming_mails"
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT, INSERT"}
    public_id: Mapped[Any] = public_id()
    mailbox_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("mailboxes.id"))
    channel: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    uid: Mapped[int | None]
    received_at: Mapped[datetime] = moment()
    state: Mapped[str] = mapped_column(default="received")
    # Why it lies in quarantine or was dropped: a word of `rules.REASONS`, and what a program said about it.
    reason: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(300))
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    decided_by: Mapped[str | None] = mapped_column(String(120))
    sender: Mapped[str | None] = mapped_column(String(254))
    sender_name: Mapped[str] = mapped_column(String(120), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    message_id: Mapped[str | None] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(default="")
    html: Mapped[str] = mapped_column(default="")
    # Content ids of images in the text, to the files that they were kept as.
    inline: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Whether our own edge vouched for the sender (DMARC passed).
    is_verified: Mapped[bool] = mapped_column(default=False)
    # A program wrote it: it is never answered by the portal itself.
    is_automatic: Mapped[bool] = mapped_column(default=False)
    acknowledged_at: Mapped[datetime | None] = moment(nullable=True)
    for_tenant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tenants.id"))
    ticket_id: Mapped[int | None]
    ticket_code: Mapped[str | None] = mapped_column(String(20))
    __table_args__ = (
        choice("channel", CHANNELS),
        choice("state", MAIL_STATES),
        choice("outcome", OUTCOMES),
        # The same bytes are the same mail, however often a server or a gateway brings them.
        Index("uq_incoming_mails_bytes", "mailbox_id", "sha256", unique=True),
        Index("ix_incoming_mails_state", "state", "received_at", "id"),
        Index("ix_incoming_mails_sender", "sender", "acknowledged_at"),
        Index(
            "ix_incoming_mails_acknowledged",
            "acknowledged_at",
            "mailbox_id",
            postgresql_where=text("acknowledged_at IS NOT NULL"),
        ),
        Index("ix_incoming_mails_pace", "mailbox_id", "sender", "decided_at"),
        Index("ix_incoming_mails_ticket", "for_tenant_id", "ticket_id"),
    )


class MailDomain(TenantOwned, Base):
    """A mail domain that a manager found to be a client's: mail from unknown people there is that client's."""

    __tablename__ = "mail_domains"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.GATE: "SELECT"}
    __sees_all__ = (Role.GATE,)
    public_id: Mapped[Any] = public_id()
    domain: Mapped[str] = mapped_column(String(253))
    added_at: Mapped[datetime] = moment()
    added_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (
        Index("uq_mail_domains_domain", "tenant_id", "domain", unique=True),
        Index("ix_mail_domains_domain", "domain"),
    )
