"""Warnings and misses are acted upon once, and the portal passes tickets up by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_HAND_OVER_STATES = "state IN ('pending', 'accepted', 'returned', 'withdrawn')"


def upgrade() -> None:
    op.add_column("timer_marks", sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("hand_overs", sa.Column("cause_key", sa.String(length=80), nullable=True))
    op.create_index("uq_hand_overs_cause", "hand_overs", ["tenant_id", "ticket_id", "cause_key"], unique=True)
    op.drop_constraint(op.f("ck_hand_overs_state"), "hand_overs", type_="check")
    op.create_check_constraint(op.f("ck_hand_overs_state"), "hand_overs", _HAND_OVER_STATES)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_hand_overs_state"), "hand_overs", type_="check")
    op.create_check_constraint(
        op.f("ck_hand_overs_state"), "hand_overs", "state IN ('pending', 'accepted', 'returned')"
    )
    op.drop_index("uq_hand_overs_cause", "hand_overs")
    op.drop_column("hand_overs", "cause_key")
    op.drop_column("timer_marks", "acted_at")
