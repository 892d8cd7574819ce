"""The latest chats that ended are found without reading all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_chats_ended", "chats", ["last_at", "id"], postgresql_where=sa.text("state = 'ended'"))


def downgrade() -> None:
    op.drop_index("ix_chats_ended", table_name="chats")
