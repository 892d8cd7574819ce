"""Plans of recurring maintenance, policies that propose campaigns, what came of both, and the calendar's links."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from msp.campaigns.rules import SEVERITIES
from msp.upkeep.rules import BECOMES, LONGEST_LEAD_DAYS, OCCURRENCE_STATES, TIERS
from tenants.foundation.db import (
    AllForClient,
    Base,
    ProviderOwned,
    TenantOwned,
    belongs,
    choice,
    moment,
    public_id,
)
from tenants.foundation.scope import Role


class MaintenancePlan(AllForClient, TenantOwned, Base):
    """Upkeep that comes back by a rule (msp/windows/rules.py, W1); each time it becomes a ticket some days ahead."""

    __tablename__ = "maintenance_plans"
    __grants__: ClassVar[dict[Role, str]] = {Role.SWEEPER: "SELECT (tenant_id, id, look_at)"}
    public_id: Mapped[Any] = public_id()
    title: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(300))
    first_on: Mapped[date] = mapped_column(Date)
    # Wall clock, as HH:MM in `time_zone`.
    starts_at: Mapped[str] = mapped_column(String(5))
    minutes: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str] = mapped_column(String(64))
    # Lines of text, in the order in which they are done.
    checklist: Mapped[list[Any]] = mapped_column(default=list)
    becomes: Mapped[str]
    tier: Mapped[str]
    # The person who does it; the tier's queue gets it where there is none, or where they have left.
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    user_name: Mapped[str | None] = mapped_column(String(120))
    site_id: Mapped[int | None]
    lead_days: Mapped[int] = mapped_column(Integer)
    # When the sweep has to look at it next; null while it is paused, once it has ended, and when the rule is over.
    look_at: Mapped[datetime | None] = moment(nullable=True)
    # Occurrences up to then are done with, whatever came of them.
    settled_until: Mapped[datetime] = moment()
    # Counts edits, for calendars that keep copies.
    rev: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    paused_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("becomes", BECOMES),
        choice("tier", TIERS),
        CheckConstraint("minutes BETWEEN 1 AND 10080", name="minutes_of_at_most_a_week"),
        CheckConstraint(f"lead_days BETWEEN 0 AND {LONGEST_LEAD_DAYS}", name="lead_of_at_most_two_months"),
        belongs("sites", "site_id"),
        Index("ix_maintenance_plans_tenant", "tenant_id", "ended_at"),
        # The sweeper's own index runs over all tenants: it reads only what is due.
        Index("ix_maintenance_plans_due", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )


class MaintenancePlanAsset(AllForClient, TenantOwned, Base):
    """An asset that a plan is about."""

    __tablename__ = "maintenance_plan_assets"
    plan_id: Mapped[int]
    asset_id: Mapped[int]
    __table_args__ = (
        belongs("maintenance_plans", "plan_id", ondelete="CASCADE"),
        belongs("assets", "asset_id"),
        Index("uq_maintenance_plan_assets", "tenant_id", "plan_id", "asset_id", unique=True),
    )


class MaintenanceOccurrence(AllForClient, TenantOwned, Base):
    """One time of a plan: the ticket that it became, or that it was missed while nobody could open one."""

    __tablename__ = "maintenance_occurrences"
    plan_id: Mapped[int]
    # The day of the plan's zone on which it begins: once per plan and day, whatever happens.
    occurs_on: Mapped[date] = mapped_column(Date)
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    title: Mapped[str] = mapped_column(String(120))
    becomes: Mapped[str]
    state: Mapped[str]
    ticket_id: Mapped[int | None]
    rev: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("becomes", BECOMES),
        choice("state", OCCURRENCE_STATES),
        belongs("maintenance_plans", "plan_id"),
        belongs("tickets", "ticket_id"),
        Index("uq_maintenance_occurrences", "tenant_id", "plan_id", "occurs_on", unique=True),
        Index("ix_maintenance_occurrences_begins", "tenant_id", "begins_at"),
    )


class PatchPolicy(ProviderOwned, Base):
    """For which releases a campaign is proposed by itself: for whose assets, how grave, how old, and on which day."""

    __tablename__ = "patch_policies"
    __grants__: ClassVar[dict[Role, str]] = {Role.SWEEPER: "SELECT (id, look_at, tenant_ids)"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(80))
    tenant_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    # Empty: every kind, every tag.
    asset_kind: Mapped[str] = mapped_column(String(20), default="")
    tag: Mapped[str] = mapped_column(String(40), default="")
    severity: Mapped[str]
    # A release is left alone until it is this many days old.
    least_age_days: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str] = mapped_column(String(300))
    first_on: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[str] = mapped_column(String(5))
    time_zone: Mapped[str] = mapped_column(String(64))
    look_at: Mapped[datetime | None] = moment(nullable=True)
    settled_until: Mapped[datetime] = moment()
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    paused_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("severity", SEVERITIES),
        CheckConstraint("least_age_days BETWEEN 0 AND 365", name="least_age_of_at_most_a_year"),
        Index("ix_patch_policies_due", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )


class PatchProposal(ProviderOwned, Base):
    """A campaign that a policy proposed for one release on one of its days: never more than one."""

    __tablename__ = "patch_proposals"
    policy_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patch_policies.id"))
    release_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("releases.id"))
    occurs_on: Mapped[date] = mapped_column(Date)
    # Null only inside the transaction that proposes it.
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    asset_count: Mapped[int] = mapped_column(default=0)
    proposed_at: Mapped[datetime] = moment()
    __table_args__ = (UniqueConstraint("policy_id", "release_id", "occurs_on"),)


class CalendarFeed(TenantOwned, Base):
    """A secret link to one client's calendar for one person; only its digest is kept."""

    __tablename__ = "calendar_feeds"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT, INSERT, UPDATE (revoked_at)",
        Role.GATE: "SELECT, UPDATE (last_used_on)",
    }
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True, info={"secret": True})
    created_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    last_used_on: Mapped[date | None] = mapped_column(Date)
    __table_args__ = (
        Index(
            "uq_calendar_feeds_live",
            "tenant_id",
            "user_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
