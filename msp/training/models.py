"""Classes for a client's people, who is invited and who came, what they read, and proposals that were put off."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from msp.training.rules import ANSWERS, LANGUAGES, STATES
from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role


class TrainingClass(AllForClient, TenantOwned, Base):
    """One class: for one client, about one category."""

    __tablename__ = "training_classes"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT",
        Role.SWEEPER: "SELECT (tenant_id, id, remind_at)",
    }
    public_id: Mapped[Any] = public_id()
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("categories.id"))
    title: Mapped[str] = mapped_column(String(160))
    teaches: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(default="planned")
    begins_at: Mapped[datetime] = moment()
    minutes: Mapped[int] = mapped_column(Integer)
    # Whose clock the day and hour were written by.
    time_zone: Mapped[str] = mapped_column(String(60))
    site_id: Mapped[int | None]
    place: Mapped[str] = mapped_column(String(300), default="")
    link: Mapped[str] = mapped_column(String(500), default="")
    trainer_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    trainer_name: Mapped[str | None] = mapped_column(String(120))
    # Grows with each change that people are told of: calendars keep the latest.
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    # When the sweep has to remind people; empty once that was done, or where it is too near.
    remind_at: Mapped[datetime | None] = moment(nullable=True)
    planned_by: Mapped[str] = mapped_column(String(120))
    planned_at: Mapped[datetime] = moment()
    changed_at: Mapped[datetime] = moment()
    over_at: Mapped[datetime | None] = moment(nullable=True)
    # Why it was cancelled, as the client reads it.
    why: Mapped[str] = mapped_column(String(500), default="")
    # The key of the form that planned it: the second click finds the first one's class.
    request_key: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        choice("state", STATES),
        choice("language", LANGUAGES),
        CheckConstraint("minutes BETWEEN 10 AND 1440", name="minutes_of_a_day"),
        belongs("sites", "site_id"),
        Index("ix_training_classes_begins", "tenant_id", "begins_at", "id"),
        Index("ix_training_classes_category", "tenant_id", "category_id", "begins_at"),
        Index("uq_training_classes_request_key", "tenant_id", "request_key", unique=True),
        # The sweeper's own index runs over all tenants: it reads only what is due.
        Index("ix_training_classes_remind", "remind_at", postgresql_where=text("remind_at IS NOT NULL")),
    )


class TrainingSeat(AllForClient, TenantOwned, Base):
    """Somebody of the client who was invited to a class, or came without an invitation (`invited_at` is empty)."""

    __tablename__ = "training_seats"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, UPDATE (answer, answered_at)"}
    class_id: Mapped[int]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    invited_at: Mapped[datetime | None] = moment(nullable=True)
    # The class's sequence then: whoever was invited before a change is told of a change.
    invited_sequence: Mapped[int] = mapped_column(Integer, default=0)
    answer: Mapped[str] = mapped_column(default="none")
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    # Empty until attendance is written down.
    came: Mapped[bool | None]
    __table_args__ = (
        choice("answer", ANSWERS),
        belongs("training_classes", "class_id"),
        Index("uq_training_seats", "tenant_id", "class_id", "user_id", unique=True),
        Index("ix_training_seats_user", "tenant_id", "user_id", "class_id"),
    )


class TrainingMaterial(AllForClient, TenantOwned, Base):
    """What goes with a class: a file, or an article that the client may read; one of the two."""

    __tablename__ = "training_materials"
    public_id: Mapped[Any] = public_id()
    class_id: Mapped[int]
    file_id: Mapped[int | None]
    article_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("articles.id"))
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = moment()
    __table_args__ = (
        CheckConstraint("(file_id IS NULL) <> (article_id IS NULL)", name="one_of_the_two"),
        belongs("training_classes", "class_id"),
        belongs("stored_files", "file_id"),
        Index("ix_training_materials_class", "tenant_id", "class_id", "id"),
        Index("uq_training_materials_article", "tenant_id", "class_id", "article_id", unique=True),
    )


class TrainingRefusal(TenantOwned, Base):
    """A proposal that somebody put off: it stays away until then; clients never read it."""

    __tablename__ = "training_refusals"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("categories.id"))
    reason: Mapped[str] = mapped_column(String(500))
    refused_by: Mapped[str] = mapped_column(String(120))
    refused_at: Mapped[datetime] = moment()
    until: Mapped[datetime] = moment()
    __table_args__ = (Index("uq_training_refusals", "tenant_id", "category_id", unique=True),)
