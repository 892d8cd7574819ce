"""Credentials that replace each other by themselves, and the databases in which actions were numbered."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_REPLACES = "fk_agent_credentials_tenant_id_replaces_id"


def upgrade() -> None:
    op.add_column("agent_credentials", sa.Column("rotate_at", _MOMENT, nullable=True))
    op.add_column("agent_credentials", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f(_REPLACES),
        "agent_credentials",
        "agent_credentials",
        ["tenant_id", "replaces_id"],
        ["tenant_id", "id"],
    )
    op.create_table(
        "numberings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        sa.UniqueConstraint("epoch", name=op.f("uq_numberings_epoch")),
    )


def downgrade() -> None:
    op.drop_table("numberings")
    op.drop_constraint(op.f(_REPLACES), "agent_credentials", type_="foreignkey")
    op.drop_column("agent_credentials", "replaces_id")
    op.drop_column("agent_credentials", "rotate_at")
