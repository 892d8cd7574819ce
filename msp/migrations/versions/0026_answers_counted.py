"""Automatic answers to mails are counted for each mailbox and for all of them together."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_incoming_mails_acknowledged",
        "incoming_mails",
        ["acknowledged_at", "mailbox_id"],
        postgresql_where=sa.text("acknowledged_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_incoming_mails_acknowledged", table_name="incoming_mails")
