"""Plans of recurring maintenance, policies that propose campaigns, and links to calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_BECOMES = "becomes IN ('request', 'change', 'visit')"


def upgrade() -> None:
    _create_plans()
    _create_occurrences()
    _create_policies()
    _create_feeds()


def _create_plans() -> None:
    op.create_table(
        "maintenance_plans",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        *_rule(),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("checklist", postgresql.JSONB(), nullable=False),
        sa.Column("becomes", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("user_name", sa.String(120), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        *_cursor(),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        *_made(),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.CheckConstraint(_BECOMES, name=op.f("ck_maintenance_plans_becomes")),
        sa.CheckConstraint("tier IN ('L1', 'L2', 'L3')", name=op.f("ck_maintenance_plans_tier")),
        sa.CheckConstraint(
            "minutes BETWEEN 1 AND 10080", name=op.f("ck_maintenance_plans_minutes_of_at_most_a_week")
        ),
        sa.CheckConstraint(
            "lead_days BETWEEN 0 AND 60", name=op.f("ck_maintenance_plans_lead_of_at_most_two_months")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_maintenance_plans_user_id")),
        _within("maintenance_plans", "sites", "site_id"),
        *_of_a_tenant("maintenance_plans"),
    )
    op.create_index(op.f("ix_maintenance_plans_public_id"), "maintenance_plans", ["public_id"])
    op.create_index("ix_maintenance_plans_tenant", "maintenance_plans", ["tenant_id", "ended_at"])
    _index_due("maintenance_plans")
    op.create_table(
        "maintenance_plan_assets",
        *_own(),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        _within("maintenance_plan_assets", "maintenance_plans", "plan_id", ondelete="CASCADE"),
        _within("maintenance_plan_assets", "assets", "asset_id"),
        *_of_a_tenant("maintenance_plan_assets"),
    )
    op.create_index(
        "uq_maintenance_plan_assets",
        "maintenance_plan_assets",
        ["tenant_id", "plan_id", "asset_id"],
        unique=True,
    )


def _create_occurrences() -> None:
    op.create_table(
        "maintenance_occurrences",
        *_own(),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("occurs_on", sa.Date(), nullable=False),
        sa.Column("begins_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("becomes", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.CheckConstraint(_BECOMES, name=op.f("ck_maintenance_occurrences_becomes")),
        sa.CheckConstraint("state IN ('opened', 'missed')", name=op.f("ck_maintenance_occurrences_state")),
        _within("maintenance_occurrences", "maintenance_plans", "plan_id"),
        _within("maintenance_occurrences", "tickets", "ticket_id"),
        *_of_a_tenant("maintenance_occurrences"),
    )
    op.create_index(
        "uq_maintenance_occurrences",
        "maintenance_occurrences",
        ["tenant_id", "plan_id", "occurs_on"],
        unique=True,
    )
    op.create_index(
        "ix_maintenance_occurrences_begins", "maintenance_occurrences", ["tenant_id", "begins_at"]
    )


def _create_policies() -> None:
    op.create_table(
        "patch_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("tenant_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("asset_kind", sa.String(20), nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("least_age_days", sa.Integer(), nullable=False),
        *_rule(),
        *_cursor(),
        *_made(),
        sa.CheckConstraint(
            "severity IN ('low', 'medium', 'high', 'critical')", name=op.f("ck_patch_policies_severity")
        ),
        sa.CheckConstraint(
            "least_age_days BETWEEN 0 AND 365", name=op.f("ck_patch_policies_least_age_of_at_most_a_year")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patch_policies")),
    )
    op.create_index(op.f("ix_patch_policies_public_id"), "patch_policies", ["public_id"])
    _index_due("patch_policies")
    op.create_table(
        "patch_proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("occurs_on", sa.Date(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("asset_count", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [parent], name=op.f(f"fk_patch_proposals_{column}"))
            for column, parent in (
                ("policy_id", "patch_policies.id"),
                ("release_id", "releases.id"),
                ("campaign_id", "campaigns.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patch_proposals")),
        sa.UniqueConstraint(
            "policy_id",
            "release_id",
            "occurs_on",
            name=op.f("uq_patch_proposals_policy_id_release_id_occurs_on"),
        ),
    )


def _create_feeds() -> None:
    op.create_table(
        "calendar_feeds",
        *_own(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_feeds_user_id")),
        *_of_a_tenant("calendar_feeds"),
    )
    op.create_index(op.f("ix_calendar_feeds_token_hash"), "calendar_feeds", ["token_hash"])
    op.create_index(
        "uq_calendar_feeds_live",
        "calendar_feeds",
        ["tenant_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def _rule() -> list[sa.Column]:
    return [
        sa.Column("rule", sa.String(300), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.String(5), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
    ]


def _cursor() -> list[sa.Column]:
    return [
        sa.Column("look_at", _MOMENT, nullable=True),
        sa.Column("settled_until", _MOMENT, nullable=False),
    ]


def _made() -> list[sa.Column]:
    return [
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("paused_at", _MOMENT, nullable=True),
    ]


def _index_due(table: str) -> None:
    op.create_index(f"ix_{table}_due", table, ["look_at"], postgresql_where=sa.text("look_at IS NOT NULL"))


def _own() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _within(table: str, parent: str, column: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        **options,
    )


def _of_a_tenant(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def downgrade() -> None:
    for table in (
        "calendar_feeds",
        "patch_proposals",
        "patch_policies",
        "maintenance_occurrences",
        "maintenance_plan_assets",
        "maintenance_plans",
    ):
        op.drop_table(table)
