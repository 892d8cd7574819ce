"""Windows and freezes, stored as rules and days; moments are worked out when they are needed."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Date, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, ProviderOwned, TenantOwned, moment, public_id
from tenants.foundation.scope import Role

LONGEST_MINUTES = 7 * 24 * 60


class MaintenanceWindow(AllForClient, TenantOwned, Base):
    """A span that returns by an RFC 5545 rule, in an IANA zone; it begins at the wall clock's `starts_at`."""

    __tablename__ = "maintenance_windows"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(300))
    first_on: Mapped[date] = mapped_column(Date)
    # Wall clock, as HH:MM in `time_zone`.
    starts_at: Mapped[str] = mapped_column(String(5))
    minutes: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        CheckConstraint(f"minutes BETWEEN 1 AND {LONGEST_MINUTES}", name="minutes_of_at_most_a_week"),
        Index("ix_maintenance_windows_tenant", "tenant_id", "ended_at"),
    )


class Freeze(AllForClient, TenantOwned, Base):
    """From when until when nothing is changed at a client."""

    __tablename__ = "freezes"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    lifted_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        CheckConstraint("begins_at < ends_at", name="begins_before_it_ends"),
        Index("ix_freezes_tenant", "tenant_id", "ends_at"),
    )


class ProviderFreeze(ProviderOwned, Base):
    """From when until when nothing is changed at any client. Clients read its name and times, not who added it."""

    __tablename__ = "provider_freezes"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.AGENTS: "SELECT",
        Role.CLIENT: "SELECT (public_id, name, begins_at, ends_at, created_at, lifted_at)",
    }
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    lifted_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        CheckConstraint("begins_at < ends_at", name="begins_before_it_ends"),
        Index("ix_provider_freezes_ends", "ends_at"),
    )
