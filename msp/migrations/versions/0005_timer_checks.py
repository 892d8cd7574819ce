"""Timers keep the moment at which they were read, and nightly comparisons what they found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
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


def upgrade() -> None:
    op.add_column("ticket_timers", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "timer_checks",
        *_own(),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open_tickets", sa.BigInteger(), nullable=False),
        sa.Column("closed_tickets", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.BigInteger(), nullable=False),
        *_of_a_tenant("timer_checks"),
    )
    op.create_index("uq_timer_checks_day", "timer_checks", ["tenant_id", "checked_on"], unique=True)
    op.create_table(
        "timer_differences",
        *_own(),
        sa.Column("check_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("clock", sa.String(40), nullable=False),
        sa.Column("field", sa.String(60), nullable=False),
        sa.Column("stored", sa.Text(), nullable=False),
        sa.Column("recomputed", sa.Text(), nullable=False),
        *_of_a_tenant("timer_differences"),
        _belongs("timer_differences", "timer_checks", "check_id"),
        _belongs("timer_differences", "tickets", "ticket_id"),
    )
    op.create_index("ix_timer_differences_check", "timer_differences", ["tenant_id", "check_id", "id"])


def downgrade() -> None:
    for table in ("timer_differences", "timer_checks"):
        op.drop_table(table)
    op.drop_column("ticket_timers", "read_at")
