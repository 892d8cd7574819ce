"""Mailboxes, incoming mails, clients' mail domains, and what came back of outgoing mail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_mailboxes()
    _create_mails()
    _create_domains()
    op.add_column("outgoing_mails", sa.Column("bounced_at", _MOMENT, nullable=True))
    op.add_column("outgoing_mails", sa.Column("bounce", sa.String(300), nullable=True))


def _create_mailboxes() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("host", sa.String(253), nullable=False),
        sa.Column("port", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.Text(), nullable=False),
        sa.Column("user_name", sa.String(254), nullable=False),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("key_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("default_tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("paused_at", _MOMENT, nullable=True),
        sa.Column("fetch_at", _MOMENT, nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", _MOMENT, nullable=True),
        sa.Column("failed_at", _MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.CheckConstraint("security IN ('tls', 'starttls', 'plain')", name=op.f("ck_mailboxes_security")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_mailboxes_port_of_a_host")),
        sa.ForeignKeyConstraint(
            ["default_tenant_id"], ["tenants.id"], name=op.f("fk_mailboxes_default_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("address", name=op.f("uq_mailboxes_address")),
    )
    op.create_index(op.f("ix_mailboxes_public_id"), "mailboxes", ["public_id"])
    op.create_index(
        "ix_mailboxes_fetch_at", "mailboxes", ["fetch_at"], postgresql_where=sa.text("paused_at IS NULL")
    )


def _create_mails() -> None:
    op.create_table(
        "incoming_mails",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("detail", sa.String(300), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("sender", sa.String(254), nullable=True),
        sa.Column("sender_name", sa.String(120), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("message_id", sa.String(300), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("inline", postgresql.JSONB(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", _MOMENT, nullable=True),
        sa.Column("for_tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_code", sa.String(20), nullable=True),
        sa.CheckConstraint(
            "channel IN ('imap', 'webhook', 'command')", name=op.f("ck_incoming_mails_channel")
        ),
        sa.CheckConstraint(
            "state IN ('received', 'done', 'quarantined', 'dropped')", name=op.f("ck_incoming_mails_state")
        ),
        sa.CheckConstraint(
            "outcome IN ('ticket', 'reply', 'follow_up', 'vendor', 'bounce')",
            name=op.f("ck_incoming_mails_outcome"),
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_incoming_mails_mailbox_id")),
        sa.ForeignKeyConstraint(
            ["for_tenant_id"], ["tenants.id"], name=op.f("fk_incoming_mails_for_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_mails")),
    )
    op.create_index(op.f("ix_incoming_mails_public_id"), "incoming_mails", ["public_id"])
    op.create_index("uq_incoming_mails_bytes", "incoming_mails", ["mailbox_id", "sha256"], unique=True)
    op.create_index("ix_incoming_mails_state", "incoming_mails", ["state", "received_at", "id"])
    op.create_index("ix_incoming_mails_sender", "incoming_mails", ["sender", "acknowledged_at"])
    op.create_index("ix_incoming_mails_pace", "incoming_mails", ["mailbox_id", "sender", "decided_at"])
    op.create_index("ix_incoming_mails_ticket", "incoming_mails", ["for_tenant_id", "ticket_id"])


def _create_domains() -> None:
    op.create_table(
        "mail_domains",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("added_by", sa.String(120), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_mail_domains_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail_domains")),
    )
    op.create_index(op.f("ix_mail_domains_public_id"), "mail_domains", ["public_id"])
    op.create_index("uq_mail_domains_domain", "mail_domains", ["tenant_id", "domain"], unique=True)
    op.create_index("ix_mail_domains_domain", "mail_domains", ["domain"])


def downgrade() -> None:
    op.drop_column("outgoing_mails", "bounce")
    op.drop_column("outgoing_mails", "bounced_at")
    op.drop_table("mail_domains")
    op.drop_table("incoming_mails")
    op.drop_table("mailboxes")
