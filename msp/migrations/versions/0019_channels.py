"""Telephone numbers of people, calls, chats with their doors, and texts in and out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLES = (
    "outgoing_texts",
    "text_threads",
    "incoming_texts",
    "chat_presences",
    "chat_doors",
    "chat_lines",
    "chats",
    "calls",
)


def upgrade() -> None:
    op.add_column("memberships", sa.Column("phone", sa.String(20), nullable=True))
    op.create_index("ix_memberships_by_phone", "memberships", ["phone"])
    op.create_table(
        "calls",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("caller_name", sa.String(length=120), nullable=False),
        sa.Column("company_heard", sa.String(length=120), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("requester_user_id", sa.BigInteger(), nullable=True),
        sa.Column("is_placed", sa.Boolean(), nullable=False),
        sa.Column("taken_by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("taken_by_name", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'ticket', 'none')", name=op.f("ck_calls_state")),
        sa.ForeignKeyConstraint(["requester_user_id"], ["users.id"], name=op.f("fk_calls_requester_user_id")),
        sa.ForeignKeyConstraint(["taken_by_user_id"], ["users.id"], name=op.f("fk_calls_taken_by_user_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_calls_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_calls_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_mine", "calls", ["tenant_id", "taken_by_user_id", "started_at"], unique=False)
    op.create_index("ix_calls_phone", "calls", ["tenant_id", "phone", "started_at"], unique=False)
    op.create_index(op.f("ix_calls_public_id"), "calls", ["public_id"], unique=False)
    op.create_table(
        "chats",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requester_user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("taken_by_name", sa.String(length=120), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_name", sa.String(length=120), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint("channel IN ('chat', 'website')", name=op.f("ck_chats_channel")),
        sa.CheckConstraint("ending IN ('ticket', 'appended', 'none')", name=op.f("ck_chats_ending")),
        sa.CheckConstraint("state IN ('waiting', 'active', 'ended')", name=op.f("ck_chats_state")),
        sa.ForeignKeyConstraint(["requester_user_id"], ["users.id"], name=op.f("fk_chats_requester_user_id")),
        sa.ForeignKeyConstraint(["taken_by_user_id"], ["users.id"], name=op.f("fk_chats_taken_by_user_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_chats_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_chats_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chats")),
    )
    op.create_index(
        "ix_chats_idle", "chats", ["last_at"], unique=False, postgresql_where=sa.text("state <> 'ended'")
    )
    op.create_index(
        "ix_chats_open",
        "chats",
        ["tenant_id", "last_at", "id"],
        unique=False,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(op.f("ix_chats_public_id"), "chats", ["public_id"], unique=False)
    op.create_index("ix_chats_requester", "chats", ["tenant_id", "requester_user_id", "id"], unique=False)
    op.create_index("uq_chats_request_key", "chats", ["tenant_id", "request_key"], unique=True)
    op.create_table(
        "chat_lines",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author_user_id", sa.BigInteger(), nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint("kind IN ('requester', 'staff', 'system')", name=op.f("ck_chat_lines_kind")),
        sa.ForeignKeyConstraint(["author_user_id"], ["users.id"], name=op.f("fk_chat_lines_author_user_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "chat_id"],
            ["chats.tenant_id", "chats.id"],
            name=op.f("fk_chat_lines_tenant_id_chat_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_chat_lines_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chat_lines")),
    )
    op.create_index("ix_chat_lines_chat", "chat_lines", ["tenant_id", "chat_id", "id"], unique=False)
    op.create_index(
        "uq_chat_lines_request_key", "chat_lines", ["tenant_id", "chat_id", "request_key"], unique=True
    )
    op.create_table(
        "chat_doors",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_key", sa.String(length=40), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("origins", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_chat_doors_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chat_doors")),
    )
    op.create_index("ix_chat_doors_public_key", "chat_doors", ["public_key"], unique=False)
    op.create_index("uq_chat_doors_tenant", "chat_doors", ["tenant_id"], unique=True)
    op.create_table(
        "chat_presences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_chat_presences_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_presences")),
        sa.UniqueConstraint("user_id", name=op.f("uq_chat_presences_user_id")),
    )
    op.create_table(
        "incoming_texts",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("media_count", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'whatsapp')", name=op.f("ck_incoming_texts_channel")),
        sa.CheckConstraint(
            "state IN ('waiting', 'placed', 'dismissed')", name=op.f("ck_incoming_texts_state")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_incoming_texts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incoming_texts")),
    )
    op.create_index(op.f("ix_incoming_texts_public_id"), "incoming_texts", ["public_id"], unique=False)
    op.create_index(
        "ix_incoming_texts_state", "incoming_texts", ["tenant_id", "state", "at", "id"], unique=False
    )
    op.create_index("uq_incoming_texts_sid", "incoming_texts", ["tenant_id", "sid"], unique=True)
    op.create_table(
        "text_threads",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'whatsapp')", name=op.f("ck_text_threads_channel")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_text_threads_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_text_threads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_text_threads")),
    )
    op.create_index("ix_text_threads_number", "text_threads", ["number", "channel", "last_at"], unique=False)
    op.create_index("uq_text_threads_ticket", "text_threads", ["tenant_id", "ticket_id"], unique=True)
    op.create_table(
        "outgoing_texts",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("to_number", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gateway_sid", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('sms', 'whatsapp')", name=op.f("ck_outgoing_texts_channel")),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown')",
            name=op.f("ck_outgoing_texts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_outgoing_texts_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outgoing_texts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outgoing_texts")),
    )
    op.create_index(op.f("ix_outgoing_texts_public_id"), "outgoing_texts", ["public_id"], unique=False)
    op.create_index(
        "ix_outgoing_texts_ticket", "outgoing_texts", ["tenant_id", "ticket_id", "id"], unique=False
    )
    op.create_index("uq_outgoing_texts_key", "outgoing_texts", ["tenant_id", "key"], unique=True)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_memberships_by_phone", "memberships")
    op.drop_column("memberships", "phone")
