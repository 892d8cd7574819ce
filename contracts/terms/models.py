"""Contracts and their effective-dated versions: an edit makes a new version, never a rewrite."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, moment, public_id
from tenants.foundation.scope import Role


class Contract(AllForClient, TenantOwned, Base):
    """What one client was promised, from `starts_on` to `ends_on` (inclusive, dates of the contract's zone)."""

    __tablename__ = "contracts"
    # The sweeper looks which months have ended.
    __grants__: ClassVar[dict[Role, str]] = {Role.SWEEPER: "SELECT"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    time_zone: Mapped[str] = mapped_column(String(60))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    # In whole units of the currency.
    monthly_fee: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3), default="IDR")
    created_at: Mapped[datetime] = moment()
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("monthly_fee >= 0", name="fee_not_negative"),
        Index("ix_contracts_tenant", "tenant_id", "starts_on"),
    )


class ContractVersion(AllForClient, TenantOwned, Base):
    """The terms from one date on until the next version's; never changed, only followed."""

    __tablename__ = "contract_versions"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.STAFF, Role.WORKER), "SELECT, INSERT")
    contract_id: Mapped[int]
    number: Mapped[int]
    in_force_on: Mapped[date]
    # Local midnight of `in_force_on` in the contract's zone.
    in_force_from: Mapped[datetime] = moment()
    terms: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = moment()
    created_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (
        belongs("contracts", "contract_id"),
        Index("uq_contract_versions_number", "tenant_id", "contract_id", "number", unique=True),
        Index("uq_contract_versions_day", "tenant_id", "contract_id", "in_force_on", unique=True),
        Index("ix_contract_versions_force", "tenant_id", "in_force_from"),
    )
