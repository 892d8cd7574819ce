"""Telephone numbers that staff know to be somebody's; those of before were all looked at by nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("memberships", sa.Column("known_phone", sa.String(20), nullable=True))
    op.create_index("ix_memberships_by_known_phone", "memberships", ["known_phone"])


def downgrade() -> None:
    op.drop_index("ix_memberships_by_known_phone", "memberships")
    op.drop_column("memberships", "known_phone")
