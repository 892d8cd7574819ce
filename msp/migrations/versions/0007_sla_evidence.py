"""Planned maintenance, and the time that people spend on tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _own() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _of_a_tenant(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def _belongs(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _add_maintenance()
    _add_time_entries()


def _add_maintenance() -> None:
    table = "maintenance_intervals"
    op.create_table(
        table,
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.String(80), nullable=True),
        sa.Column("reach", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        _moment("from_at"),
        _moment("to_at"),
        _moment("recorded_at"),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        _moment("changed_at", nullable=True),
        _moment("cancelled_at", nullable=True),
        sa.Column("cancelled_by", sa.String(120), nullable=True),
        sa.CheckConstraint("reach IN ('tenant', 'site', 'assets')", name=op.f(f"ck_{table}_reach")),
        sa.CheckConstraint("source IN ('staff', 'campaign', 'visit')", name=op.f(f"ck_{table}_source")),
        sa.CheckConstraint("from_at < to_at", name=op.f(f"ck_{table}_ends_after_it_begins")),
        sa.CheckConstraint("recorded_at <= from_at", name=op.f(f"ck_{table}_recorded_before_it_begins")),
        sa.CheckConstraint("changed_at < from_at", name=op.f(f"ck_{table}_changed_before_it_begins")),
        sa.CheckConstraint("cancelled_at < from_at", name=op.f(f"ck_{table}_cancelled_before_it_begins")),
        *_of_a_tenant(table),
        _belongs(table, "sites", "site_id"),
    )
    op.create_index(f"ix_{table}_public_id", table, ["public_id"])
    op.create_index(f"uq_{table}_source", table, ["tenant_id", "source", "source_key"], unique=True)
    op.create_index(f"ix_{table}_time", table, ["tenant_id", "to_at", "id"])
    op.create_table(
        "maintenance_assets",
        *_own(),
        sa.Column("interval_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        *_of_a_tenant("maintenance_assets"),
        _belongs("maintenance_assets", table, "interval_id"),
        _belongs("maintenance_assets", "assets", "asset_id"),
    )
    op.create_index(
        "uq_maintenance_assets", "maintenance_assets", ["tenant_id", "interval_id", "asset_id"], unique=True
    )


def _add_time_entries() -> None:
    table = "time_entries"
    op.create_table(
        table,
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("worked_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(300), nullable=False),
        sa.Column("is_billable", sa.Boolean(), nullable=False),
        sa.Column("person_user_id", sa.BigInteger(), nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        _moment("entered_at"),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("because", sa.String(300), nullable=False),
        _moment("replaced_at", nullable=True),
        sa.CheckConstraint("minutes BETWEEN 0 AND 1440", name=op.f(f"ck_{table}_minutes_of_a_day")),
        *_of_a_tenant(table),
        sa.ForeignKeyConstraint(["person_user_id"], ["users.id"], name=op.f(f"fk_{table}_person_user_id")),
        _belongs(table, "tickets", "ticket_id"),
        _belongs(table, table, "corrects_id"),
    )
    op.create_index(f"ix_{table}_public_id", table, ["public_id"])
    op.create_index(f"uq_{table}_corrects", table, ["tenant_id", "corrects_id"], unique=True)
    op.create_index(f"ix_{table}_ticket", table, ["tenant_id", "ticket_id", "id"])
    op.create_index(
        f"ix_{table}_worked_on",
        table,
        ["tenant_id", "worked_on"],
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("time_entries", "maintenance_assets", "maintenance_intervals"):
        op.drop_table(table)
