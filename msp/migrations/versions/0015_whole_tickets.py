"""Categories, further assets, watchers, links, merges, follow-ups, checklists, canned replies and saved views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TICKET_COLUMNS = ("category_id", "merged_into_id", "follows_id")


def upgrade() -> None:
    _create_provider_tables()
    _create_relations()
    _extend_tickets()


def _create_provider_tables() -> None:
    op.create_table(
        "categories",
        *_own(),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("name_id", sa.String(80), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
    )
    op.create_index("ix_categories_parent", "categories", ["parent_id"])
    op.create_table(
        "canned_replies",
        *_own(),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_changed(),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_canned_replies_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
    )
    op.create_table(
        "checklist_templates",
        *_own(),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        *_changed(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_templates")),
    )
    op.create_table(
        "queue_views",
        *_own(),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("filters", postgresql.JSONB(), nullable=False),
        sa.Column("is_home", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_views_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_views")),
    )
    op.create_index("ix_queue_views_user", "queue_views", ["user_id"])
    for table in ("categories", "canned_replies", "checklist_templates", "queue_views"):
        op.create_index(op.f(f"ix_{table}_public_id"), table, ["public_id"])


def _own() -> list[sa.Column]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
    ]


def _changed() -> list[sa.Column]:
    return [
        sa.Column("changed_by", sa.String(120), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
    ]


def _create_relations() -> None:
    _of_a_ticket(
        "ticket_assets",
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        _within("ticket_assets", "assets", "asset_id"),
    )
    op.create_index("uq_ticket_assets", "ticket_assets", ["tenant_id", "ticket_id", "asset_id"], unique=True)
    op.create_index("ix_ticket_assets_asset", "ticket_assets", ["tenant_id", "asset_id"])
    _of_a_ticket(
        "watchers",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("added_by_name", sa.String(120), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.CheckConstraint("side IN ('client', 'staff', 'address')", name=op.f("ck_watchers_side")),
        sa.CheckConstraint("user_id IS NOT NULL OR email IS NOT NULL", name=op.f("ck_watchers_somebody")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_watchers_user_id")),
    )
    op.create_index("uq_watchers_user", "watchers", ["tenant_id", "ticket_id", "user_id"], unique=True)
    op.create_index("uq_watchers_email", "watchers", ["tenant_id", "ticket_id", "email"], unique=True)
    op.create_index("ix_watchers_seer", "watchers", ["tenant_id", "user_id", "ticket_id"])
    _of_a_ticket(
        "ticket_links",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by_name", sa.String(120), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('duplicate', 'parent', 'problem', 'change', 'related')",
            name=op.f("ck_ticket_links_kind"),
        ),
        sa.CheckConstraint("ticket_id <> other_id", name=op.f("ck_ticket_links_two_tickets")),
        _within("ticket_links", "tickets", "other_id"),
    )
    op.create_index(
        "uq_ticket_links", "ticket_links", ["tenant_id", "ticket_id", "other_id", "kind"], unique=True
    )
    op.create_index("ix_ticket_links_other", "ticket_links", ["tenant_id", "other_id", "kind"])
    _of_a_ticket(
        "checklist_items",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(300), nullable=False),
        sa.Column("added_by_name", sa.String(120), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("done_by_name", sa.String(120), nullable=True),
        sa.Column("done_at", _MOMENT, nullable=True),
    )
    op.create_index("ix_checklist_items_ticket", "checklist_items", ["tenant_id", "ticket_id", "id"])
    for table in ("watchers", "ticket_links", "checklist_items"):
        op.create_index(op.f(f"ix_{table}_public_id"), table, ["public_id"])


def _of_a_ticket(table: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        *parts,
        _within(table, "tickets", "ticket_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    )


def _within(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def _extend_tickets() -> None:
    for column in _TICKET_COLUMNS:
        op.add_column("tickets", sa.Column(column, sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_tickets_category_id"), "tickets", "categories", ["category_id"], ["id"])
    for column in _TICKET_COLUMNS[1:]:
        op.create_foreign_key(
            op.f(f"fk_tickets_tenant_id_{column}"),
            "tickets",
            "tickets",
            ["tenant_id", column],
            ["tenant_id", "id"],
        )
    op.create_check_constraint(op.f("ck_tickets_merged_into_another"), "tickets", "merged_into_id <> id")
    for name, column in (("merged", "merged_into_id"), ("follows", "follows_id")):
        op.create_index(
            f"ix_tickets_{name}",
            "tickets",
            ["tenant_id", column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def downgrade() -> None:
    for name in ("merged", "follows"):
        op.drop_index(f"ix_tickets_{name}", "tickets")
    op.drop_constraint(op.f("ck_tickets_merged_into_another"), "tickets", type_="check")
    for name in ("tenant_id_merged_into_id", "tenant_id_follows_id", "category_id"):
        op.drop_constraint(op.f(f"fk_tickets_{name}"), "tickets", type_="foreignkey")
    for column in _TICKET_COLUMNS:
        op.drop_column("tickets", column)
    for table in (
        "checklist_items",
        "ticket_links",
        "watchers",
        "ticket_assets",
        "queue_views",
        "checklist_templates",
        "canned_replies",
        "categories",
    ):
        op.drop_table(table)
