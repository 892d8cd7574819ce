"""What a package on an asset could be upgraded to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installed_software", sa.Column("upgradable_to", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("installed_software", "upgradable_to")
