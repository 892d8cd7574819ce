"""Set-based writes, and how many rows they changed."""

from typing import Any

from sqlalchemy import UpdateBase

from tenants.foundation.db import db


def write(statement: UpdateBase) -> int:
    """Run an insert, update or delete that no loaded row depends on; returns how many rows it changed."""
    options = {"synchronize_session": False, "preserve_rowcount": True}
    done: Any = db.session.execute(statement.execution_options(**options))
    return int(done.rowcount)
