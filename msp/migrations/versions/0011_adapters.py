"""Machines that come by other ways: shared credentials, devices' keys, inventories; what clients can do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_SLOT = "uq_agent_credentials_slot"
_LIVE = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    op.add_column("assets", _json("capabilities", "{}"))
    op.add_column("assets", sa.Column("quarantined_for", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_assets_quarantined_for"),
        "assets",
        "quarantined_for IN ('gateway', 'device', 'inventory', 'cloned', 'needs_repair')",
    )
    op.add_column("agent_credentials", sa.Column("kind", sa.Text(), nullable=False, server_default="token"))
    op.add_column("agent_credentials", sa.Column("client", sa.String(40), nullable=True))
    op.add_column("agent_credentials", _json("boot_ids", "[]"))
    op.create_check_constraint(
        op.f("ck_agent_credentials_kind"), "agent_credentials", "kind IN ('token', 'certificate', 'device')"
    )
    _index_slots("kind", "slot")
    _create_shared_credentials()
    _create_device_keys()
    op.create_table(
        "inventory_devices",
        *_own(),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.String(255), nullable=False),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        _of_an_asset("inventory_devices"),
        *_of_a_tenant("inventory_devices"),
    )
    op.create_index("uq_inventory_devices", "inventory_devices", ["tenant_id", "device_id"], unique=True)


def _create_shared_credentials() -> None:
    op.create_table(
        "shared_credentials",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_by", sa.String(120), nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('gateway', 'inventory', 'authority')", name=op.f("ck_shared_credentials_kind")
        ),
        *_of_a_tenant("shared_credentials"),
    )
    op.create_index(op.f("ix_shared_credentials_public_id"), "shared_credentials", ["public_id"])
    op.create_index(op.f("ix_shared_credentials_token_hash"), "shared_credentials", ["token_hash"])
    op.create_index("ix_shared_credentials_live", "shared_credentials", ["tenant_id", "kind", "revoked_at"])


def _create_device_keys() -> None:
    op.create_table(
        "device_keys",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("identity", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'refused', 'alarm')", name=op.f("ck_device_keys_state")
        ),
        _of_an_asset("device_keys"),
        *_of_a_tenant("device_keys"),
    )
    op.create_index(op.f("ix_device_keys_public_id"), "device_keys", ["public_id"])
    op.create_index(
        "uq_device_keys_key", "device_keys", ["tenant_id", "identity_hash", "fingerprint"], unique=True
    )
    op.create_index(
        "uq_device_keys_accepted",
        "device_keys",
        ["tenant_id", "identity_hash"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_index("ix_device_keys_asset", "device_keys", ["tenant_id", "asset_id", "state"])


def _json(name: str, default: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False, server_default=default)


def _index_slots(*columns: str) -> None:
    op.drop_index(_SLOT, "agent_credentials")
    op.create_index(
        _SLOT,
        "agent_credentials",
        ["tenant_id", "asset_id", *columns],
        unique=True,
        postgresql_where=_LIVE,
    )


def _own() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _of_an_asset(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "asset_id"],
        ["assets.tenant_id", "assets.id"],
        name=op.f(f"fk_{table}_tenant_id_asset_id"),
    )


def _of_a_tenant(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def downgrade() -> None:
    for table in ("inventory_devices", "device_keys", "shared_credentials"):
        op.drop_table(table)
    op.execute("DELETE FROM agent_credentials WHERE kind <> 'token'")
    _index_slots("slot")
    op.drop_constraint(op.f("ck_agent_credentials_kind"), "agent_credentials", type_="check")
    for name in ("boot_ids", "client", "kind"):
        op.drop_column("agent_credentials", name)
    op.drop_constraint(op.f("ck_assets_quarantined_for"), "assets", type_="check")
    for name in ("quarantined_for", "capabilities"):
        op.drop_column("assets", name)
