"""Draft terms that are replayed by a job, with what came of them; tickets found by code alone; mails with a file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATES = "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    op.create_table(
        "term_trials",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("draft", postgresql.JSONB(), nullable=False),
        sa.Column("tickets_done", sa.BigInteger(), nullable=False),
        sa.Column("tickets_total", sa.BigInteger(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_term_trials_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_term_trials")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_term_trials_tenant_id")),
    )
    op.create_index(op.f("ix_term_trials_public_id"), "term_trials", ["public_id"])
    op.create_index("ix_term_trials_asked", "term_trials", ["tenant_id", "asked_at", "id"])
    op.create_index("ix_tickets_code", "tickets", ["code"])
    op.add_column("outgoing_mails", sa.Column("encloses", sa.String(80), nullable=True))


def downgrade() -> None:
    op.drop_column("outgoing_mails", "encloses")
    op.drop_index("ix_tickets_code", "tickets")
    op.drop_table("term_trials")
