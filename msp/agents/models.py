"""What proves which asset calls. Only digests are kept."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, TenantOwned, belongs, moment, public_id
from tenants.foundation.scope import Role


class EnrolmentToken(TenantOwned, Base):
    """A token that one machine trades, once and within the hour, for a credential of its own."""

    __tablename__ = "enrolment_tokens"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "",
        Role.GATE: "SELECT",
        Role.AGENTS: "SELECT, UPDATE",
    }
    public_id: Mapped[Any] = public_id()
    asset_id: Mapped[int]
    controller_id: Mapped[str] = mapped_column(String(256))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True, info={"secret": True})
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("assets", "asset_id"),
        CheckConstraint("expires_at <= created_at + interval '1 hour'", name="within_the_hour"),
    )


class AgentCredential(TenantOwned, Base):
    """An asset's own token, hashed; two may live side by side while one replaces the other."""

    __tablename__ = "agent_credentials"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "",
        Role.GATE: "SELECT",
        Role.AGENTS: "SELECT, INSERT, UPDATE",
    }
    asset_id: Mapped[int]
    # A copy of the asset's immutable id, so that the gate need not read assets.
    controller_id: Mapped[str] = mapped_column(String(256))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True, info={"secret": True})
    slot: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    # When the asset is to be asked for its facts again; null means now.
    facts_due_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("assets", "asset_id"),
        CheckConstraint("slot IN (1, 2)", name="slot"),
        Index(
            "uq_agent_credentials_slot",
            "tenant_id",
            "asset_id",
            "slot",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
