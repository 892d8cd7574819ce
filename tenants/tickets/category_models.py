"""What the provider keeps for all tickets: the tree of categories, canned replies, checklists and saved views."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, ProviderOwned, choice, moment, public_id
from tenants.foundation.scope import Role

LANGUAGES = ("id", "en")


class Category(ProviderOwned, Base):
    """A place in the tree of what tickets are about; a retired one stays on the tickets that have it."""

    __tablename__ = "categories"
    # Clients choose one when they ask for something, and read it on their tickets.
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT"}
    public_id: Mapped[Any] = public_id()
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("categories.id"))
    name_en: Mapped[str] = mapped_column(String(80))
    name_id: Mapped[str] = mapped_column(String(80))
    is_active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (Index("ix_categories_parent", "parent_id"),)


class CannedReply(ProviderOwned, Base):
    """Words that are said often; `$names` of a fixed list are filled in when they are put into a message."""

    __tablename__ = "canned_replies"
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(2))
    body: Mapped[str]
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime] = moment()
    __table_args__ = (choice("language", LANGUAGES),)


class ChecklistTemplate(ProviderOwned, Base):
    """Lines that are put on a ticket's checklist at once."""

    __tablename__ = "checklist_templates"
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(80))
    lines: Mapped[list[Any]]
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime] = moment()


class QueueView(ProviderOwned, Base):
    """A filter of the queue under a name: somebody's own, or shared with all staff (`user_id` is null)."""

    __tablename__ = "queue_views"
    public_id: Mapped[Any] = public_id()
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(60))
    # Arguments of the queue's address.
    filters: Mapped[dict[str, Any]]
    # What the queue shows its owner first.
    is_home: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = moment()
    __table_args__ = (Index("ix_queue_views_user", "user_id"),)
