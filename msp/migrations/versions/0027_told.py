"""Mails that are sent only to those who want them; another kind of ticket is a line of its history."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "unwanted_notices",
        sa.Column("is_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.execute("DELETE FROM unwanted_notices WHERE is_wanted")
    op.drop_column("unwanted_notices", "is_wanted")
