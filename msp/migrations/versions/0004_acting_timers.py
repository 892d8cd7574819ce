"""Warnings and misses are acted upon once, and the portal passes tickets up by itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_HAND_OVER_STATES = "state IN ('pending', 'accepted', 'returned', 'withdrawn')"
_STATES = "state IN ('not_applicable', 'running', 'paused', 'outside_hours', 'met', 'missed')"
_MOMENTS = ("started_at", "stopped_at", "due_at", "missed_at", "acted_at", "look_at")


def upgrade() -> None:
    op.add_column("timer_marks", sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("hand_overs", sa.Column("cause_key", sa.String(length=80), nullable=True))
    op.create_index("uq_hand_overs_cause", "hand_overs", ["tenant_id", "ticket_id", "cause_key"], unique=True)
    op.drop_constraint(op.f("ck_hand_overs_state"), "hand_overs", type_="check")
    op.create_check_constraint(op.f("ck_hand_overs_state"), "hand_overs", _HAND_OVER_STATES)
    for name in ("closes_at", "reopen_until"):
        op.add_column("tickets", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _create_deadlines()
    _create_side_timers()
    _create_vendor_cases()


def _create_deadlines() -> None:
    op.create_table(
        "ticket_deadlines",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('close', 'reopen')", name=op.f("ck_ticket_deadlines_kind")),
        *_owned("ticket_deadlines"),
    )
    op.create_index(
        "uq_ticket_deadlines", "ticket_deadlines", ["tenant_id", "ticket_id", "kind"], unique=True
    )
    op.create_index(
        "ix_ticket_deadlines_look",
        "ticket_deadlines",
        ["look_at"],
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )


def _create_side_timers() -> None:
    op.create_table(
        "side_timers",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("target_seconds", sa.BigInteger(), nullable=False),
        sa.Column("measured_by", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=name != "started_at") for name in _MOMENTS),
        sa.CheckConstraint("clock IN ('acceptance', 'vendor')", name=op.f("ck_side_timers_clock")),
        sa.CheckConstraint(_STATES, name=op.f("ck_side_timers_state")),
        sa.CheckConstraint("target_seconds > 0", name=op.f("ck_side_timers_target_positive")),
        *_owned("side_timers"),
    )
    op.create_index("uq_side_timers", "side_timers", ["tenant_id", "clock", "source_id"], unique=True)
    op.create_index("ix_side_timers_ticket", "side_timers", ["tenant_id", "ticket_id"])
    op.create_index(
        "ix_side_timers_look", "side_timers", ["look_at"], postgresql_where=sa.text("look_at IS NOT NULL")
    )


def _create_vendor_cases() -> None:
    op.create_table(
        "vendor_cases",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("promised_minutes", sa.BigInteger(), nullable=True),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("opened_by_name", sa.String(length=120), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("calendar IN ('contract', 'always')", name=op.f("ck_vendor_cases_calendar")),
        sa.CheckConstraint("promised_minutes > 0", name=op.f("ck_vendor_cases_promise_positive")),
        *_owned("vendor_cases"),
    )
    op.create_index("ix_vendor_cases_ticket", "vendor_cases", ["tenant_id", "ticket_id", "id"])
    op.create_index(
        "uq_vendor_cases_pending",
        "vendor_cases",
        ["tenant_id", "ticket_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )


def _owned(table: str) -> tuple[sa.Constraint, ...]:
    """What every table about a ticket has."""
    return (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f(f"fk_{table}_tenant_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    op.drop_table("vendor_cases")
    op.drop_table("side_timers")
    op.drop_table("ticket_deadlines")
    for name in ("closes_at", "reopen_until"):
        op.drop_column("tickets", name)
    op.drop_constraint(op.f("ck_hand_overs_state"), "hand_overs", type_="check")
    op.create_check_constraint(
        op.f("ck_hand_overs_state"), "hand_overs", "state IN ('pending', 'accepted', 'returned')"
    )
    op.drop_index("uq_hand_overs_cause", "hand_overs")
    op.drop_column("hand_overs", "cause_key")
    op.drop_column("timer_marks", "acted_at")
