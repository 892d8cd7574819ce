"""Bringing the database up to date as its owner: roles, migrations, wall."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine

from tenants.foundation.errors import Refused
from tenants.foundation.rowsecurity import apply_wall, role_statements

MIGRATIONS = Path(__file__).parent / "migrations"


def owner_engine() -> Engine:
    """An engine as the owner. Raises Refused when DATABASE_OWNER_URL is not set."""
    url = os.environ.get("DATABASE_OWNER_URL", "").replace("postgresql://", "postgresql+psycopg://", 1)
    if not url:
        raise Refused("set DATABASE_OWNER_URL to the role that owns the tables")
    return create_engine(url)


def create_roles(engine: Engine) -> None:
    """Create the roles that transactions take; needs a role that may create roles (msp/README.md has the SQL)."""
    with engine.begin() as connection:
        for statement in role_statements():
            connection.exec_driver_sql(statement)


def upgrade(engine: Engine | None = None) -> None:
    """Run the migrations and apply the wall, in one transaction."""
    engine = engine or owner_engine()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        apply_wall(connection)
