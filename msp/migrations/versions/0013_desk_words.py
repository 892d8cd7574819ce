"""Channels by which tickets come, and what the history of a ticket tells of a whole service desk."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SOURCES = "'portal', 'phone', 'api', 'import', 'mail', 'campaign'"
_MORE_SOURCES = "'upkeep', 'chat', 'sms', 'whatsapp', 'website'"
_KINDS = "'opened', 'message_added', 'state_changed', 'reprioritised', 'assigned', 'hand_over_made', 'hand_over_accepted', 'hand_over_returned', 'resolved', 'reopened', 'closed', 'cancelled', 'terms_applied'"
_MORE_KINDS = "'merged', 'linked', 'unlinked', 'categorised', 'placed', 'watchers_changed', 'checklist_changed', 'visit_planned', 'visit_done', 'visit_cancelled', 'remote_session_begun', 'remote_session_ended', 'vendor_asked', 'vendor_answered', 'rated'"


def _words(table: str, column: str, words: str) -> None:
    name = op.f(f"ck_{table}_{column}")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({words})")


def upgrade() -> None:
    _words("tickets", "source", f"{_SOURCES}, {_MORE_SOURCES}")
    _words("ticket_events", "kind", f"{_KINDS}, {_MORE_KINDS}")


def downgrade() -> None:
    op.execute(
        "UPDATE tickets SET source = 'portal' WHERE source IN ('upkeep', 'chat', 'sms', 'whatsapp', 'website')"
    )
    op.execute(
        "DELETE FROM ticket_events WHERE kind IN ('merged', 'linked', 'unlinked', 'categorised', 'placed', 'watchers_changed', 'checklist_changed', 'visit_planned', 'visit_done', 'visit_cancelled', 'remote_session_begun', 'remote_session_ended', 'vendor_asked', 'vendor_answered', 'rated')"
    )
    _words("ticket_events", "kind", _KINDS)
    _words("tickets", "source", _SOURCES)
