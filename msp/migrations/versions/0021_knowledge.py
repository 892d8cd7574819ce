"""Articles with versions and editions, searches without an answer, links, and runbooks under way."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_articles()
    _create_article_versions()
    _create_article_editions()
    _create_article_days()
    _create_article_votes()
    _create_article_misses()
    _create_article_assets()
    _create_article_tickets()
    _create_runbook_runs()
    _create_runbook_steps()


def _create_articles() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("tenant_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title_id", sa.String(length=160), nullable=False),
        sa.Column("title_en", sa.String(length=160), nullable=False),
        sa.Column("version_number", sa.BigInteger(), nullable=False),
        sa.Column("published_number", sa.BigInteger(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(audience = 'tier') = (tier IS NOT NULL)", name=op.f("ck_articles_tier_where_it_is_for_one")
        ),
        sa.CheckConstraint(
            "audience IN ('public', 'clients', 'chosen', 'staff', 'tier')", name=op.f("ck_articles_audience")
        ),
        sa.CheckConstraint("kind IN ('article', 'known_error', 'runbook')", name=op.f("ck_articles_kind")),
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name=op.f("ck_articles_state")),
        sa.CheckConstraint("tier IN ('L1', 'L2', 'L3')", name=op.f("ck_articles_tier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("slug", name=op.f("uq_articles_slug")),
    )
    op.create_index("ix_articles_changed", "articles", ["changed_at", "id"], unique=False)
    op.create_index(op.f("ix_articles_public_id"), "articles", ["public_id"], unique=False)


def _create_article_versions() -> None:
    op.create_table(
        "article_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("what_changed", sa.String(length=200), nullable=False),
        sa.Column("written_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("written_by_name", sa.String(length=120), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_versions_article_id")),
        sa.ForeignKeyConstraint(
            ["written_by_user_id"], ["users.id"], name=op.f("fk_article_versions_written_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_versions")),
        sa.UniqueConstraint("article_id", "number", name=op.f("uq_article_versions_article_id_number")),
    )


def _create_article_editions() -> None:
    op.create_table(
        "article_editions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("tenant_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("symptom", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("workaround", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version_number", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('simple'::regconfig, title), 'A') || setweight(to_tsvector(CASE language WHEN 'id' THEN 'indonesian'::regconfig ELSE 'english'::regconfig END, title), 'A') || setweight(to_tsvector('simple'::regconfig, symptom || ' ' || workaround), 'B') || setweight(to_tsvector(CASE language WHEN 'id' THEN 'indonesian'::regconfig ELSE 'english'::regconfig END, symptom || ' ' || workaround), 'B') || setweight(to_tsvector('simple'::regconfig, cause || ' ' || body), 'D') || setweight(to_tsvector(CASE language WHEN 'id' THEN 'indonesian'::regconfig ELSE 'english'::regconfig END, cause || ' ' || body), 'D')",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "audience IN ('public', 'clients', 'chosen', 'staff', 'tier')",
            name=op.f("ck_article_editions_audience"),
        ),
        sa.CheckConstraint(
            "kind IN ('article', 'known_error', 'runbook')", name=op.f("ck_article_editions_kind")
        ),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_article_editions_language")),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_editions_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_editions")),
        sa.UniqueConstraint("article_id", "language", name=op.f("uq_article_editions_article_id_language")),
    )
    op.create_index("ix_article_editions_slug", "article_editions", ["slug"], unique=False)


def _create_article_days() -> None:
    op.create_table(
        "article_days",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("deflected", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_days_article_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_article_days_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_article_days")),
    )
    op.create_index("uq_article_days", "article_days", ["tenant_id", "article_id", "day"], unique=True)


def _create_article_votes() -> None:
    op.create_table(
        "article_votes",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_votes_article_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_article_votes_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_article_votes_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_article_votes")),
    )
    op.create_index("uq_article_votes", "article_votes", ["tenant_id", "article_id", "user_id"], unique=True)


def _create_article_misses() -> None:
    op.create_table(
        "article_misses",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("phrase", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_article_misses_language")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_article_misses_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_article_misses")),
    )
    op.create_index("ix_article_misses_last", "article_misses", ["last_at"], unique=False)
    op.create_index("uq_article_misses", "article_misses", ["tenant_id", "phrase", "language"], unique=True)


def _create_article_assets() -> None:
    op.create_table(
        "article_assets",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("tied_by_name", sa.String(length=120), nullable=False),
        sa.Column("tied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_assets_article_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_article_assets_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_article_assets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_article_assets")),
    )
    op.create_index("ix_article_assets_article", "article_assets", ["tenant_id", "article_id"], unique=False)
    op.create_index(
        "uq_article_assets", "article_assets", ["tenant_id", "asset_id", "article_id"], unique=True
    )


def _create_article_tickets() -> None:
    op.create_table(
        "article_tickets",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("linked_by_name", sa.String(length=120), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("how IN ('drafted', 'used', 'problem')", name=op.f("ck_article_tickets_how")),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_tickets_article_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_article_tickets_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_article_tickets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_article_tickets")),
    )
    op.create_index(
        "ix_article_tickets_article", "article_tickets", ["tenant_id", "article_id", "id"], unique=False
    )
    op.create_index(
        "uq_article_tickets", "article_tickets", ["tenant_id", "ticket_id", "article_id", "how"], unique=True
    )


def _create_runbook_runs() -> None:
    op.create_table(
        "runbook_runs",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("version_number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("started_by_name", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_runbook_runs_article_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_runbook_runs_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_runbook_runs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_runbook_runs")),
    )
    op.create_index("ix_runbook_runs_article", "runbook_runs", ["tenant_id", "article_id"], unique=False)
    op.create_index(op.f("ix_runbook_runs_public_id"), "runbook_runs", ["public_id"], unique=False)
    op.create_index("ix_runbook_runs_ticket", "runbook_runs", ["tenant_id", "ticket_id", "id"], unique=False)


def _create_runbook_steps() -> None:
    op.create_table(
        "runbook_steps",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("check_name", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_name", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "check_name IN ('', 'state:in_progress', 'state:waiting', 'state:resolved', 'state:closed', 'requester_told', 'hand_over_made', 'hand_over_accepted', 'vendor_asked', 'vendor_answered', 'remote_session_ended', 'visit_done', 'asset_seen')",
            name=op.f("ck_runbook_steps_check_name"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["runbook_runs.tenant_id", "runbook_runs.id"],
            name=op.f("fk_runbook_steps_tenant_id_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_runbook_steps_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_runbook_steps_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_runbook_steps")),
    )
    op.create_index(
        "ix_runbook_steps_assets",
        "runbook_steps",
        ["check_name"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND check_name = 'asset_seen'"),
    )
    op.create_index(
        "ix_runbook_steps_waiting",
        "runbook_steps",
        ["tenant_id", "ticket_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND check_name <> ''"),
    )
    op.create_index("uq_runbook_steps", "runbook_steps", ["tenant_id", "run_id", "place"], unique=True)


def downgrade() -> None:
    for table in (
        "runbook_steps",
        "runbook_runs",
        "article_tickets",
        "article_assets",
        "article_misses",
        "article_votes",
        "article_days",
        "article_editions",
        "article_versions",
        "articles",
    ):
        op.drop_table(table)
