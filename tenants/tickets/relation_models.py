"""What stands around a ticket: further assets, who watches it, other tickets, and its checklist."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

SIDES = ("client", "staff", "address")
# Read from the first ticket to the other: is a duplicate of, is a part of, is caused by, waits for, has to do with.
LINKS = ("duplicate", "parent", "problem", "change", "related")


class TicketAsset(AllForClient, TenantOwned, Base):
    """An asset that a ticket concerns beside its main one."""

    __tablename__ = "ticket_assets"
    ticket_id: Mapped[int]
    asset_id: Mapped[int]
    __table_args__ = (
        belongs("tickets", "ticket_id"),
        belongs("assets", "asset_id"),
        Index("uq_ticket_assets", "tenant_id", "ticket_id", "asset_id", unique=True),
        Index("ix_ticket_assets_asset", "tenant_id", "asset_id"),
    )


class Watcher(TenantOwned, Base):
    """Somebody who gets the public replies of a ticket: an account of the client or of staff, or a bare address.

    Without `confirmed_at` (added by a mail, and not confirmed) a watcher gets and sees nothing.
    """

    __tablename__ = "watchers"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, DELETE"}
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    side: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    # Lower case; the address that mail goes to when there is no account.
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    added_by_name: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = moment()
    confirmed_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("side", SIDES),
        CheckConstraint("user_id IS NOT NULL OR email IS NOT NULL", name="somebody"),
        belongs("tickets", "ticket_id"),
        Index("uq_watchers_user", "tenant_id", "ticket_id", "user_id", unique=True),
        Index("uq_watchers_email", "tenant_id", "ticket_id", "email", unique=True),
        Index("ix_watchers_seer", "tenant_id", "user_id", "ticket_id"),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """Not which of the provider's people watch."""
        return cls.side != "staff"


class TicketLink(TenantOwned, Base):
    """How a ticket stands to another one of the same client; clients never read it."""

    __tablename__ = "ticket_links"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    kind: Mapped[str]
    ticket_id: Mapped[int]
    other_id: Mapped[int]
    made_by_name: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("kind", LINKS),
        CheckConstraint("ticket_id <> other_id", name="two_tickets"),
        belongs("tickets", "ticket_id"),
        belongs("tickets", "other_id"),
        Index("uq_ticket_links", "tenant_id", "ticket_id", "other_id", "kind", unique=True),
        Index("ix_ticket_links_other", "tenant_id", "other_id", "kind"),
    )


class ChecklistItem(TenantOwned, Base):
    """Something to be done before a ticket is resolved; clients never read it."""

    __tablename__ = "checklist_items"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    what: Mapped[str] = mapped_column(String(300))
    added_by_name: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = moment()
    done_by_name: Mapped[str | None] = mapped_column(String(120))
    done_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("tickets", "ticket_id"),
        Index("ix_checklist_items_ticket", "tenant_id", "ticket_id", "id"),
    )
