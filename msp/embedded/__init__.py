"""PostgreSQL and Valkey from wheels, run as private children behind Unix sockets.

Knows no feature of the portal. Nothing listens on a network port, no user is added to the system and no
permission of an existing folder is changed. Both servers end with the thread that started them.
"""

from msp.embedded.errors import EmbeddedError, InUse
from msp.embedded.postgres import Postgres, start_postgres
from msp.embedded.running import Running
from msp.embedded.storage import remove
from msp.embedded.valkey import Valkey, start_valkey

__all__ = [
    "EmbeddedError",
    "InUse",
    "Postgres",
    "Running",
    "Valkey",
    "remove",
    "start_postgres",
    "start_valkey",
]
