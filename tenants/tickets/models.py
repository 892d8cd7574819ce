"""Tickets, what is said on them, who hands them to whom, and the history that every clock derives from."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    String,
    and_,
    case,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

KINDS = ("incident", "request", "problem", "change")
STATES = ("new", "in_progress", "waiting", "resolved", "closed", "cancelled")
OPEN_STATES = ("new", "in_progress", "waiting")
WAITING_REASONS = ("requester", "vendor", "part", "visit", "change")
LEVELS = ("high", "medium", "low")
PRIORITIES = ("P1", "P2", "P3", "P4")
TIERS = ("L1", "L2", "L3", "vendor")
SOURCES = (
    "portal",
    "phone",
    "api",
    "import",
    "mail",
    "campaign",
    "upkeep",
    "chat",
    "sms",
    "whatsapp",
    "website",
)
MESSAGE_KINDS = ("public", "internal")
AUTHOR_KINDS = ("staff", "requester", "auto")
# withdrawn: the portal passed the ticket further up before anybody had accepted it.
HAND_OVER_STATES = ("pending", "accepted", "returned", "withdrawn")
HISTORY_KINDS = (
    "opened",
    "message_added",
    "state_changed",
    "reprioritised",
    "assigned",
    "hand_over_made",
    "hand_over_accepted",
    "hand_over_returned",
    "resolved",
    "reopened",
    "closed",
    "cancelled",
    "terms_applied",
    "merged",
    "linked",
    "unlinked",
    "categorised",
    "kind_changed",
    "placed",
    "watchers_changed",
    "checklist_changed",
    "visit_planned",
    "visit_done",
    "visit_cancelled",
    "remote_session_begun",
    "remote_session_ended",
    "vendor_asked",
    "vendor_answered",
    "rated",
)
# What the requester's side is not told.
HISTORY_FOR_STAFF = (
    "hand_over_made",
    "hand_over_accepted",
    "hand_over_returned",
    "linked",
    "unlinked",
    "categorised",
    "kind_changed",
    "watchers_changed",
    "checklist_changed",
    "vendor_asked",
    "vendor_answered",
)
# Lines whose reason the requester's side reads too: why it waits, and why it was cancelled.
REASONS_FOR_ALL = ("state_changed", "cancelled")
_APPEND = "SELECT, INSERT"
_OPEN = "state IN ('new', 'in_progress', 'waiting')"
_OVER = "state IN ('closed', 'cancelled')"
# Tickets without a due time come last in a queue; a value that sorts keeps the keyset to one index range.
_NO_DUE_TIME = "'9999-12-31 00:00:00+00'::timestamp with time zone"


class Ticket(AllForClient, TenantOwned, Base):
    """One matter of one client. Names of people are copied: lists never read the table of users."""

    __tablename__ = "tickets"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE"}
    code: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(default="incident")
    subject: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(default="new")
    waiting_reason: Mapped[str | None]
    impact: Mapped[str]
    urgency: Mapped[str]
    priority: Mapped[str]
    priority_overridden: Mapped[bool] = mapped_column(default=False)
    tier: Mapped[str] = mapped_column(default="L1")
    # The number of history rows; a page that shows an older one is stale.
    rev: Mapped[int] = mapped_column(default=0)
    assignee_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    assignee_name: Mapped[str | None] = mapped_column(String(120))
    requester_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    requester_name: Mapped[str] = mapped_column(String(120))
    requester_email: Mapped[str | None] = mapped_column(String(254))
    asset_id: Mapped[int | None]
    site_id: Mapped[int | None]
    source: Mapped[str] = mapped_column(default="portal")
    opened_at: Mapped[datetime] = moment()
    waiting_since: Mapped[datetime | None] = moment(nullable=True)
    resolved_at: Mapped[datetime | None] = moment(nullable=True)
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    external_number: Mapped[str | None] = mapped_column(String(80))
    category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("categories.id"))
    # Where the story goes on once this one was merged; never a ticket that was merged itself.
    merged_into_id: Mapped[int | None]
    # The ticket that could not be reopened any more when this one took it up again.
    follows_id: Mapped[int | None]
    # The key of the form that opened it: the second click finds the first one's ticket.
    request_key: Mapped[str | None] = mapped_column(String(64))

    # Set by contracts.timers within the transaction of each change; tickets don't know what they mean.
    contract_version_id: Mapped[int | None]
    next_due_at: Mapped[datetime | None] = moment(nullable=True)
    next_due_kind: Mapped[str | None] = mapped_column(String(20))
    sla_state: Mapped[str | None] = mapped_column(String(20))
    sla_paused_since: Mapped[datetime | None] = moment(nullable=True)
    # When a resolved ticket closes by itself, and until when a closed one can be reopened; both included.
    closes_at: Mapped[datetime | None] = moment(nullable=True)
    reopen_until: Mapped[datetime | None] = moment(nullable=True)

    is_open: Mapped[bool] = mapped_column(Boolean, Computed(_OPEN, persisted=True))
    is_over: Mapped[bool] = mapped_column(Boolean, Computed(_OVER, persisted=True))
    queue_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), Computed(f"COALESCE(next_due_at, {_NO_DUE_TIME})", persisted=True)
    )
    __table_args__ = (
        choice("kind", KINDS),
        choice("state", STATES),
        choice("waiting_reason", WAITING_REASONS),
        choice("impact", LEVELS),
        choice("urgency", LEVELS),
        choice("priority", PRIORITIES),
        choice("tier", TIERS),
        choice("source", SOURCES),
        CheckConstraint("(state = 'waiting') = (waiting_reason IS NOT NULL)", name="waiting_has_a_reason"),
        belongs("assets", "asset_id"),
        belongs("sites", "site_id"),
        belongs("tickets", "merged_into_id"),
        belongs("tickets", "follows_id"),
        CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        Index("uq_tickets_code", "tenant_id", "code", unique=True),
        # Whoever asks by code knows no tenant: one probe, where the unique index takes one for each in scope.
        Index("ix_tickets_code", "code"),
        Index("uq_tickets_request_key", "tenant_id", "request_key", unique=True),
        Index("uq_tickets_external", "tenant_id", "source", "external_number", unique=True),
        # The one list index that does not lead with the tenant: the provider's queue over all of them.
        Index("ix_tickets_queue", "queue_at", "id", postgresql_where=text("is_open")),
        Index("ix_tickets_open", "tenant_id", "queue_at", "id", postgresql_where=text("is_open")),
        Index(
            "ix_tickets_assignee",
            "tenant_id",
            "assignee_user_id",
            "queue_at",
            "id",
            postgresql_where=text("is_open"),
        ),
        Index("ix_tickets_underway", "tenant_id", "opened_at", "id", postgresql_where=text("NOT is_over")),
        Index("ix_tickets_opened", "tenant_id", "opened_at", "id"),
        Index("ix_tickets_requester", "tenant_id", "requester_user_id", "opened_at", "id"),
        Index(
            "ix_tickets_asset",
            "tenant_id",
            "asset_id",
            "opened_at",
            postgresql_where=text("asset_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_merged",
            "tenant_id",
            "merged_into_id",
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_follows", "tenant_id", "follows_id", postgresql_where=text("follows_id IS NOT NULL")
        ),
    )


class Message(TenantOwned, Base):
    """Something said on a ticket, for everyone on it or for staff only; never changed afterwards."""

    __tablename__ = "messages"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.CLIENT, Role.STAFF, Role.WORKER), _APPEND)
    ticket_id: Mapped[int]
    kind: Mapped[str]
    author_kind: Mapped[str]
    author_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    author_name: Mapped[str] = mapped_column(String(120))
    via: Mapped[str] = mapped_column(String(20), default="web")
    body: Mapped[str]
    # Whether staff spoke with the requester on the phone: that answers the requester without a written reply.
    spoke_with_caller: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = moment()
    request_key: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        choice("kind", MESSAGE_KINDS),
        choice("author_kind", AUTHOR_KINDS),
        belongs("tickets", "ticket_id"),
        Index("ix_messages_ticket", "tenant_id", "ticket_id", "id"),
        Index("uq_messages_request_key", "tenant_id", "request_key", unique=True),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """No internal notes."""
        return cls.kind == "public"


class TicketEvent(TenantOwned, Base):
    """One line of a ticket's history, numbered from 1 per ticket; it only grows, and clocks are derived from it."""

    __tablename__ = "ticket_events"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.CLIENT, Role.STAFF, Role.WORKER), _APPEND)
    ticket_id: Mapped[int]
    seq: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime] = moment()
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_user_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(120))
    message_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(
        default=dict, info={"for_client": lambda: _without_reasons_for_staff()}
    )
    __table_args__ = (
        choice("kind", HISTORY_KINDS),
        choice("actor_kind", ("staff", "requester", "system")),
        belongs("tickets", "ticket_id"),
        belongs("messages", "message_id"),
        Index("uq_ticket_events_seq", "tenant_id", "ticket_id", "seq", unique=True),
        # Who resolved what and when: figures of people read only these lines.
        Index(
            "ix_ticket_events_resolved",
            "tenant_id",
            "actor_user_id",
            "at",
            postgresql_where=text("kind = 'resolved'"),
        ),
        # What was resolved or reopened when, whoever did it.
        Index(
            "ix_ticket_events_outcomes",
            "tenant_id",
            "at",
            postgresql_where=text("kind IN ('resolved', 'reopened')"),
        ),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """What moves the clocks, without hand-overs and what was written for staff only."""
        public = select(Message.id).where(Message.tenant_id == cls.tenant_id, Message.kind == "public")
        return and_(
            cls.kind.not_in(HISTORY_FOR_STAFF),
            cls.data["because"].as_string().is_distinct_from("hand_over"),
            or_(cls.message_id.is_(None), cls.message_id.in_(public)),
        )


def _without_reasons_for_staff() -> ColumnElement[Any]:
    told = TicketEvent.data.op("-", return_type=JSONB())("reason")
    return case((TicketEvent.kind.in_(REASONS_FOR_ALL), TicketEvent.data), else_=told)


class HandOver(TenantOwned, Base):
    """A ticket passed to another tier, with what the next person needs to know; clients never read it."""

    __tablename__ = "hand_overs"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    ticket_id: Mapped[int]
    from_tier: Mapped[str]
    to_tier: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    symptoms: Mapped[str]
    tried: Mapped[str]
    evidence: Mapped[str] = mapped_column(default="")
    suspected_cause: Mapped[str] = mapped_column(default="")
    told_requester: Mapped[str]
    # Files of the ticket that prove it, each with `public_id` and `name`.
    files: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    made_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    made_by_name: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = moment()
    # Who held the ticket before: a returned one goes back there.
    held_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    held_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    return_reason: Mapped[str | None]
    # What made the portal pass it on by itself; the same cause again passes nothing on.
    cause_key: Mapped[str | None] = mapped_column(String(80))
    __table_args__ = (
        choice("from_tier", TIERS),
        choice("to_tier", TIERS),
        choice("state", HAND_OVER_STATES),
        belongs("tickets", "ticket_id"),
        Index("ix_hand_overs_ticket", "tenant_id", "ticket_id", "id"),
        Index("ix_hand_overs_made", "tenant_id", "made_at"),
        Index(
            "uq_hand_overs_pending",
            "tenant_id",
            "ticket_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        Index("uq_hand_overs_cause", "tenant_id", "ticket_id", "cause_key", unique=True),
    )


class TimeEntry(AllForClient, TenantOwned, Base):
    """Minutes that a person of staff worked on a ticket on a day. A correction is another row; the first stays.

    What is in force has no `replaced_at`; 0 minutes strike an entry out.
    """

    __tablename__ = "time_entries"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.STAFF, Role.WORKER), "SELECT, INSERT, UPDATE (replaced_at)"
    )
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    worked_on: Mapped[date]
    minutes: Mapped[int]
    # The client reads it in the statement.
    what: Mapped[str] = mapped_column(String(300))
    # Charged beside the contract; else part of the hours that the contract includes.
    is_billable: Mapped[bool] = mapped_column(default=False)
    person_user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    person_name: Mapped[str] = mapped_column(String(120))
    entered_at: Mapped[datetime] = moment()
    # The entry that this one replaces, and why.
    corrects_id: Mapped[int | None]
    because: Mapped[str] = mapped_column(String(300), default="")
    replaced_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes_of_a_day"),
        belongs("tickets", "ticket_id"),
        belongs("time_entries", "corrects_id"),
        Index("uq_time_entries_corrects", "tenant_id", "corrects_id", unique=True),
        Index("ix_time_entries_ticket", "tenant_id", "ticket_id", "id"),
        Index(
            "ix_time_entries_worked_on",
            "tenant_id",
            "worked_on",
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )


class Attachment(TenantOwned, Base):
    """A stored file that hangs on a message."""

    __tablename__ = "attachments"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.CLIENT, Role.STAFF, Role.WORKER), _APPEND)
    ticket_id: Mapped[int]
    message_id: Mapped[int]
    file_id: Mapped[int]
    __table_args__ = (
        belongs("tickets", "ticket_id"),
        belongs("messages", "message_id"),
        belongs("stored_files", "file_id"),
        Index("ix_attachments_ticket", "tenant_id", "ticket_id"),
        Index("ix_attachments_file", "tenant_id", "file_id"),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """What hangs on messages that they may read."""
        return cls.message_id.in_(
            select(Message.id).where(Message.tenant_id == cls.tenant_id, Message.kind == "public")
        )


class ImportedRow(TenantOwned, Base):
    """One replayed row of another system's log: replaying it again changes nothing."""

    __tablename__ = "imported_rows"
    ticket_id: Mapped[int]
    source: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(80))
    sequence: Mapped[int]
    __table_args__ = (
        belongs("tickets", "ticket_id"),
        Index("uq_imported_rows", "tenant_id", "source", "number", "sequence", unique=True),
        Index("ix_imported_rows_ticket", "tenant_id", "ticket_id"),
    )
