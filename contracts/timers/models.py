"""The clock applied: one row per clock and cycle of a ticket, and what was recorded once and for all."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.clock.clock import Cause, State
from contracts.clock.history import ClockKind
from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

MARKS = ("warning", "met", "missed")
DEADLINES = ("close", "reopen")
# Clocks beside the ticket's own: the provider's promise to itself, and a vendor's promise to the provider.
BESIDE = ("acceptance", "vendor")
MAINTENANCE_REACH = ("tenant", "site", "assets")
MAINTENANCE_SOURCES = ("staff", "campaign", "visit")


class TicketTimer(AllForClient, TenantOwned, Base):
    """What a clock said when something last happened: kept for sorting and sweeping, never the truth."""

    __tablename__ = "ticket_timers"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE", Role.SWEEPER: "SELECT"}
    ticket_id: Mapped[int]
    contract_version_id: Mapped[int]
    clock: Mapped[str]
    cycle: Mapped[int]
    priority: Mapped[str]
    target_seconds: Mapped[int]
    target_version: Mapped[int]
    state: Mapped[str]
    started_at: Mapped[datetime] = moment()
    stopped_at: Mapped[datetime | None] = moment(nullable=True)
    due_at: Mapped[datetime | None] = moment(nullable=True)
    missed_at: Mapped[datetime | None] = moment(nullable=True)
    cause: Mapped[str | None]
    # The next moment at which the sweeper has something to record; null when nothing can come any more.
    look_at: Mapped[datetime | None] = moment(nullable=True)
    # The business seconds that it ran until it stopped; null while it runs, where it was withdrawn (closed or cancelled
    # without an answer), without a target, and where it was stored before that was kept.
    elapsed_seconds: Mapped[int | None]
    # The moment at which the clock said all this; null where it was stored before that was kept.
    read_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("clock", tuple(ClockKind)),
        choice("state", tuple(State)),
        choice("cause", tuple(Cause)),
        CheckConstraint("target_seconds > 0", name="target_positive"),
        belongs("tickets", "ticket_id"),
        belongs("contract_versions", "contract_version_id"),
        Index("uq_ticket_timers", "tenant_id", "ticket_id", "clock", "cycle", unique=True),
        # The sweeper's own index over all tenants: it reads only what is due.
        Index("ix_ticket_timers_look", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )


class TimerMark(AllForClient, TenantOwned, Base):
    """A warning, a target met or a target missed: recorded once, with its cause, and never erased."""

    __tablename__ = "timer_marks"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT, INSERT",
        Role.STAFF: "SELECT, INSERT",
        Role.WORKER: "SELECT, INSERT, UPDATE (acted_at)",
    }
    ticket_id: Mapped[int]
    clock: Mapped[str]
    cycle: Mapped[int]
    mark: Mapped[str]
    target_version: Mapped[int]
    # For warnings the share of the target in percent, else 0.
    percent: Mapped[int] = mapped_column(default=0)
    priority: Mapped[str]
    cause: Mapped[str | None]
    at: Mapped[datetime] = moment()
    recorded_at: Mapped[datetime] = moment()
    # When people were told and the ticket passed on; set once, in the transaction of that.
    acted_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("clock", tuple(ClockKind)),
        choice("mark", MARKS),
        belongs("tickets", "ticket_id"),
        Index(
            "uq_timer_marks_warning",
            "tenant_id",
            "ticket_id",
            "clock",
            "cycle",
            "target_version",
            "percent",
            unique=True,
            postgresql_where=text("mark = 'warning'"),
        ),
        Index(
            "uq_timer_marks_decision",
            "tenant_id",
            "ticket_id",
            "clock",
            "cycle",
            "mark",
            "at",
            unique=True,
            postgresql_where=text("mark <> 'warning'"),
        ),
        Index("ix_timer_marks_month", "tenant_id", "at", postgresql_where=text("mark <> 'warning'")),
    )


class TimerCheck(TenantOwned, Base):
    """One nightly comparison of stored with recomputed timers: how many tickets were read, and how many differ."""

    __tablename__ = "timer_checks"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    # The day in the client's zone for which it was made: one a day, whoever asks.
    checked_on: Mapped[date]
    checked_at: Mapped[datetime] = moment()
    open_tickets: Mapped[int]
    closed_tickets: Mapped[int]
    differences: Mapped[int]
    __table_args__ = (Index("uq_timer_checks_day", "tenant_id", "checked_on", unique=True),)


class TimerDifference(TenantOwned, Base):
    """What a nightly comparison found: a field of a ticket's clock with its stored and its recomputed value."""

    __tablename__ = "timer_differences"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    check_id: Mapped[int]
    ticket_id: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    # The clock and its cycle, such as "resolution 1"; empty for a column of the ticket itself.
    clock: Mapped[str] = mapped_column(String(40))
    field: Mapped[str] = mapped_column(String(60))
    stored: Mapped[str]
    recomputed: Mapped[str]
    __table_args__ = (
        belongs("timer_checks", "check_id"),
        belongs("tickets", "ticket_id"),
        Index("ix_timer_differences_check", "tenant_id", "check_id", "id"),
    )


class TicketDeadline(AllForClient, TenantOwned, Base):
    """When a resolved ticket closes by itself (`close`), and until when a closed one can be reopened (`reopen`)."""

    __tablename__ = "ticket_deadlines"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE", Role.SWEEPER: "SELECT"}
    ticket_id: Mapped[int]
    kind: Mapped[str]
    # Null while it does not apply.
    due_at: Mapped[datetime | None] = moment(nullable=True)
    # The next moment at which the sweeper has something to ask for; null when there is nothing.
    look_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("kind", DEADLINES),
        belongs("tickets", "ticket_id"),
        Index("uq_ticket_deadlines", "tenant_id", "ticket_id", "kind", unique=True),
        Index("ix_ticket_deadlines_look", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )


class SideTimer(TenantOwned, Base):
    """A clock beside the ticket's own, from one moment to another and never paused; clients never read it."""

    __tablename__ = "side_timers"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.SWEEPER: "SELECT"}
    ticket_id: Mapped[int]
    clock: Mapped[str]
    # The hand-over or the vendor's case that it measures.
    source_id: Mapped[int]
    target_seconds: Mapped[int]
    # `{"calendar": …, "warnings": [{"at_percent", "notify"}, …]}` as they were when the clock started: they may be
    # another tenant's, and later terms change nothing.
    measured_by: Mapped[dict[str, Any]]
    state: Mapped[str]
    started_at: Mapped[datetime] = moment()
    stopped_at: Mapped[datetime | None] = moment(nullable=True)
    due_at: Mapped[datetime | None] = moment(nullable=True)
    missed_at: Mapped[datetime | None] = moment(nullable=True)
    # The highest shares of the target, in percent, of which a warning was due, and of which people were told.
    warned_percent: Mapped[int] = mapped_column(default=0)
    told_percent: Mapped[int] = mapped_column(default=0)
    # When people were told of the miss.
    acted_at: Mapped[datetime | None] = moment(nullable=True)
    look_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("clock", BESIDE),
        choice("state", tuple(State)),
        CheckConstraint("target_seconds > 0", name="target_positive"),
        belongs("tickets", "ticket_id"),
        Index("uq_side_timers", "tenant_id", "clock", "source_id", unique=True),
        Index("ix_side_timers_ticket", "tenant_id", "ticket_id"),
        Index("ix_side_timers_look", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )


class MaintenanceInterval(AllForClient, TenantOwned, Base):
    """Planned maintenance of a client, a site or chosen assets, known before it began: the checks see to that."""

    __tablename__ = "maintenance_intervals"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.STAFF, Role.WORKER), "SELECT, INSERT, UPDATE (to_at, changed_at, cancelled_at, cancelled_by)"
    )
    public_id: Mapped[Any] = public_id()
    title: Mapped[str] = mapped_column(String(120))
    # Who plans it, and which of their plans it is.
    source: Mapped[str]
    source_key: Mapped[str | None] = mapped_column(String(80))
    reach: Mapped[str]
    site_id: Mapped[int | None]
    from_at: Mapped[datetime] = moment()
    to_at: Mapped[datetime] = moment()
    recorded_at: Mapped[datetime] = moment()
    recorded_by: Mapped[str] = mapped_column(String(120))
    # When it was made shorter or cancelled: before it began.
    changed_at: Mapped[datetime | None] = moment(nullable=True)
    cancelled_at: Mapped[datetime | None] = moment(nullable=True)
    cancelled_by: Mapped[str | None] = mapped_column(String(120))
    __table_args__ = (
        choice("reach", MAINTENANCE_REACH),
        choice("source", MAINTENANCE_SOURCES),
        CheckConstraint("from_at < to_at", name="ends_after_it_begins"),
        CheckConstraint("recorded_at <= from_at", name="recorded_before_it_begins"),
        CheckConstraint("changed_at < from_at", name="changed_before_it_begins"),
        CheckConstraint("cancelled_at < from_at", name="cancelled_before_it_begins"),
        belongs("sites", "site_id"),
        Index("uq_maintenance_intervals_source", "tenant_id", "source", "source_key", unique=True),
        Index("ix_maintenance_intervals_time", "tenant_id", "to_at", "id"),
    )


class MaintenanceAsset(AllForClient, TenantOwned, Base):
    """An asset that planned maintenance is about; those of a site as they stood there when it was recorded."""

    __tablename__ = "maintenance_assets"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.STAFF, Role.WORKER), "SELECT, INSERT")
    interval_id: Mapped[int]
    asset_id: Mapped[int]
    __table_args__ = (
        belongs("maintenance_intervals", "interval_id"),
        belongs("assets", "asset_id"),
        Index("uq_maintenance_assets", "tenant_id", "interval_id", "asset_id", unique=True),
    )
