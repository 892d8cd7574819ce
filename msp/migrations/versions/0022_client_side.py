"""When a client was asked again about maintenance, and when it was reminded."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("asked_again_at", "reminded_at"):
        op.add_column("campaign_tenants", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("reminded_at", "asked_again_at"):
        op.drop_column("campaign_tenants", name)
