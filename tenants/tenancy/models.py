"""The companies we serve, and where they are."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Identity, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, choice, moment, public_id
from tenants.foundation.scope import Role

KINDS = ("client", "own")
STATES = ("active", "suspended", "offboarded")
AUDIENCES = ("client", "staff")
# Who of a client reads whose tickets: each their own; administrators all; these and people who were chosen; everyone.
TICKET_SHARING = ("own", "admins", "chosen", "everyone")
EXPORT_STATES = ("waiting", "running", "done", "failed", "expired")


class Tenant(Base):
    """A client company, or the provider itself (kind `own`); slug and prefix never change."""

    __tablename__ = "tenants"
    __portal_kind__: ClassVar[str] = "tenant"
    __grants__: ClassVar[dict[Role, str]] = {
        # Its administrators say who reads whose tickets, and change nothing else.
        Role.CLIENT: "SELECT, UPDATE (ticket_sharing)",
        Role.STAFF: "SELECT, INSERT, UPDATE",
        Role.WORKER: "SELECT, UPDATE",
        Role.AGENTS: "SELECT",
        Role.GATE: "SELECT",
        Role.SWEEPER: "SELECT",
    }
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    public_id: Mapped[Any] = public_id()
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    prefix: Mapped[str] = mapped_column(String(6), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(default="client")
    state: Mapped[str] = mapped_column(default="active")
    time_zone: Mapped[str] = mapped_column(String(60), default="Asia/Jakarta")
    language: Mapped[str] = mapped_column(String(5), default="id")
    address: Mapped[str] = mapped_column(default="")
    # Impact × urgency to priority; null means the default matrix.
    priority_matrix: Mapped[dict[str, Any] | None]
    ticket_sharing: Mapped[str] = mapped_column(default="admins", server_default="admins")
    suspended_reason: Mapped[str | None] = mapped_column(info={"staff": True})
    created_at: Mapped[datetime] = moment()
    # Counts edits, so that a stale page is refused.
    rev: Mapped[int] = mapped_column(default=1, server_default="1")
    __table_args__ = (
        choice("kind", KINDS),
        choice("state", STATES),
        choice("ticket_sharing", TICKET_SHARING),
        CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,38}$'", name="slug_form"),
        CheckConstraint("prefix ~ '^[A-Z][A-Z0-9]{1,5}$'", name="prefix_form"),
        Index("uq_tenants_own", "kind", unique=True, postgresql_where=text("kind = 'own'")),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """A client's own row."""
        return true()


class Site(AllForClient, TenantOwned, Base):
    """A place of a client: an office, a shop, a data room."""

    __tablename__ = "sites"
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str | None] = mapped_column(String(60))
    retired_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (Index("uq_sites_name", "tenant_id", "name", unique=True),)


class TenantExport(TenantOwned, Base):
    """One client in one archive: asked for, made by a job, kept for a week.

    Made for the client's own people it leaves out what only staff may read.
    """

    __tablename__ = "tenant_exports"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT"}
    public_id: Mapped[Any] = public_id()
    state: Mapped[str] = mapped_column(default="waiting")
    audience: Mapped[str]
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = moment()
    # Progress in tables, so that "7 of 31" can be said while it runs.
    tables_done: Mapped[int] = mapped_column(default=0)
    tables_total: Mapped[int] = mapped_column(default=0)
    file_name: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    rows: Mapped[int | None]
    problem: Mapped[str | None]
    finished_at: Mapped[datetime | None] = moment(nullable=True)
    expires_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("state", EXPORT_STATES),
        choice("audience", AUDIENCES),
        Index(
            "uq_tenant_exports_open",
            "tenant_id",
            "audience",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
        Index("ix_tenant_exports_asked", "tenant_id", "asked_at", "id"),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """The exports that were made for them."""
        return cls.audience == "client"
