"""Statements, their lines and their credits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
    op.create_table(
        "statements",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(120), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_statements_number_positive")),
        *_of_a_tenant("statements"),
        _belongs("statements", "contracts", "contract_id"),
    )
    op.create_index(op.f("ix_statements_public_id"), "statements", ["public_id"])
    op.create_index(
        "uq_statements_number", "statements", ["tenant_id", "contract_id", "month", "number"], unique=True
    )
    op.create_index("ix_statements_month", "statements", ["tenant_id", "month", "id"])
    op.create_table(
        "statement_lines",
        *_own(),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('met', 'missed', 'set_aside')", name=op.f("ck_statement_lines_verdict")
        ),
        *_of_a_tenant("statement_lines"),
        _belongs("statement_lines", "statements", "statement_id"),
    )
    op.create_index(
        "uq_statement_lines_position",
        "statement_lines",
        ["tenant_id", "statement_id", "position"],
        unique=True,
    )
    op.create_table(
        "statement_credits",
        *_own(),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(2000), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'replaced')",
            name=op.f("ck_statement_credits_state"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_statement_credits_amount_not_negative")),
        *_of_a_tenant("statement_credits"),
        _belongs("statement_credits", "statements", "statement_id"),
    )
    op.create_index("uq_statement_credits", "statement_credits", ["tenant_id", "statement_id"], unique=True)


def downgrade() -> None:
    for table in ("statement_credits", "statement_lines", "statements"):
        op.drop_table(table)
