"""Ratings of solutions, mails that a person does without, and the outbox as a page."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "outgoing_mails",
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    op.alter_column("outgoing_mails", "public_id", server_default=None)
    op.create_index(op.f("ix_outgoing_mails_public_id"), "outgoing_mails", ["public_id"])
    op.create_index(
        "ix_outgoing_mails_unsent",
        "outgoing_mails",
        ["tenant_id", "queued_at", "id"],
        postgresql_where=sa.text("state <> 'sent'"),
    )
    op.create_table(
        "unwanted_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unwanted_notices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_unwanted_notices_user_id")),
    )
    op.create_index("uq_unwanted_notices", "unwanted_notices", ["user_id", "notice"], unique=True)
    op.create_table(
        "ratings",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column("comment", sa.String(1000), nullable=False),
        sa.Column("given_by_name", sa.String(120), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("solved_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("solved_by_name", sa.String(120), nullable=True),
        sa.CheckConstraint("score IN ('good', 'bad')", name=op.f("ck_ratings_score")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ratings")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ratings_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ratings_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["solved_by_user_id"], ["users.id"], name=op.f("fk_ratings_solved_by_user_id")
        ),
    )
    op.create_index("uq_ratings_ticket", "ratings", ["tenant_id", "ticket_id"], unique=True)
    op.create_index("ix_ratings_given", "ratings", ["tenant_id", "given_at", "id"])


def downgrade() -> None:
    op.drop_table("ratings")
    op.drop_table("unwanted_notices")
    op.drop_index("ix_outgoing_mails_unsent", "outgoing_mails")
    op.drop_index(op.f("ix_outgoing_mails_public_id"), "outgoing_mails")
    op.drop_column("outgoing_mails", "public_id")
