"""Training classes with seats and materials, proposals that were put off, and the audit by what it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_training_classes()
    _create_training_seats()
    _create_training_materials()
    _create_training_refusals()
    op.create_index("ix_audit_entries_object", "audit_entries", ["tenant_id", "object", "seq"], unique=False)


def _create_training_classes() -> None:
    op.create_table(
        "training_classes",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("teaches", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("trainer_user_id", sa.BigInteger(), nullable=True),
        sa.Column("trainer_name", sa.String(length=120), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_by", sa.String(length=120), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_training_classes_language")),
        sa.CheckConstraint(
            "state IN ('planned', 'held', 'cancelled')", name=op.f("ck_training_classes_state")
        ),
        sa.CheckConstraint("minutes BETWEEN 10 AND 1440", name=op.f("ck_training_classes_minutes_of_a_day")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_training_classes_category_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_training_classes_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_training_classes_tenant_id")),
        sa.ForeignKeyConstraint(
            ["trainer_user_id"], ["users.id"], name=op.f("fk_training_classes_trainer_user_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_training_classes")),
    )
    op.create_index(
        "ix_training_classes_begins", "training_classes", ["tenant_id", "begins_at", "id"], unique=False
    )
    op.create_index(
        "ix_training_classes_category",
        "training_classes",
        ["tenant_id", "category_id", "begins_at"],
        unique=False,
    )
    op.create_index(op.f("ix_training_classes_public_id"), "training_classes", ["public_id"], unique=False)
    op.create_index(
        "ix_training_classes_remind",
        "training_classes",
        ["remind_at"],
        unique=False,
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_index(
        "uq_training_classes_request_key", "training_classes", ["tenant_id", "request_key"], unique=True
    )


def _create_training_seats() -> None:
    op.create_table(
        "training_seats",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("class_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("invited_sequence", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.CheckConstraint("answer IN ('none', 'yes', 'no')", name=op.f("ck_training_seats_answer")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "class_id"],
            ["training_classes.tenant_id", "training_classes.id"],
            name=op.f("fk_training_seats_tenant_id_class_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_training_seats_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_training_seats_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_training_seats")),
    )
    op.create_index(
        "ix_training_seats_user", "training_seats", ["tenant_id", "user_id", "class_id"], unique=False
    )
    op.create_index("uq_training_seats", "training_seats", ["tenant_id", "class_id", "user_id"], unique=True)


def _create_training_materials() -> None:
    op.create_table(
        "training_materials",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("article_id", sa.BigInteger(), nullable=True),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(file_id IS NULL) <> (article_id IS NULL)", name=op.f("ck_training_materials_one_of_the_two")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_training_materials_article_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "class_id"],
            ["training_classes.tenant_id", "training_classes.id"],
            name=op.f("fk_training_materials_tenant_id_class_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_training_materials_tenant_id_file_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_training_materials_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_training_materials")),
    )
    op.create_index(
        "ix_training_materials_class", "training_materials", ["tenant_id", "class_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_training_materials_public_id"), "training_materials", ["public_id"], unique=False
    )
    op.create_index(
        "uq_training_materials_article",
        "training_materials",
        ["tenant_id", "class_id", "article_id"],
        unique=True,
    )


def _create_training_refusals() -> None:
    op.create_table(
        "training_refusals",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("refused_by", sa.String(length=120), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_training_refusals_category_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_training_refusals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_training_refusals")),
    )
    op.create_index("uq_training_refusals", "training_refusals", ["tenant_id", "category_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_audit_entries_object", "audit_entries")
    for name in (
        "training_refusals",
        "training_materials",
        "training_seats",
        "training_classes",
    ):
        op.drop_table(name)
