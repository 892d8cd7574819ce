"""The first schema.

Frozen: later changes are migrations of their own. Policies and grants are not here; `flask database upgrade` derives
them from the registry of tables each time.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateSequence, DropSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LINK_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE head record;
BEGIN
  IF TG_TABLE_NAME = 'audit_entries' THEN
    INSERT INTO audit_heads (tenant_id, seq, hash) VALUES (NEW.tenant_id, 0, '') ON CONFLICT DO NOTHING;
    SELECT seq, hash INTO head FROM audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
  ELSE
    INSERT INTO system_audit_heads (id, seq, hash) OVERRIDING SYSTEM VALUE VALUES (1, 0, '') ON CONFLICT DO NOTHING;
    SELECT seq, hash INTO head FROM system_audit_heads WHERE id = 1 FOR UPDATE;
  END IF;
  NEW.seq := head.seq + 1;
  NEW.previous := head.hash;
  NEW.hash := sha256(head.hash || convert_to(NEW.seq::text || chr(10) || NEW.body, 'UTF8'));
  IF TG_TABLE_NAME = 'audit_entries' THEN
    UPDATE audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;
  ELSE
    UPDATE system_audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE id = 1;
  END IF;
  RETURN NEW;
END $$
"""
REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$
"""
TRIGGERS = [
    "CREATE OR REPLACE TRIGGER audit_entries_link BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_link()",
    "CREATE OR REPLACE TRIGGER audit_entries_refuse BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_entries_truncate BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER system_audit_entries_link BEFORE INSERT ON system_audit_entries FOR EACH ROW EXECUTE FUNCTION audit_link()",
    "CREATE OR REPLACE TRIGGER system_audit_entries_refuse BEFORE UPDATE OR DELETE ON system_audit_entries FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER system_audit_entries_truncate BEFORE TRUNCATE ON system_audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
]


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("work_fence")))
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index("uq_attempts_subject", "attempts", ["subject", "window_start"], unique=True)
    op.create_table(
        "releases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("target_path", sa.String(length=400), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('file')", name=op.f("ck_releases_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_releases_name_version")),
    )
    op.create_index(op.f("ix_releases_public_id"), "releases", ["public_id"], unique=False)
    op.create_table(
        "system_audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_audit_entries")),
    )
    op.create_index("uq_system_audit_entries_seq", "system_audit_entries", ["seq"], unique=True)
    op.create_table(
        "system_audit_heads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_audit_heads")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("prefix", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("priority_matrix", postgresql.JSONB(), nullable=True),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('client', 'own')", name=op.f("ck_tenants_kind")),
        sa.CheckConstraint("prefix ~ '^[A-Z][A-Z0-9]{1,5}$'", name=op.f("ck_tenants_prefix_form")),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,38}$'", name=op.f("ck_tenants_slug_form")),
        sa.CheckConstraint("state IN ('active', 'suspended', 'offboarded')", name=op.f("ck_tenants_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("prefix", name=op.f("uq_tenants_prefix")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_index(op.f("ix_tenants_public_id"), "tenants", ["public_id"], unique=False)
    op.create_index(
        "uq_tenants_own", "tenants", ["kind"], unique=True, postgresql_where=sa.text("kind = 'own'")
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_users_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index(op.f("ix_users_public_id"), "users", ["public_id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("permissions", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_on", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_tokens_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_public_id"), "api_tokens", ["public_id"], unique=False)
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_entries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
    )
    op.create_index("uq_audit_entries_seq", "audit_entries", ["tenant_id", "seq"], unique=True)
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_heads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_heads")),
    )
    op.create_index("uq_audit_heads_tenant", "audit_heads", ["tenant_id"], unique=True)
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("tenant_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("wishes", postgresql.JSONB(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=True),
        sa.Column("plan_sha256", sa.String(length=64), nullable=True),
        sa.Column("plan_version", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_cause", sa.Text(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("resume_asked_by", sa.String(length=120), nullable=True),
        sa.Column("resume_asked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("resume_reason", sa.Text(), nullable=True),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_eval_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "pause_cause IN ('operator', 'failure', 'inconclusive', 'global')",
            name=op.f("ck_campaigns_pause_cause"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'scheduled', 'running', 'paused', 'completing', 'completed', 'completed_with_failures', 'rejected', 'withdrawn', 'aborting', 'aborted')",
            name=op.f("ck_campaigns_state"),
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_campaigns_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(
        "ix_campaigns_next_eval_at",
        "campaigns",
        ["next_eval_at"],
        unique=False,
        postgresql_where=sa.text("next_eval_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_campaigns_public_id"), "campaigns", ["public_id"], unique=False)
    op.create_table(
        "contracts",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("monthly_fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_contracts_ends_after_start")
        ),
        sa.CheckConstraint("monthly_fee >= 0", name=op.f("ck_contracts_fee_not_negative")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contracts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contracts")),
    )
    op.create_index(op.f("ix_contracts_public_id"), "contracts", ["public_id"], unique=False)
    op.create_index("ix_contracts_tenant", "contracts", ["tenant_id", "starts_on"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("all_tenants", sa.Boolean(), nullable=False),
        sa.Column("granted_tenants", postgresql.JSONB(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("invited_by_id", sa.BigInteger(), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'dispatcher', 'l1', 'l2', 'l3', 'client_admin', 'client_user')",
            name=op.f("ck_invitations_role"),
        ),
        sa.ForeignKeyConstraint(["invited_by_id"], ["users.id"], name=op.f("fk_invitations_invited_by_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_public_id"), "invitations", ["public_id"], unique=False)
    op.create_index(
        "uq_invitations_open_email",
        "invitations",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('client_admin', 'client_user')", name=op.f("ck_memberships_role")),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_memberships_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_by_user", "memberships", ["user_id"], unique=False)
    op.create_index(op.f("ix_memberships_public_id"), "memberships", ["public_id"], unique=False)
    op.create_index("uq_memberships_user", "memberships", ["tenant_id", "user_id"], unique=True)
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("new_email", sa.String(length=254), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('password_reset', 'email_change', 'second_factor_reset')",
            name=op.f("ck_one_time_links_purpose"),
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name=op.f("fk_one_time_links_approved_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_links_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
    )
    op.create_index(op.f("ix_one_time_links_public_id"), "one_time_links", ["public_id"], unique=False)
    op.create_index(op.f("ix_one_time_links_user_id"), "one_time_links", ["user_id"], unique=False)
    op.create_table(
        "outgoing_mails",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'unknown')",
            name=op.f("ck_outgoing_mails_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outgoing_mails_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outgoing_mails")),
    )
    op.create_index(
        "ix_outgoing_mails_queued", "outgoing_mails", ["tenant_id", "queued_at", "id"], unique=False
    )
    op.create_index("uq_outgoing_mails_key", "outgoing_mails", ["tenant_id", "key"], unique=True)
    op.create_index(
        "uq_outgoing_mails_message_id", "outgoing_mails", ["tenant_id", "message_id"], unique=True
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"], unique=False)
    op.create_table(
        "release_artifacts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sha1", sa.String(length=40), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_release_artifacts_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_artifacts")),
        sa.UniqueConstraint("release_id", "filename", name=op.f("uq_release_artifacts_release_id_filename")),
    )
    op.create_table(
        "sign_in_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sign_in_sessions_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_sessions_public_id"), "sign_in_sessions", ["public_id"], unique=False)
    op.create_index(op.f("ix_sign_in_sessions_user_id"), "sign_in_sessions", ["user_id"], unique=False)
    op.create_table(
        "sites",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sites_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sites")),
    )
    op.create_index(op.f("ix_sites_public_id"), "sites", ["public_id"], unique=False)
    op.create_index("uq_sites_name", "sites", ["tenant_id", "name"], unique=True)
    op.create_table(
        "staff_grants",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("effect IN ('allow', 'deny')", name=op.f("ck_staff_grants_effect")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_staff_grants_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_staff_grants_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_staff_grants")),
    )
    op.create_index("ix_staff_grants_by_user", "staff_grants", ["user_id"], unique=False)
    op.create_index("uq_staff_grants_user", "staff_grants", ["tenant_id", "user_id"], unique=True)
    op.create_table(
        "staff_members",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("all_tenants", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'dispatcher', 'l1', 'l2', 'l3')", name=op.f("ck_staff_members_role")
        ),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_staff_members_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_staff_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("user_id", name=op.f("uq_staff_members_user_id")),
    )
    op.create_index(op.f("ix_staff_members_public_id"), "staff_members", ["public_id"], unique=False)
    op.create_table(
        "stored_files",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('stored', 'quarantined')", name=op.f("ck_stored_files_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_stored_files_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stored_files")),
    )
    op.create_index(op.f("ix_stored_files_public_id"), "stored_files", ["public_id"], unique=False)
    op.create_index("ix_stored_files_sha256", "stored_files", ["tenant_id", "sha256"], unique=False)
    op.create_table(
        "tenant_exports",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tables_done", sa.BigInteger(), nullable=False),
        sa.Column("tables_total", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'expired')",
            name=op.f("ck_tenant_exports_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tenant_exports_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_exports")),
    )
    op.create_index(
        "ix_tenant_exports_asked", "tenant_exports", ["tenant_id", "asked_at", "id"], unique=False
    )
    op.create_index(op.f("ix_tenant_exports_public_id"), "tenant_exports", ["public_id"], unique=False)
    op.create_index(
        "uq_tenant_exports_open",
        "tenant_exports",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "work",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('due', 'leased', 'done', 'dead')", name=op.f("ck_work_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_work_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_work")),
    )
    op.create_index(
        "ix_work_due",
        "work",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('due', 'leased')"),
    )
    op.create_index(
        "uq_work_waiting_key",
        "work",
        ["tenant_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("state = 'due' AND key IS NOT NULL"),
    )
    op.create_table(
        "assets",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("serial", sa.String(length=120), nullable=True),
        sa.Column("tags", postgresql.JSONB(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rev", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("controller_id", sa.String(length=256), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("boot_id", sa.String(length=80), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("facts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("installed_release", sa.String(length=200), nullable=True),
        sa.Column("trust_level", sa.Text(), nullable=False),
        sa.Column("software_digest", sa.LargeBinary(), nullable=True),
        sa.Column("software_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('server', 'workstation', 'network', 'printer', 'phone', 'other')",
            name=op.f("ck_assets_kind"),
        ),
        sa.CheckConstraint("state IN ('active', 'quarantined', 'retired')", name=op.f("ck_assets_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_assets_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_assets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets")),
    )
    op.create_index("ix_assets_name", "assets", ["tenant_id", "name", "id"], unique=False)
    op.create_index(op.f("ix_assets_public_id"), "assets", ["public_id"], unique=False)
    op.create_index(
        "ix_assets_reporting",
        "assets",
        ["tenant_id", "last_seen_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active' AND controller_id IS NOT NULL"),
    )
    op.create_index("uq_assets_controller", "assets", ["tenant_id", "controller_id"], unique=True)
    op.create_index(
        "uq_assets_serial",
        "assets",
        ["tenant_id", "serial"],
        unique=True,
        postgresql_where=sa.text("serial IS NOT NULL AND state <> 'retired'"),
    )
    op.create_table(
        "contract_versions",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("in_force_on", sa.Date(), nullable=False),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_id"],
            ["contracts.tenant_id", "contracts.id"],
            name=op.f("fk_contract_versions_tenant_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contract_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contract_versions")),
    )
    op.create_index(
        "ix_contract_versions_force", "contract_versions", ["tenant_id", "in_force_from"], unique=False
    )
    op.create_index(
        "uq_contract_versions_day",
        "contract_versions",
        ["tenant_id", "contract_id", "in_force_on"],
        unique=True,
    )
    op.create_index(
        "uq_contract_versions_number",
        "contract_versions",
        ["tenant_id", "contract_id", "number"],
        unique=True,
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_decisions_campaign_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_decisions_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_campaign", "decisions", ["campaign_id", "id"], unique=False)
    op.create_table(
        "idempotent_answers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_tokens.id"], name=op.f("fk_idempotent_answers_token_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotent_answers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_answers")),
    )
    op.create_index("ix_idempotent_answers_created", "idempotent_answers", ["created_at"], unique=False)
    op.create_index("uq_idempotent_answers_key", "idempotent_answers", ["token_id", "key"], unique=True)
    op.create_table(
        "waves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("gate", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_waves_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
        sa.UniqueConstraint("campaign_id", "ordinal", name=op.f("uq_waves_campaign_id_ordinal")),
    )
    op.create_table(
        "agent_credentials",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("controller_id", sa.String(length=256), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("slot IN (1, 2)", name=op.f("ck_agent_credentials_slot")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_agent_credentials_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_agent_credentials_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agent_credentials")),
    )
    op.create_index(
        op.f("ix_agent_credentials_token_hash"), "agent_credentials", ["token_hash"], unique=False
    )
    op.create_index(
        "uq_agent_credentials_slot",
        "agent_credentials",
        ["tenant_id", "asset_id", "slot"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "campaign_members",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_members_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_campaign_members_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_campaign_members_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_campaign_members")),
    )
    op.create_index(
        "uq_campaign_members_asset", "campaign_members", ["tenant_id", "campaign_id", "asset_id"], unique=True
    )
    op.create_table(
        "enrolment_tokens",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("controller_id", sa.String(length=256), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "expires_at <= created_at + interval '1 hour'", name=op.f("ck_enrolment_tokens_within_the_hour")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_enrolment_tokens_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_enrolment_tokens_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_enrolment_tokens")),
    )
    op.create_index(op.f("ix_enrolment_tokens_public_id"), "enrolment_tokens", ["public_id"], unique=False)
    op.create_index(op.f("ix_enrolment_tokens_token_hash"), "enrolment_tokens", ["token_hash"], unique=False)
    op.create_table(
        "installed_software",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("architecture", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_installed_software_tenant_id_asset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_installed_software_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_installed_software")),
    )
    op.create_index(
        "ix_installed_software_name", "installed_software", ["tenant_id", "name", "version"], unique=False
    )
    op.create_index(
        "uq_installed_software",
        "installed_software",
        ["tenant_id", "asset_id", "name", "architecture"],
        unique=True,
    )
    op.create_table(
        "tickets",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("waiting_reason", sa.Text(), nullable=True),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("priority_overridden", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("assignee_user_id", sa.BigInteger(), nullable=True),
        sa.Column("assignee_name", sa.String(length=120), nullable=True),
        sa.Column("requester_user_id", sa.BigInteger(), nullable=True),
        sa.Column("requester_name", sa.String(length=120), nullable=False),
        sa.Column("requester_email", sa.String(length=254), nullable=True),
        sa.Column("asset_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_number", sa.String(length=80), nullable=True),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.Column("contract_version_id", sa.BigInteger(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_due_kind", sa.String(length=20), nullable=True),
        sa.Column("sla_state", sa.String(length=20), nullable=True),
        sa.Column("sla_paused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "is_open",
            sa.Boolean(),
            sa.Computed("state IN ('new', 'in_progress', 'waiting')", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "is_over",
            sa.Boolean(),
            sa.Computed("state IN ('closed', 'cancelled')", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "queue_at",
            sa.DateTime(timezone=True),
            sa.Computed(
                "COALESCE(next_due_at, '9999-12-31 00:00:00+00'::timestamp with time zone)", persisted=True
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (waiting_reason IS NOT NULL)", name=op.f("ck_tickets_waiting_has_a_reason")
        ),
        sa.CheckConstraint("impact IN ('high', 'medium', 'low')", name=op.f("ck_tickets_impact")),
        sa.CheckConstraint(
            "kind IN ('incident', 'request', 'problem', 'change')", name=op.f("ck_tickets_kind")
        ),
        sa.CheckConstraint("priority IN ('P1', 'P2', 'P3', 'P4')", name=op.f("ck_tickets_priority")),
        sa.CheckConstraint(
            "source IN ('portal', 'phone', 'api', 'import', 'mail')", name=op.f("ck_tickets_source")
        ),
        sa.CheckConstraint(
            "state IN ('new', 'in_progress', 'waiting', 'resolved', 'closed', 'cancelled')",
            name=op.f("ck_tickets_state"),
        ),
        sa.CheckConstraint("tier IN ('L1', 'L2', 'L3', 'vendor')", name=op.f("ck_tickets_tier")),
        sa.CheckConstraint("urgency IN ('high', 'medium', 'low')", name=op.f("ck_tickets_urgency")),
        sa.CheckConstraint(
            "waiting_reason IN ('requester', 'vendor', 'part', 'visit', 'change')",
            name=op.f("ck_tickets_waiting_reason"),
        ),
        sa.ForeignKeyConstraint(["assignee_user_id"], ["users.id"], name=op.f("fk_tickets_assignee_user_id")),
        sa.ForeignKeyConstraint(
            ["requester_user_id"], ["users.id"], name=op.f("fk_tickets_requester_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_tickets_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_tickets_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tickets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tickets")),
    )
    op.create_index(
        "ix_tickets_asset",
        "tickets",
        ["tenant_id", "asset_id", "opened_at"],
        unique=False,
        postgresql_where=sa.text("asset_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tickets_assignee",
        "tickets",
        ["tenant_id", "assignee_user_id", "queue_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_open"),
    )
    op.create_index(
        "ix_tickets_open",
        "tickets",
        ["tenant_id", "queue_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix_tickets_opened", "tickets", ["tenant_id", "opened_at", "id"], unique=False)
    op.create_index(
        "ix_tickets_queue", "tickets", ["queue_at", "id"], unique=False, postgresql_where=sa.text("is_open")
    )
    op.create_index(
        "ix_tickets_requester", "tickets", ["tenant_id", "requester_user_id", "opened_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickets_underway",
        "tickets",
        ["tenant_id", "opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("NOT is_over"),
    )
    op.create_index("uq_tickets_code", "tickets", ["tenant_id", "code"], unique=True)
    op.create_index("uq_tickets_external", "tickets", ["tenant_id", "source", "external_number"], unique=True)
    op.create_index("uq_tickets_request_key", "tickets", ["tenant_id", "request_key"], unique=True)
    op.create_table(
        "wave_lanes",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("wave_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("release_name", sa.String(length=80), nullable=False),
        sa.Column("release_version", sa.String(length=80), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("soak_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("member_count", sa.BigInteger(), nullable=False),
        sa.Column("is_waived", sa.Boolean(), nullable=False),
        sa.Column("timing", postgresql.JSONB(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'waiting', 'open', 'soaking', 'passed', 'failed', 'inconclusive', 'skipped')",
            name=op.f("ck_wave_lanes_state"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_wave_lanes_campaign_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_wave_lanes_tenant_id")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_wave_lanes_wave_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_wave_lanes")),
    )
    op.create_index(op.f("ix_wave_lanes_public_id"), "wave_lanes", ["public_id"], unique=False)
    op.create_index("uq_wave_lanes_wave", "wave_lanes", ["tenant_id", "campaign_id", "ordinal"], unique=True)
    op.create_table(
        "actions",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("lane_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("phase_before", sa.Text(), nullable=True),
        sa.Column("sub_state", sa.String(length=40), nullable=True),
        sa.Column("reason_code", sa.String(length=60), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("is_ambiguous", sa.Boolean(), nullable=False),
        sa.Column("has_late_failure", sa.Boolean(), nullable=False),
        sa.Column("cannot_stop", sa.Boolean(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("deferrals", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retrieved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hard_deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(phase = 'closed') = (outcome IS NOT NULL)", name=op.f("ck_actions_closed_with_outcome")
        ),
        sa.CheckConstraint(
            "outcome IN ('success', 'noop', 'failed', 'timeout', 'rejected', 'cancelled', 'skipped', 'superseded', 'unreachable', 'indeterminate')",
            name=op.f("ck_actions_outcome"),
        ),
        sa.CheckConstraint(
            "phase IN ('planned', 'eligible', 'offered', 'running', 'rebooting', 'verifying', 'cancelling', 'closed')",
            name=op.f("ck_actions_phase"),
        ),
        sa.CheckConstraint("id < 2147483648", name=op.f("ck_actions_id_of_31_bits")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_actions_campaign_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_actions_release_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_actions_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lane_id"],
            ["wave_lanes.tenant_id", "wave_lanes.id"],
            name=op.f("fk_actions_tenant_id_lane_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_actions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_actions")),
    )
    op.create_index("ix_actions_lane", "actions", ["tenant_id", "lane_id", "id"], unique=False)
    op.create_index(
        "ix_actions_waiting",
        "actions",
        ["tenant_id", "asset_id", "id"],
        unique=False,
        postgresql_where=sa.text(
            "phase IN ('eligible', 'offered', 'running', 'rebooting', 'verifying', 'cancelling')"
        ),
    )
    op.create_index(
        "uq_actions_attempt", "actions", ["tenant_id", "campaign_id", "asset_id", "attempt"], unique=True
    )
    op.create_index(
        "uq_actions_open_asset",
        "actions",
        ["tenant_id", "asset_id"],
        unique=True,
        postgresql_where=sa.text("phase IN ('offered', 'running', 'rebooting', 'verifying', 'cancelling')"),
    )
    op.create_table(
        "hand_overs",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("from_tier", sa.Text(), nullable=False),
        sa.Column("to_tier", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("symptoms", sa.Text(), nullable=False),
        sa.Column("tried", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("suspected_cause", sa.Text(), nullable=False),
        sa.Column("told_requester", sa.Text(), nullable=False),
        sa.Column("made_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by_name", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("held_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("return_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("from_tier IN ('L1', 'L2', 'L3', 'vendor')", name=op.f("ck_hand_overs_from_tier")),
        sa.CheckConstraint("state IN ('pending', 'accepted', 'returned')", name=op.f("ck_hand_overs_state")),
        sa.CheckConstraint("to_tier IN ('L1', 'L2', 'L3', 'vendor')", name=op.f("ck_hand_overs_to_tier")),
        sa.ForeignKeyConstraint(
            ["held_by_user_id"], ["users.id"], name=op.f("fk_hand_overs_held_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_user_id"], ["users.id"], name=op.f("fk_hand_overs_made_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_hand_overs_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_hand_overs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_hand_overs")),
    )
    op.create_index("ix_hand_overs_ticket", "hand_overs", ["tenant_id", "ticket_id", "id"], unique=False)
    op.create_index(
        "uq_hand_overs_pending",
        "hand_overs",
        ["tenant_id", "ticket_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "imported_rows",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_imported_rows_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_imported_rows_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_imported_rows")),
    )
    op.create_index("ix_imported_rows_ticket", "imported_rows", ["tenant_id", "ticket_id"], unique=False)
    op.create_index(
        "uq_imported_rows", "imported_rows", ["tenant_id", "source", "number", "sequence"], unique=True
    )
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("author_user_id", sa.BigInteger(), nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("spoke_with_caller", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "author_kind IN ('staff', 'requester', 'auto')", name=op.f("ck_messages_author_kind")
        ),
        sa.CheckConstraint("kind IN ('public', 'internal')", name=op.f("ck_messages_kind")),
        sa.ForeignKeyConstraint(["author_user_id"], ["users.id"], name=op.f("fk_messages_author_user_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_messages_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_messages_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_ticket", "messages", ["tenant_id", "ticket_id", "id"], unique=False)
    op.create_index("uq_messages_request_key", "messages", ["tenant_id", "request_key"], unique=True)
    op.create_table(
        "ticket_timers",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_version_id", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("target_seconds", sa.BigInteger(), nullable=False),
        sa.Column("target_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "cause IN ('time_ran_out', 'reprioritised', 'terms_applied', 'reopened')",
            name=op.f("ck_ticket_timers_cause"),
        ),
        sa.CheckConstraint(
            "clock IN ('response', 'update', 'resolution')", name=op.f("ck_ticket_timers_clock")
        ),
        sa.CheckConstraint(
            "state IN ('not_applicable', 'running', 'paused', 'outside_hours', 'met', 'missed')",
            name=op.f("ck_ticket_timers_state"),
        ),
        sa.CheckConstraint("target_seconds > 0", name=op.f("ck_ticket_timers_target_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_version_id"],
            ["contract_versions.tenant_id", "contract_versions.id"],
            name=op.f("fk_ticket_timers_tenant_id_contract_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ticket_timers_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_timers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket_timers")),
    )
    op.create_index(
        "ix_ticket_timers_look",
        "ticket_timers",
        ["look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(
        "uq_ticket_timers", "ticket_timers", ["tenant_id", "ticket_id", "clock", "cycle"], unique=True
    )
    op.create_table(
        "timer_marks",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("target_version", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "clock IN ('response', 'update', 'resolution')", name=op.f("ck_timer_marks_clock")
        ),
        sa.CheckConstraint("mark IN ('warning', 'met', 'missed')", name=op.f("ck_timer_marks_mark")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_timer_marks_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_timer_marks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timer_marks")),
    )
    op.create_index(
        "ix_timer_marks_month",
        "timer_marks",
        ["tenant_id", "at"],
        unique=False,
        postgresql_where=sa.text("mark <> 'warning'"),
    )
    op.create_index(
        "uq_timer_marks_decision",
        "timer_marks",
        ["tenant_id", "ticket_id", "clock", "cycle", "mark", "at"],
        unique=True,
        postgresql_where=sa.text("mark <> 'warning'"),
    )
    op.create_index(
        "uq_timer_marks_warning",
        "timer_marks",
        ["tenant_id", "ticket_id", "clock", "cycle", "target_version", "percent"],
        unique=True,
        postgresql_where=sa.text("mark = 'warning'"),
    )
    op.create_table(
        "action_events",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("execution", sa.String(length=40), nullable=True),
        sa.Column("finished", sa.String(length=40), nullable=True),
        sa.Column("code", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_time", sa.String(length=60), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("is_terminal", sa.Boolean(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.CheckConstraint("source IN ('device', 'portal', 'person')", name=op.f("ck_action_events_source")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name=op.f("fk_action_events_tenant_id_action_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_action_events_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_action_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_action_events")),
    )
    op.create_index(
        "ix_action_events_action", "action_events", ["tenant_id", "action_id", "id"], unique=False
    )
    op.create_index(
        "uq_action_events_terminal",
        "action_events",
        ["tenant_id", "action_id", "digest"],
        unique=True,
        postgresql_where=sa.text("is_terminal"),
    )
    op.create_table(
        "attachments",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_attachments_tenant_id_file_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_attachments_tenant_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_attachments_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_attachments_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_file", "attachments", ["tenant_id", "file_id"], unique=False)
    op.create_index("ix_attachments_ticket", "attachments", ["tenant_id", "ticket_id"], unique=False)
    op.create_table(
        "ticket_events",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('staff', 'requester', 'system')", name=op.f("ck_ticket_events_actor_kind")
        ),
        sa.CheckConstraint(
            "kind IN ('opened', 'message_added', 'state_changed', 'reprioritised', 'assigned', 'hand_over_made', 'hand_over_accepted', 'hand_over_returned', 'resolved', 'reopened', 'closed', 'cancelled')",
            name=op.f("ck_ticket_events_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_ticket_events_tenant_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ticket_events_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket_events")),
    )
    op.create_index("uq_ticket_events_seq", "ticket_events", ["tenant_id", "ticket_id", "seq"], unique=True)
    for statement in (LINK_FUNCTION, REFUSE_FUNCTION, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("uq_ticket_events_seq", table_name="ticket_events")
    op.drop_table("ticket_events")
    op.drop_index("ix_attachments_ticket", table_name="attachments")
    op.drop_index("ix_attachments_file", table_name="attachments")
    op.drop_table("attachments")
    op.drop_index(
        "uq_action_events_terminal", table_name="action_events", postgresql_where=sa.text("is_terminal")
    )
    op.drop_index("ix_action_events_action", table_name="action_events")
    op.drop_table("action_events")
    op.drop_index(
        "uq_timer_marks_warning", table_name="timer_marks", postgresql_where=sa.text("mark = 'warning'")
    )
    op.drop_index(
        "uq_timer_marks_decision", table_name="timer_marks", postgresql_where=sa.text("mark <> 'warning'")
    )
    op.drop_index(
        "ix_timer_marks_month", table_name="timer_marks", postgresql_where=sa.text("mark <> 'warning'")
    )
    op.drop_table("timer_marks")
    op.drop_index("uq_ticket_timers", table_name="ticket_timers")
    op.drop_index(
        "ix_ticket_timers_look", table_name="ticket_timers", postgresql_where=sa.text("look_at IS NOT NULL")
    )
    op.drop_table("ticket_timers")
    op.drop_index("uq_messages_request_key", table_name="messages")
    op.drop_index("ix_messages_ticket", table_name="messages")
    op.drop_table("messages")
    op.drop_index("uq_imported_rows", table_name="imported_rows")
    op.drop_index("ix_imported_rows_ticket", table_name="imported_rows")
    op.drop_table("imported_rows")
    op.drop_index(
        "uq_hand_overs_pending", table_name="hand_overs", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_index("ix_hand_overs_ticket", table_name="hand_overs")
    op.drop_table("hand_overs")
    op.drop_index(
        "uq_actions_open_asset",
        table_name="actions",
        postgresql_where=sa.text("phase IN ('offered', 'running', 'rebooting', 'verifying', 'cancelling')"),
    )
    op.drop_index("uq_actions_attempt", table_name="actions")
    op.drop_index(
        "ix_actions_waiting",
        table_name="actions",
        postgresql_where=sa.text(
            "phase IN ('eligible', 'offered', 'running', 'rebooting', 'verifying', 'cancelling')"
        ),
    )
    op.drop_index("ix_actions_lane", table_name="actions")
    op.drop_table("actions")
    op.drop_index("uq_wave_lanes_wave", table_name="wave_lanes")
    op.drop_index(op.f("ix_wave_lanes_public_id"), table_name="wave_lanes")
    op.drop_table("wave_lanes")
    op.drop_index("uq_tickets_request_key", table_name="tickets")
    op.drop_index("uq_tickets_external", table_name="tickets")
    op.drop_index("uq_tickets_code", table_name="tickets")
    op.drop_index("ix_tickets_underway", table_name="tickets", postgresql_where=sa.text("NOT is_over"))
    op.drop_index("ix_tickets_requester", table_name="tickets")
    op.drop_index("ix_tickets_queue", table_name="tickets", postgresql_where=sa.text("is_open"))
    op.drop_index("ix_tickets_opened", table_name="tickets")
    op.drop_index("ix_tickets_open", table_name="tickets", postgresql_where=sa.text("is_open"))
    op.drop_index("ix_tickets_assignee", table_name="tickets", postgresql_where=sa.text("is_open"))
    op.drop_index("ix_tickets_asset", table_name="tickets", postgresql_where=sa.text("asset_id IS NOT NULL"))
    op.drop_table("tickets")
    op.drop_index("uq_installed_software", table_name="installed_software")
    op.drop_index("ix_installed_software_name", table_name="installed_software")
    op.drop_table("installed_software")
    op.drop_index(op.f("ix_enrolment_tokens_token_hash"), table_name="enrolment_tokens")
    op.drop_index(op.f("ix_enrolment_tokens_public_id"), table_name="enrolment_tokens")
    op.drop_table("enrolment_tokens")
    op.drop_index("uq_campaign_members_asset", table_name="campaign_members")
    op.drop_table("campaign_members")
    op.drop_index(
        "uq_agent_credentials_slot",
        table_name="agent_credentials",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_index(op.f("ix_agent_credentials_token_hash"), table_name="agent_credentials")
    op.drop_table("agent_credentials")
    op.drop_table("waves")
    op.drop_index("uq_idempotent_answers_key", table_name="idempotent_answers")
    op.drop_index("ix_idempotent_answers_created", table_name="idempotent_answers")
    op.drop_table("idempotent_answers")
    op.drop_index("ix_decisions_campaign", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("uq_contract_versions_number", table_name="contract_versions")
    op.drop_index("uq_contract_versions_day", table_name="contract_versions")
    op.drop_index("ix_contract_versions_force", table_name="contract_versions")
    op.drop_table("contract_versions")
    op.drop_index(
        "uq_assets_serial",
        table_name="assets",
        postgresql_where=sa.text("serial IS NOT NULL AND state <> 'retired'"),
    )
    op.drop_index("uq_assets_controller", table_name="assets")
    op.drop_index(
        "ix_assets_reporting",
        table_name="assets",
        postgresql_where=sa.text("state = 'active' AND controller_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_assets_public_id"), table_name="assets")
    op.drop_index("ix_assets_name", table_name="assets")
    op.drop_table("assets")
    op.drop_index(
        "uq_work_waiting_key",
        table_name="work",
        postgresql_where=sa.text("state = 'due' AND key IS NOT NULL"),
    )
    op.drop_index("ix_work_due", table_name="work", postgresql_where=sa.text("state IN ('due', 'leased')"))
    op.drop_table("work")
    op.drop_index(
        "uq_tenant_exports_open",
        table_name="tenant_exports",
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.drop_index(op.f("ix_tenant_exports_public_id"), table_name="tenant_exports")
    op.drop_index("ix_tenant_exports_asked", table_name="tenant_exports")
    op.drop_table("tenant_exports")
    op.drop_index("ix_stored_files_sha256", table_name="stored_files")
    op.drop_index(op.f("ix_stored_files_public_id"), table_name="stored_files")
    op.drop_table("stored_files")
    op.drop_index(op.f("ix_staff_members_public_id"), table_name="staff_members")
    op.drop_table("staff_members")
    op.drop_index("uq_staff_grants_user", table_name="staff_grants")
    op.drop_index("ix_staff_grants_by_user", table_name="staff_grants")
    op.drop_table("staff_grants")
    op.drop_index("uq_sites_name", table_name="sites")
    op.drop_index(op.f("ix_sites_public_id"), table_name="sites")
    op.drop_table("sites")
    op.drop_index(op.f("ix_sign_in_sessions_user_id"), table_name="sign_in_sessions")
    op.drop_index(op.f("ix_sign_in_sessions_public_id"), table_name="sign_in_sessions")
    op.drop_table("sign_in_sessions")
    op.drop_table("release_artifacts")
    op.drop_index(op.f("ix_recovery_codes_user_id"), table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index("uq_outgoing_mails_message_id", table_name="outgoing_mails")
    op.drop_index("uq_outgoing_mails_key", table_name="outgoing_mails")
    op.drop_index("ix_outgoing_mails_queued", table_name="outgoing_mails")
    op.drop_table("outgoing_mails")
    op.drop_index(op.f("ix_one_time_links_user_id"), table_name="one_time_links")
    op.drop_index(op.f("ix_one_time_links_public_id"), table_name="one_time_links")
    op.drop_table("one_time_links")
    op.drop_index("uq_memberships_user", table_name="memberships")
    op.drop_index(op.f("ix_memberships_public_id"), table_name="memberships")
    op.drop_index("ix_memberships_by_user", table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(
        "uq_invitations_open_email",
        table_name="invitations",
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.drop_index(op.f("ix_invitations_public_id"), table_name="invitations")
    op.drop_table("invitations")
    op.drop_index("ix_contracts_tenant", table_name="contracts")
    op.drop_index(op.f("ix_contracts_public_id"), table_name="contracts")
    op.drop_table("contracts")
    op.drop_index(op.f("ix_campaigns_public_id"), table_name="campaigns")
    op.drop_index(
        "ix_campaigns_next_eval_at",
        table_name="campaigns",
        postgresql_where=sa.text("next_eval_at IS NOT NULL"),
    )
    op.drop_table("campaigns")
    op.drop_index("uq_audit_heads_tenant", table_name="audit_heads")
    op.drop_table("audit_heads")
    op.drop_index("uq_audit_entries_seq", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    op.drop_index(op.f("ix_api_tokens_public_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_index(op.f("ix_users_public_id"), table_name="users")
    op.drop_table("users")
    op.drop_index("uq_tenants_own", table_name="tenants", postgresql_where=sa.text("kind = 'own'"))
    op.drop_index(op.f("ix_tenants_public_id"), table_name="tenants")
    op.drop_table("tenants")
    op.drop_table("system_audit_heads")
    op.drop_index("uq_system_audit_entries_seq", table_name="system_audit_entries")
    op.drop_table("system_audit_entries")
    op.drop_index(op.f("ix_releases_public_id"), table_name="releases")
    op.drop_table("releases")
    op.drop_index("uq_attempts_subject", table_name="attempts")
    op.drop_table("attempts")
    op.execute(DropSequence(sa.Sequence("work_fence")))
    op.execute("DROP FUNCTION audit_link(), audit_refuse()")
