"""Remote sessions, visits, vendors and what they are asked; files as evidence of hand-overs; replies to a mail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _owned(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{name}_tenant_id")),
        _belongs(name, "tickets", "ticket_id"),
    )
    op.create_index(op.f(f"ix_{name}_public_id"), name, ["public_id"])
    op.create_index(f"ix_{name}_ticket", name, ["tenant_id", "ticket_id", "id"])


def _belongs(name: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{name}_tenant_id_{column}"),
    )


def _person(name: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{name}_{column}"))


def _remote_sessions() -> None:
    name = "remote_sessions"
    _owned(
        name,
        sa.Column("asset_id", sa.BigInteger(), nullable=True),
        sa.Column("asset_name", sa.String(120), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("staff_user_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_name", sa.String(120), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("consent_by", sa.String(120), nullable=False),
        sa.Column("consent_way", sa.Text(), nullable=True),
        sa.Column("consent_at", _MOMENT, nullable=True),
        sa.Column("begun_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("ended_by", sa.String(120), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'allowed', 'running', 'ended', 'withdrawn', 'declined')",
            name=op.f(f"ck_{name}_state"),
        ),
        sa.CheckConstraint("consent_way IN ('phone', 'chat', 'portal')", name=op.f(f"ck_{name}_consent_way")),
        sa.CheckConstraint(
            "begun_at IS NULL OR consent_at IS NOT NULL", name=op.f(f"ck_{name}_begins_with_consent")
        ),
        _belongs(name, "assets", "asset_id"),
        _person(name, "staff_user_id"),
    )
    op.create_index(
        "uq_remote_sessions_open",
        name,
        ["tenant_id", "ticket_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('asked', 'allowed', 'running')"),
    )


def _visits() -> None:
    name, coming = "visits", sa.text("state IN ('planned', 'under_way')")
    _owned(
        name,
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begins_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("technician_user_id", sa.BigInteger(), nullable=True),
        sa.Column("technician_name", sa.String(120), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("calendar_key", sa.String(80), nullable=True),
        sa.Column("look_at", _MOMENT, nullable=True),
        sa.Column("planned_by", sa.String(120), nullable=False),
        sa.Column("planned_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("over_at", _MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("parts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'under_way', 'done', 'cancelled')", name=op.f(f"ck_{name}_state")
        ),
        sa.CheckConstraint(
            "outcome IN ('solved', 'partly', 'not_solved', 'nobody_there')", name=op.f(f"ck_{name}_outcome")
        ),
        sa.CheckConstraint("begins_at < ends_at", name=op.f(f"ck_{name}_ends_after_it_begins")),
        _belongs(name, "sites", "site_id"),
        _person(name, "technician_user_id"),
    )
    op.create_index(
        "uq_visits_coming", name, ["tenant_id", "ticket_id"], unique=True, postgresql_where=coming
    )
    op.create_index("ix_visits_begins", name, ["tenant_id", "begins_at"])
    op.create_index(
        "ix_visits_technician",
        name,
        ["tenant_id", "technician_user_id", "begins_at"],
        postgresql_where=coming,
    )
    op.create_index("ix_visits_due", name, ["look_at"], postgresql_where=sa.text("look_at IS NOT NULL"))


def _vendors() -> None:
    op.create_table(
        "vendors",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("contact_name", sa.String(120), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("support_hours", sa.String(300), nullable=False),
        sa.Column("promised_minutes", sa.BigInteger(), nullable=True),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calendar IN ('contract', 'always')", name=op.f("ck_vendors_calendar")),
        sa.CheckConstraint("promised_minutes > 0", name=op.f("ck_vendors_promise_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendors")),
        sa.UniqueConstraint("name", name=op.f("uq_vendors_name")),
    )
    op.create_index(op.f("ix_vendors_public_id"), "vendors", ["public_id"])


_CASE_TEXTS = {
    "contact_name": sa.String(120),
    "contact_email": sa.String(254),
    "contact_phone": sa.String(40),
    "subject": sa.String(200),
    "body": sa.Text(),
    "answer": sa.Text(),
}


def _vendor_cases() -> None:
    name = "vendor_cases"
    op.add_column(
        name,
        sa.Column("public_id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
    op.alter_column(name, "public_id", server_default=None)
    op.create_index(op.f("ix_vendor_cases_public_id"), name, ["public_id"])
    op.add_column(name, sa.Column("vendor_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_vendor_cases_vendor_id"), name, "vendors", ["vendor_id"], ["id"])
    for column, kind in _CASE_TEXTS.items():
        op.add_column(name, sa.Column(column, kind, nullable=False, server_default=""))
        op.alter_column(name, column, server_default=None)
    op.add_column(name, sa.Column("is_mailed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column(name, "is_mailed", server_default=None)
    op.add_column(name, sa.Column("acknowledged_at", _MOMENT, nullable=True))
    op.create_index("ix_vendor_cases_sent", name, ["tenant_id", "sent_at"])


def upgrade() -> None:
    _remote_sessions()
    _visits()
    _vendors()
    _vendor_cases()
    op.add_column("assets", sa.Column("remote_url", sa.String(500), nullable=True))
    op.add_column(
        "hand_overs", sa.Column("files", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.create_index("ix_hand_overs_made", "hand_overs", ["tenant_id", "made_at"])
    op.add_column("outgoing_mails", sa.Column("reply_to", sa.String(254), nullable=True))


def downgrade() -> None:
    op.drop_column("outgoing_mails", "reply_to")
    op.drop_index("ix_hand_overs_made", "hand_overs")
    op.drop_column("hand_overs", "files")
    op.drop_column("assets", "remote_url")
    op.drop_index("ix_vendor_cases_sent", "vendor_cases")
    op.drop_index(op.f("ix_vendor_cases_public_id"), "vendor_cases")
    for column in ("public_id", "vendor_id", *_CASE_TEXTS, "is_mailed", "acknowledged_at"):
        op.drop_column("vendor_cases", column)
    for table in ("vendors", "visits", "remote_sessions"):
        op.drop_table(table)
