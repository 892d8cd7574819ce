"""The audit log: append-only, one hash chain per tenant and one of the system.

The body of an entry is canonical JSON, stored as the exact text that was hashed. A trigger numbers the entry,
links it to its predecessor under a lock on the chain's head, and refuses every change and
removal, the owner's included.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, Index, LargeBinary, and_, case, cast, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, ProviderOwned, TenantOwned, moment
from tenants.foundation.scope import Role

# How the provider works: a client's people read these acts neither on their tickets nor here.
PROVIDERS_OWN = (
    "ticket.hand_over_made",
    "ticket.hand_over_accepted",
    "ticket.hand_over_returned",
    "ticket.linked",
    "ticket.unlinked",
    "ticket.categorised",
    "ticket.kind_changed",
    "ticket.watchers_changed",
    "ticket.checklist_changed",
    "ticket.vendor_asked",
    "ticket.vendor_answered",
    "ticket.article_linked",
    "ticket.article_unlinked",
    "ticket.runbook_started",
    "asset.known_error_tied",
    "asset.known_error_untied",
)
# Acts that are the provider's own by what they say of themselves.
PROVIDERS_BY_DETAIL = {
    "ticket.message_added": ("kind", "internal"),
    "ticket.assigned": ("because", "hand_over"),
}
_APPEND = "SELECT, INSERT"
_HEAD = "SELECT, INSERT, UPDATE"


class _Entry:
    """Columns of an entry in either chain."""

    seq: Mapped[int]
    at: Mapped[datetime] = moment()
    action: Mapped[str]
    object: Mapped[str]
    actor: Mapped[str]
    body: Mapped[str]
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class _Head:
    """Columns of a chain's head: the last number and hash."""

    seq: Mapped[int] = mapped_column(default=0)
    hash: Mapped[bytes] = mapped_column(LargeBinary, default=b"")


class AuditEntry(TenantOwned, _Entry, Base):
    """One audited act on a tenant's rows."""

    __tablename__ = "audit_entries"
    # The gate writes who joined and who left, and reads nothing.
    __grants__: ClassVar[dict[Role, str]] = {
        **dict.fromkeys((Role.CLIENT, Role.STAFF, Role.WORKER, Role.AGENTS), _APPEND),
        Role.GATE: "INSERT",
    }
    __table_args__ = (
        Index("uq_audit_entries_seq", "tenant_id", "seq", unique=True),
        # What happened with one thing.
        Index("ix_audit_entries_object", "tenant_id", "object", "seq"),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """All but how the provider works; the numbers tell that something stands between."""
        detail = cast(cls.body, JSONB)["detail"]
        own = [
            (cls.action == action, detail[key].as_string().is_distinct_from(value))
            for action, (key, value) in PROVIDERS_BY_DETAIL.items()
        ]
        return and_(cls.action.not_in(PROVIDERS_OWN), case(*own, else_=true()))


class AuditHead(AllForClient, TenantOwned, _Head, Base):
    """The head of a tenant's chain; its lock puts the entries in one order."""

    __tablename__ = "audit_heads"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.CLIENT, Role.STAFF, Role.WORKER, Role.AGENTS, Role.GATE), _HEAD
    )
    __table_args__ = (Index("uq_audit_heads_tenant", "tenant_id", unique=True),)


class SystemAuditEntry(ProviderOwned, _Entry, Base):
    """One audited act above tenants: sign-ins, staff, settings, campaigns."""

    __tablename__ = "system_audit_entries"
    __grants__: ClassVar[dict[Role, str]] = {
        **dict.fromkeys((Role.STAFF, Role.WORKER), _APPEND),
        **dict.fromkeys((Role.CLIENT, Role.GATE), "INSERT"),
    }
    __table_args__ = (Index("uq_system_audit_entries_seq", "seq", unique=True),)


class SystemAuditHead(ProviderOwned, _Head, Base):
    """The head of the system's chain: a single row."""

    __tablename__ = "system_audit_heads"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.CLIENT, Role.GATE, Role.STAFF, Role.WORKER), _HEAD
    )
