"""Visits on site: when, where, who goes, and what came of it."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

STATES = ("planned", "under_way", "done", "cancelled")
COMING = ("planned", "under_way")
OUTCOMES = ("solved", "partly", "not_solved", "nobody_there")
_COMING = "state IN ('planned', 'under_way')"


class Visit(AllForClient, TenantOwned, Base):
    """One visit of a technician; a ticket has at most one that is still to be done."""

    __tablename__ = "visits"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT",
        Role.SWEEPER: "SELECT (tenant_id, id, look_at)",
    }
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    state: Mapped[str] = mapped_column(default="planned")
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    site_id: Mapped[int | None]
    address: Mapped[str] = mapped_column(String(300), default="")
    technician_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    technician_name: Mapped[str | None] = mapped_column(String(120))
    # Grows with each change that people are told of: calendars keep the latest.
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    # Under which calendars know it, where it was in a calendar before it was planned.
    calendar_key: Mapped[str | None] = mapped_column(String(80))
    # When the sweep has to look at it: it begins, and its ticket waits no more.
    look_at: Mapped[datetime | None] = moment(nullable=True)
    planned_by: Mapped[str] = mapped_column(String(120))
    planned_at: Mapped[datetime] = moment()
    changed_at: Mapped[datetime] = moment()
    over_at: Mapped[datetime | None] = moment(nullable=True)
    outcome: Mapped[str | None]
    # What was done, or why it was cancelled, as the client reads it.
    done: Mapped[str] = mapped_column(default="")
    # Each with `what`, `old_serial` and `new_serial`.
    parts: Mapped[list[Any]] = mapped_column(default=list)
    __table_args__ = (
        choice("state", STATES),
        choice("outcome", OUTCOMES),
        CheckConstraint("begins_at < ends_at", name="ends_after_it_begins"),
        belongs("tickets", "ticket_id"),
        belongs("sites", "site_id"),
        Index("ix_visits_ticket", "tenant_id", "ticket_id", "id"),
        Index("uq_visits_coming", "tenant_id", "ticket_id", unique=True, postgresql_where=text(_COMING)),
        Index("ix_visits_begins", "tenant_id", "begins_at"),
        Index(
            "ix_visits_technician",
            "tenant_id",
            "technician_user_id",
            "begins_at",
            postgresql_where=text(_COMING),
        ),
        # The sweeper's own index runs over all tenants: it reads only what is due.
        Index("ix_visits_due", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )
