"""Mails that are sent only to those who want them; another kind of ticket is a line of its history."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_KINDS = (
    "'opened', 'message_added', 'state_changed', 'reprioritised', 'assigned', 'hand_over_made', 'hand_over_accepted', "
    "'hand_over_returned', 'resolved', 'reopened', 'closed', 'cancelled', 'terms_applied', 'merged', 'linked', "
    "'unlinked', 'categorised', 'placed', 'watchers_changed', 'checklist_changed', 'visit_planned', 'visit_done', "
    "'visit_cancelled', 'remote_session_begun', 'remote_session_ended', 'vendor_asked', 'vendor_answered', 'rated'"
)


def _kinds(words: str) -> None:
    op.drop_constraint(op.f("ck_ticket_events_kind"), "ticket_events", type_="check")
    op.create_check_constraint(op.f("ck_ticket_events_kind"), "ticket_events", f"kind IN ({words})")


def upgrade() -> None:
    op.add_column(
        "unwanted_notices",
        sa.Column("is_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    _kinds(f"{_KINDS}, 'kind_changed'")


def downgrade() -> None:
    op.execute("DELETE FROM ticket_events WHERE kind = 'kind_changed'")
    _kinds(_KINDS)
    op.execute("DELETE FROM unwanted_notices WHERE is_wanted")
    op.drop_column("unwanted_notices", "is_wanted")
