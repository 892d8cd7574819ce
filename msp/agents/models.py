"""What proves which asset calls. Only digests are kept."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

# An asset's own token, its certificate's place, and what a device got for a signature with its own key.
CREDENTIAL_KINDS = ("token", "certificate", "device")
# What a client company's machines share: the right to turn up, to send an inventory, and whose certificates count.
SHARED_KINDS = ("gateway", "inventory", "authority")
KEY_STATES = ("pending", "accepted", "refused", "alarm")


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
    """What proves that an asset calls, hashed; two tokens may live side by side while one replaces the other."""

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
    kind: Mapped[str] = mapped_column(default="token", server_default="token")
    slot: Mapped[int] = mapped_column(Integer, default=1)
    # The client that used it last, as far as it said.
    client: Mapped[str | None] = mapped_column(String(40))
    # The boots it told of, the last one at the end: one that comes back means two machines.
    boot_ids: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    created_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    # From when the agent is asked to replace it; null means by its age alone.
    rotate_at: Mapped[datetime | None] = moment(nullable=True)
    # The one that it takes the place of, until it is used for the first time: that one works as long.
    replaces_id: Mapped[int | None]
    # When the asset is to be asked for its facts again; null means now.
    facts_due_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("assets", "asset_id"),
        belongs("agent_credentials", "replaces_id"),
        CheckConstraint("slot IN (1, 2)", name="slot"),
        choice("kind", CREDENTIAL_KINDS),
        Index(
            "uq_agent_credentials_slot",
            "tenant_id",
            "asset_id",
            "kind",
            "slot",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )


class SharedCredential(TenantOwned, Base):
    """What all machines of a client may share. It never proves which machine calls."""

    __tablename__ = "shared_credentials"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.GATE: "SELECT"}
    public_id: Mapped[Any] = public_id()
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True, info={"secret": True})
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    revoked_by: Mapped[str | None] = mapped_column(String(120))
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("kind", SHARED_KINDS),
        Index("ix_shared_credentials_live", "tenant_id", "kind", "revoked_at"),
    )


class DeviceKey(TenantOwned, Base):
    """A public key that a device made for itself. Accepted by a person, it is the only one of its identity."""

    __tablename__ = "device_keys"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.AGENTS: "SELECT, INSERT"}
    public_id: Mapped[Any] = public_id()
    asset_id: Mapped[int]
    identity_hash: Mapped[bytes] = mapped_column(LargeBinary)
    identity: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # SHA-256 of the key as DER, in hex.
    fingerprint: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(default="pending")
    first_seen_at: Mapped[datetime] = moment()
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("assets", "asset_id"),
        choice("state", KEY_STATES),
        Index("uq_device_keys_key", "tenant_id", "identity_hash", "fingerprint", unique=True),
        Index(
            "uq_device_keys_accepted",
            "tenant_id",
            "identity_hash",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        Index("ix_device_keys_asset", "tenant_id", "asset_id", "state"),
    )


class InventoryDevice(TenantOwned, Base):
    """Which asset an inventory agent's own name for its machine stands for. The name is a claim."""

    __tablename__ = "inventory_devices"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "", Role.AGENTS: "SELECT, INSERT"}
    asset_id: Mapped[int]
    device_id: Mapped[str] = mapped_column(String(255))
    first_seen_at: Mapped[datetime] = moment()
    __table_args__ = (
        belongs("assets", "asset_id"),
        Index("uq_inventory_devices", "tenant_id", "device_id", unique=True),
    )
