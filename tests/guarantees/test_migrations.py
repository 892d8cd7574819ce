"""The migrations build exactly the tables that the models describe."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tenants.foundation.db import Base
from tests import cluster


@pytest.fixture
def owner(database, database_name):
    engine = create_engine(cluster.sqlalchemy_url("portal_owner", database_name))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_nothing_differs(owner):
    context = MigrationContext.configure(owner, opts={"compare_server_default": False})
    assert compare_metadata(context, Base.metadata) == []


def test_upgrading_again_changes_nothing(database, database_name):
    from msp.database import upgrade

    engine = create_engine(cluster.sqlalchemy_url("portal_owner", database_name))
    upgrade(engine)
    engine.dispose()
