"""What clients run: assets, what people entered about them beside what their agents report."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, LargeBinary, String, null, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

KINDS = ("server", "workstation", "network", "printer", "phone", "other")
STATES = ("active", "quarantined", "retired")
# Why nothing is rolled out to an asset: how it turned up unknown, or what is wrong. People clear it by admitting it.
QUARANTINES = ("gateway", "device", "inventory", "cloned", "needs_repair")


class Asset(AllForClient, TenantOwned, Base):
    """A machine or device of a client. Columns up to `notes` are people's; the rest are facts from its agent."""

    __tablename__ = "assets"
    __grants__: ClassVar[dict[Role, str]] = {Role.AGENTS: "SELECT, INSERT, UPDATE"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(default="workstation")
    state: Mapped[str] = mapped_column(default="active")
    site_id: Mapped[int | None]
    serial: Mapped[str | None] = mapped_column(String(120))
    tags: Mapped[list[Any]] = mapped_column(default=list)
    # Where staff take over its screen; the client's own people need no way into the provider's tool.
    remote_url: Mapped[str | None] = mapped_column(String(500), info={"for_client": lambda: null()})
    notes: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = moment()
    retired_at: Mapped[datetime | None] = moment(nullable=True)
    # Counts people's edits, so that a stale page is refused; facts from the agent do not count.
    rev: Mapped[int] = mapped_column(default=1, server_default="1")

    # The id under which its agent calls: unique in the tenant, immutable, up to 256 of [A-Za-z0-9._:-].
    controller_id: Mapped[str | None] = mapped_column(String(256))
    last_seen_at: Mapped[datetime | None] = moment(nullable=True)
    boot_id: Mapped[str | None] = mapped_column(String(80))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    facts_at: Mapped[datetime | None] = moment(nullable=True)
    installed_release: Mapped[str | None] = mapped_column(String(200))
    trust_level: Mapped[str] = mapped_column(default="tls-only")
    software_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    software_at: Mapped[datetime | None] = moment(nullable=True)
    # What its client can do: `client` as it named itself, and `by_staff` where people know better.
    capabilities: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    # Null too for assets that people put or entered into quarantine.
    quarantined_for: Mapped[str | None]
    __table_args__ = (
        choice("kind", KINDS),
        choice("state", STATES),
        choice("quarantined_for", QUARANTINES),
        belongs("sites", "site_id"),
        Index("uq_assets_controller", "tenant_id", "controller_id", unique=True),
        Index(
            "uq_assets_serial",
            "tenant_id",
            "serial",
            unique=True,
            postgresql_where=text("serial IS NOT NULL AND state <> 'retired'"),
        ),
        Index("ix_assets_name", "tenant_id", "name", "id"),
        Index(
            "ix_assets_reporting",
            "tenant_id",
            "last_seen_at",
            postgresql_where=text("state = 'active' AND controller_id IS NOT NULL"),
        ),
    )


class InstalledSoftware(AllForClient, TenantOwned, Base):
    """A package that the agent found on an asset."""

    __tablename__ = "installed_software"
    __grants__: ClassVar[dict[Role, str]] = {Role.AGENTS: "SELECT, INSERT, UPDATE, DELETE"}
    asset_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(200))
    architecture: Mapped[str] = mapped_column(String(40), default="")
    # Since when this version is installed, as far as reports tell.
    seen_at: Mapped[datetime] = moment()
    # What the asset's own sources would upgrade it to.
    upgradable_to: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        belongs("assets", "asset_id", ondelete="CASCADE"),
        Index("uq_installed_software", "tenant_id", "asset_id", "name", "architecture", unique=True),
        Index("ix_installed_software_name", "tenant_id", "name", "version"),
    )
