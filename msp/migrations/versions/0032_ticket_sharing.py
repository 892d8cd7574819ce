"""Who of a client reads whose tickets; as before, its administrators read all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("ticket_sharing", sa.Text(), server_default="admins", nullable=False))
    op.create_check_constraint(
        op.f("ck_tenants_ticket_sharing"),
        "tenants",
        "ticket_sharing IN ('own', 'admins', 'chosen', 'everyone')",
    )
    op.add_column(
        "memberships", sa.Column("reads_company", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("memberships", "reads_company")
    op.drop_constraint(op.f("ck_tenants_ticket_sharing"), "tenants")
    op.drop_column("tenants", "ticket_sharing")
