"""Exports are made for an audience, and files know whether only staff may read them.

Exports made before were whole, so they become staff's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The owner sees no rows of walled tables; the upgrade puts the wall back in the same transaction.
_WALLED = ("tenant_exports", "stored_files", "attachments", "messages")
_PUBLIC = """
UPDATE stored_files SET is_internal = false WHERE EXISTS (
  SELECT FROM attachments JOIN messages
    ON messages.tenant_id = attachments.tenant_id AND messages.id = attachments.message_id
  WHERE attachments.tenant_id = stored_files.tenant_id AND attachments.file_id = stored_files.id
    AND messages.kind = 'public')
"""


def upgrade() -> None:
    for table in _WALLED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.add_column("tenant_exports", sa.Column("audience", sa.Text(), server_default="staff", nullable=False))
    op.alter_column("tenant_exports", "audience", server_default=None)
    op.create_check_constraint(
        op.f("ck_tenant_exports_audience"), "tenant_exports", "audience IN ('client', 'staff')"
    )
    op.drop_index("uq_tenant_exports_open", "tenant_exports")
    op.create_index(
        "uq_tenant_exports_open",
        "tenant_exports",
        ["tenant_id", "audience"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.add_column(
        "stored_files", sa.Column("is_internal", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.alter_column("stored_files", "is_internal", server_default=None)
    op.execute(_PUBLIC)


def downgrade() -> None:
    op.drop_column("stored_files", "is_internal")
    op.drop_index("uq_tenant_exports_open", "tenant_exports")
    op.drop_column("tenant_exports", "audience")
    op.create_index(
        "uq_tenant_exports_open",
        "tenant_exports",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
