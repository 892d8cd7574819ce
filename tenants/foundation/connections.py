"""What a connection to PostgreSQL keeps from one transaction to the next, and when it is given up."""

import select
from contextlib import suppress
from typing import Any

from psycopg import OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

USES_BEFORE_PREPARED = 5
# Where a plan can't depend on the values. A select that finds few rows by a key says so itself, by PREPARED.
_ALWAYS_PREPARED = ("INSERT INTO ", "SELECT set_config(")
# Execution options of a statement whose best plan is the same for all values. Never for lists: a plan for any value
# knows neither the page's length nor how many tenants are asked for, and sorts all open tickets to show the first 25.
PREPARED: dict[str, Any] = {"prepared": True}


def install(engine: Engine) -> None:
    """Prepare what is asked by key, keep that over reading transactions, notice lost connections at no round trip."""
    event.listen(engine, "checkout", _refuse_lost)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _note)
    event.listen(engine, "rollback", _end_reading)


def _refuse_lost(driver: Any, _record: Any, _proxy: Any) -> None:
    """A resting connection has nothing to say unless the server ended it: then all of the pool are replaced."""
    waiting = select.poll()
    waiting.register(driver.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise InvalidatePoolError


def _begin(connection: Connection) -> None:
    connection.info["only_reads"] = True


def _note(
    connection: Connection, cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    if not statement.startswith("SELECT"):
        connection.info["only_reads"] = False
    prepares = statement.startswith(_ALWAYS_PREPARED) or context.execution_options.get("prepared", False)
    cursor.connection.prepare_threshold = USES_BEFORE_PREPARED if prepares else None


def _end_reading(connection: Connection) -> None:
    """End a transaction that wrote nothing by COMMIT: at a ROLLBACK psycopg forgets every prepared statement.

    Pages only read, so PostgreSQL would plan each of their statements anew at every request.
    """
    if connection.invalidated:  # the server ended it in the middle: there is nothing left to end
        return
    driver: Any = connection.connection.driver_connection
    if connection.info["only_reads"] and driver.info.transaction_status is TransactionStatus.INTRANS:
        # A server that is gone is noticed by the ROLLBACK that follows, where SQLAlchemy gives the pool up for lost.
        with suppress(OperationalError):
            driver.commit()
