"""Why a file is kept back."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stored_files", sa.Column("danger", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_stored_files_danger"),
        "stored_files",
        "danger IN ('program', 'script', 'misnamed', 'polyglot', 'bomb', 'unknown')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_stored_files_danger"), "stored_files", type_="check")
    op.drop_column("stored_files", "danger")
