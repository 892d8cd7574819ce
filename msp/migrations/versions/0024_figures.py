"""Figures: how long a stopped clock ran, and what was resolved and reopened when."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_timers", sa.Column("elapsed_seconds", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_ticket_events_outcomes",
        "ticket_events",
        ["tenant_id", "at"],
        postgresql_where=sa.text("kind IN ('resolved', 'reopened')"),
    )


def downgrade() -> None:
    op.drop_index("ix_ticket_events_outcomes", table_name="ticket_events")
    op.drop_column("ticket_timers", "elapsed_seconds")
