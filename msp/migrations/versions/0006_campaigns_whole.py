"""Campaigns with consent, windows, limits, retries and rollbacks; releases of packages and scripts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_RELEASE_KINDS = "kind IN ('file', 'deb', 'script')"
_SEVERITIES = "severity IN ('low', 'medium', 'high', 'critical')"
_CONSENTS = "consent IN ('asked', 'consented', 'postponed', 'declined', 'not_needed')"
_BEFORE = (
    "draft submitted approved scheduled running paused completing completed completed_with_failures rejected"
    " withdrawn aborting aborted"
)
_STATES = _BEFORE.replace("withdrawn", "withdrawn expired")
_SOURCES_BEFORE = "portal phone api import mail"
_CAUSES_BEFORE = "operator failure inconclusive global"


def _one_of(column: str, words: str) -> str:
    return f"{column} IN (" + ", ".join(f"'{word}'" for word in words.split()) + ")"


def _json(name: str, default: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False, server_default=default)


def upgrade() -> None:
    _widen_releases()
    _widen_campaigns()
    _widen_lanes_and_actions()
    _create_campaign_tenants()
    _create_campaign_tickets()
    _create_windows()


def _create_campaign_tickets() -> None:
    _replace_check("tickets", "source", _one_of("source", _SOURCES_BEFORE + " campaign"))
    op.create_table(
        "campaign_tickets",
        *_own(),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("lane_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(60), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_tickets_campaign_id")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{parent}.tenant_id", f"{parent}.id"],
                name=op.f(f"fk_campaign_tickets_tenant_id_{column}"),
            )
            for parent, column in (("wave_lanes", "lane_id"), ("tickets", "ticket_id"))
        ),
        *_of_a_tenant("campaign_tickets"),
    )
    for name, columns, is_unique in (
        ("uq_campaign_tickets_cause", ["tenant_id", "campaign_id", "cause"], True),
        ("uq_campaign_tickets_ticket", ["tenant_id", "ticket_id"], True),
        ("ix_campaign_tickets_lane", ["tenant_id", "lane_id"], False),
    ):
        op.create_index(name, "campaign_tickets", columns, unique=is_unique)


def _widen_releases() -> None:
    for column in (
        sa.Column("severity", sa.Text(), nullable=False, server_default="medium"),
        _json("references", "[]"),
        sa.Column("notes", sa.Text(), nullable=False, server_default=""),
        _json("spec", "{}"),
        _json("platform", "{}"),
        _json("checks_before", "[]"),
        _json("checks_after", "[]"),
        sa.Column("published_at", _MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.String(120), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
    ):
        op.add_column("releases", column)
    op.drop_constraint(op.f("ck_releases_kind"), "releases", type_="check")
    op.create_check_constraint(op.f("ck_releases_kind"), "releases", _RELEASE_KINDS)
    op.create_check_constraint(op.f("ck_releases_severity"), "releases", _SEVERITIES)


def _widen_campaigns() -> None:
    op.add_column("campaigns", sa.Column("kind", sa.Text(), nullable=False, server_default="rollout"))
    op.add_column("campaigns", sa.Column("rollback_of_id", sa.BigInteger(), nullable=True))
    op.add_column("campaigns", sa.Column("deadline_at", _MOMENT, nullable=True))
    op.create_foreign_key(
        op.f("fk_campaigns_rollback_of_id"), "campaigns", "campaigns", ["rollback_of_id"], ["id"]
    )
    op.alter_column("campaigns", "created_by_id", nullable=True)
    op.create_check_constraint(op.f("ck_campaigns_kind"), "campaigns", "kind IN ('rollout', 'rollback')")
    op.create_check_constraint(
        op.f("ck_campaigns_rollback_of_a_campaign"),
        "campaigns",
        "(kind = 'rollback') = (rollback_of_id IS NOT NULL)",
    )
    _replace_check("campaigns", "state", _one_of("state", _STATES))
    _replace_check("campaigns", "pause_cause", _one_of("pause_cause", _CAUSES_BEFORE + " restore"))


def _replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _widen_lanes_and_actions() -> None:
    for column in (
        sa.Column("is_catch_up", sa.Boolean(), nullable=False, server_default="false"),
        _json("room", "[]"),
        sa.Column("room_until", _MOMENT, nullable=True),
    ):
        op.add_column("wave_lanes", column)
    for column in (
        sa.Column("is_last", sa.Boolean(), nullable=False, server_default="true"),
        sa.Column("ready_at", _MOMENT, nullable=True),
        sa.Column("not_before", _MOMENT, nullable=True),
        sa.Column("boot_id_before", sa.String(80), nullable=True),
        sa.Column("boots", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reboot_pending", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("rolled_back", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("version_before", sa.String(200), nullable=True),
    ):
        op.add_column("actions", column)
    # What waits already was never held back by a limit.
    op.execute("UPDATE actions SET ready_at = now() WHERE phase = 'eligible'")


def _create_campaign_tenants() -> None:
    op.create_table(
        "campaign_tenants",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("release_kind", sa.Text(), nullable=False),
        sa.Column("release_name", sa.String(80), nullable=False),
        sa.Column("release_version", sa.String(80), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("references", postgresql.JSONB(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("asset_count", sa.BigInteger(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("reason", sa.String(1000), nullable=True),
        *(
            sa.Column(name, _MOMENT, nullable=True)
            for name in ("postponed_until", "asked_at", "begins_at", "deadline_at", "ended_at")
        ),
        sa.Column("downgrade_from", sa.Text(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("noted_rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_CONSENTS, name=op.f("ck_campaign_tenants_consent")),
        sa.CheckConstraint(
            "(consent = 'postponed') = (postponed_until IS NOT NULL)",
            name=op.f("ck_campaign_tenants_postponed_until"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_tenants_campaign_id")
        ),
        *_of_a_tenant("campaign_tenants"),
    )
    op.create_index(op.f("ix_campaign_tenants_public_id"), "campaign_tenants", ["public_id"])
    op.create_index("uq_campaign_tenants", "campaign_tenants", ["tenant_id", "campaign_id"], unique=True)
    op.create_index("ix_campaign_tenants_asked", "campaign_tenants", ["tenant_id", "asked_at", "id"])
    op.execute(_KNOWN_TENANTS)


# Campaigns from before consent was asked for go on as they were.
_KNOWN_TENANTS = """
INSERT INTO campaign_tenants (tenant_id, public_id, campaign_id, title, kind, release_kind, release_name,
  release_version, severity, "references", notes, asset_count, consent, asked_at, begins_at, rev, noted_rev)
SELECT lane.tenant_id, gen_random_uuid(), lane.campaign_id, min(lane.title), 'rollout', 'file',
  min(lane.release_name), min(lane.release_version), 'medium', '[]', '', sum(lane.member_count), 'not_needed',
  min(lane.planned_at), min(lane.planned_at), 0, 0
FROM wave_lanes AS lane GROUP BY lane.tenant_id, lane.campaign_id
"""


def _create_windows() -> None:
    op.create_table(
        "maintenance_windows",
        *_own(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("rule", sa.String(300), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.String(5), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "minutes BETWEEN 1 AND 10080", name=op.f("ck_maintenance_windows_minutes_of_at_most_a_week")
        ),
        *_of_a_tenant("maintenance_windows"),
    )
    op.create_index(op.f("ix_maintenance_windows_public_id"), "maintenance_windows", ["public_id"])
    op.create_index("ix_maintenance_windows_tenant", "maintenance_windows", ["tenant_id", "ended_at"])
    op.create_table("freezes", *_own(), *_freeze("freezes"), *_of_a_tenant("freezes"))
    op.create_index(op.f("ix_freezes_public_id"), "freezes", ["public_id"])
    op.create_index("ix_freezes_tenant", "freezes", ["tenant_id", "ends_at"])
    op.create_table(
        "provider_freezes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *_freeze("provider_freezes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_freezes")),
    )
    op.create_index(op.f("ix_provider_freezes_public_id"), "provider_freezes", ["public_id"])
    op.create_index("ix_provider_freezes_ends", "provider_freezes", ["ends_at"])


def _freeze(table: str) -> list[sa.Column | sa.CheckConstraint]:
    return [
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("begins_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("lifted_at", _MOMENT, nullable=True),
        sa.CheckConstraint("begins_at < ends_at", name=op.f(f"ck_{table}_begins_before_it_ends")),
    ]


def _own() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _of_a_tenant(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    ]


def downgrade() -> None:
    for table in (
        "provider_freezes",
        "freezes",
        "maintenance_windows",
        "campaign_tickets",
        "campaign_tenants",
    ):
        op.drop_table(table)
    _replace_check("tickets", "source", _one_of("source", _SOURCES_BEFORE))
    for name in [
        "version_before",
        "rolled_back",
        "reboot_pending",
        "boots",
        "boot_id_before",
        "not_before",
        "ready_at",
        "is_last",
    ]:
        op.drop_column("actions", name)
    for name in ("room_until", "room", "is_catch_up"):
        op.drop_column("wave_lanes", name)
    _replace_check("campaigns", "pause_cause", _one_of("pause_cause", _CAUSES_BEFORE))
    _replace_check("campaigns", "state", _one_of("state", _BEFORE))
    op.drop_constraint(op.f("ck_campaigns_rollback_of_a_campaign"), "campaigns", type_="check")
    op.drop_constraint(op.f("ck_campaigns_kind"), "campaigns", type_="check")
    op.drop_constraint(op.f("fk_campaigns_rollback_of_id"), "campaigns", type_="foreignkey")
    for name in ("deadline_at", "rollback_of_id", "kind"):
        op.drop_column("campaigns", name)
    op.drop_constraint(op.f("ck_releases_severity"), "releases", type_="check")
    _replace_check("releases", "kind", "kind IN ('file')")
    for name in [
        "withdrawn_reason",
        "withdrawn_by",
        "published_at",
        "checks_after",
        "checks_before",
        "platform",
        "spec",
        "notes",
        "references",
        "severity",
    ]:
        op.drop_column("releases", name)
