"""Skills, certificates, teams, the duty roster, and notes from shift to shift."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TIER = "IN ('L1', 'L2', 'L3')"
_LEVEL = "level BETWEEN 1 AND 3"
_KIND = "kind IN ('shift', 'on_call')"


def upgrade() -> None:
    # A trusted extension: whoever owns the database may create it. Equality of persons beside overlap of times needs it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _create_skills()
    _create_certificates()
    _create_teams()
    _create_patterns()
    _create_shifts()
    _create_absences()
    _create_feeds()
    _create_notes()
    op.create_index(
        "ix_ticket_events_resolved",
        "ticket_events",
        ["tenant_id", "actor_user_id", "at"],
        postgresql_where=sa.text("kind = 'resolved'"),
    )


def _create_skills() -> None:
    _create(
        "skills",
        _public(),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("name_id", sa.String(80), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        _unique("skills", "name_en"),
        _unique("skills", "name_id"),
    )
    _create(
        "staff_skills",
        *_person("staff_skills"),
        *_part("staff_skills", "skill_id", "skills"),
        sa.Column("level", sa.Integer(), nullable=False),
        _check("staff_skills", "level_of_three", _LEVEL),
        _unique("staff_skills", "user_id", "skill_id"),
    )
    op.create_index("ix_staff_skills_skill", "staff_skills", ["skill_id"])
    _create(
        "category_skills",
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        *_part("category_skills", "skill_id", "skills"),
        sa.Column("level", sa.Integer(), nullable=False),
        _check("category_skills", "level_of_three", _LEVEL),
        _unique("category_skills", "category_id", "skill_id"),
    )


def _create_certificates() -> None:
    _create(
        "certificates",
        _public(),
        *_person("certificates"),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("issuer", sa.String(120), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("reminded_days", sa.Integer(), nullable=True),
        sa.Column("added_by", sa.String(120), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        _check("certificates", "expires_after_issue", "expires_on IS NULL OR expires_on > issued_on"),
    )
    op.create_index("ix_certificates_user", "certificates", ["user_id"])
    op.create_index("ix_certificates_expires", "certificates", ["expires_on"])


def _create_teams() -> None:
    _create(
        "teams",
        _public(),
        sa.Column("name", sa.String(80), nullable=False),
        *_person("teams", "lead_user_id", nullable=True),
        sa.Column("default_tier", sa.Text(), nullable=True),
        _check("teams", "default_tier", f"default_tier {_TIER}"),
        _unique("teams", "name"),
    )
    _create(
        "team_members",
        *_part("team_members", "team_id", "teams"),
        *_person("team_members"),
        _unique("team_members", "team_id", "user_id"),
    )
    op.create_index("ix_team_members_user", "team_members", ["user_id"])


def _create_patterns() -> None:
    _create(
        "shift_patterns",
        _public(),
        *_person("shift_patterns"),
        *_duty("shift_patterns"),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.String(5), nullable=False),
        sa.Column("ends_at", sa.String(5), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        *_made(),
    )


def _create_shifts() -> None:
    _create(
        "shifts",
        _public(),
        *_person("shifts"),
        *_span("shifts"),
        *_duty("shifts"),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("pattern_id", sa.BigInteger(), nullable=True),
        *_made(),
        sa.ForeignKeyConstraint(
            ["pattern_id"], ["shift_patterns.id"], name=op.f("fk_shifts_pattern_id"), ondelete="SET NULL"
        ),
        _check("shifts", "of_at_most_two_weeks", "ends_at <= begins_at + interval '14 days'"),
        postgresql.ExcludeConstraint(
            (sa.column("user_id"), "="),
            (sa.func.tstzrange(sa.column("begins_at"), sa.column("ends_at")), "&&"),
            name=op.f("ex_shifts_one_at_a_time"),
            using="gist",
        ),
    )
    op.create_index("ix_shifts_span", "shifts", ["begins_at", "ends_at"])
    op.create_index("ix_shifts_user", "shifts", ["user_id", "begins_at"])
    op.create_index("ix_shifts_pattern", "shifts", ["pattern_id"])


def _create_absences() -> None:
    _create(
        "absences",
        _public(),
        *_person("absences"),
        sa.Column("kind", sa.Text(), nullable=False),
        *_span("absences"),
        sa.Column("note", sa.String(200), nullable=False),
        *_made(),
        _check("absences", "kind", "kind IN ('leave', 'sickness')"),
    )
    op.create_index("ix_absences_user", "absences", ["user_id", "begins_at"])
    op.create_index("ix_absences_span", "absences", ["begins_at", "ends_at"])


def _create_feeds() -> None:
    _create(
        "roster_feeds",
        *_person("roster_feeds"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
    )
    op.create_index(op.f("ix_roster_feeds_token_hash"), "roster_feeds", ["token_hash"])
    op.create_index(
        "uq_roster_feeds_live",
        "roster_feeds",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def _create_notes() -> None:
    _create(
        "shift_notes",
        _public(),
        *_person("shift_notes", "author_user_id"),
        sa.Column("author_name", sa.String(120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_count", sa.Integer(), nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_shift_notes_written", "shift_notes", ["written_at"])
    _create(
        "shift_note_readers",
        *_part("shift_note_readers", "note_id", "shift_notes"),
        *_person("shift_note_readers"),
        sa.Column("read_at", _MOMENT, nullable=False),
        _unique("shift_note_readers", "note_id", "user_id"),
    )
    op.create_table(
        "shift_note_tickets",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *_part("shift_note_tickets", "note_id", "shift_notes"),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("to_name", sa.String(120), nullable=True),
        _check("shift_note_tickets", "outcome", "outcome IN ('passed', 'queued')"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shift_note_tickets")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_shift_note_tickets_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_shift_note_tickets_tenant_id_ticket_id"),
        ),
    )
    op.create_index(
        "uq_shift_note_tickets", "shift_note_tickets", ["tenant_id", "note_id", "ticket_id"], unique=True
    )


def _create(table: str, *parts: sa.schema.SchemaItem) -> None:
    """A table of the provider's."""
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    if any(isinstance(one, sa.Column) and one.name == "public_id" for one in parts):
        op.create_index(op.f(f"ix_{table}_public_id"), table, ["public_id"])


def _public() -> sa.Column:
    return sa.Column("public_id", sa.Uuid(), nullable=False)


def _person(table: str, column: str = "user_id", *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, sa.BigInteger(), nullable=nullable),
        sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{table}_{column}")),
    ]


def _part(table: str, column: str, parent: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            [column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
        ),
    ]


def _span(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("begins_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        _check(table, "ends_after_it_begins", "ends_at > begins_at"),
    ]


def _duty(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        _check(table, "kind", _KIND),
        _check(table, "tier", f"tier {_TIER}"),
    ]


def _made() -> list[sa.Column]:
    return [
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    ]


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def downgrade() -> None:
    op.drop_index("ix_ticket_events_resolved", "ticket_events")
    for table in (
        "shift_note_tickets",
        "shift_note_readers",
        "shift_notes",
        "roster_feeds",
        "absences",
        "shifts",
        "shift_patterns",
        "team_members",
        "teams",
        "certificates",
        "category_skills",
        "staff_skills",
        "skills",
    ):
        op.drop_table(table)
    op.execute("DROP EXTENSION IF EXISTS btree_gist")
