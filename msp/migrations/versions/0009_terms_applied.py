"""Terms of a contract can be applied to open tickets; clocks beside tickets keep which warnings were given."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = (
    "'opened', 'message_added', 'state_changed', 'reprioritised', 'assigned', 'hand_over_made', 'hand_over_accepted', "
    "'hand_over_returned', 'resolved', 'reopened', 'closed', 'cancelled'"
)


def _kinds(words: str) -> None:
    op.drop_constraint(op.f("ck_ticket_events_kind"), "ticket_events", type_="check")
    op.create_check_constraint(op.f("ck_ticket_events_kind"), "ticket_events", f"kind IN ({words})")


def upgrade() -> None:
    _kinds(f"{_BEFORE}, 'terms_applied'")
    for name in ("warned_percent", "told_percent"):
        op.add_column("side_timers", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM ticket_events WHERE kind = 'terms_applied'")
    _kinds(_BEFORE)
    for name in ("warned_percent", "told_percent"):
        op.drop_column("side_timers", name)
