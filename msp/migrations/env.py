"""Alembic's environment: runs on the owner's connection that `flask database upgrade` hands over."""

from alembic import context

from msp.app import import_models
from tenants.foundation.db import Base

import_models()


def run() -> None:
    """Run the migrations, or compare with the models."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()


run()
