"""The demo's PostgreSQL and Valkey, and the empty database in them."""

import threading
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine, create_engine

from msp import database
from msp.demo.folder import Folder
from msp.embedded import Postgres, Valkey, start_postgres, start_valkey
from tenants.foundation.rowsecurity import LOGIN_ROLE, OWNER_ROLE

DATABASE = "portal"


@dataclass
class Servers:
    """Both servers, durable; started again in place when one was killed."""

    folder: Folder
    postgres: Postgres
    valkey: Valkey

    @classmethod
    def start(cls, folder: Folder) -> "Servers":
        """Start both. Raises EmbeddedError."""
        valkey = start_valkey(folder.valkey, durable=True)
        try:
            return cls(folder, start_postgres(folder.postgres, durable=True), valkey)
        except BaseException:
            valkey.stop()
            raise

    def mend(self) -> list[str]:
        """Start again whichever was killed; returns their names. The sockets keep their place."""
        mended = []
        if not self.postgres.is_alive():
            self.postgres.stop()
            self.postgres = start_postgres(self.folder.postgres, durable=True)
            mended.append("postgres")
        if not self.valkey.is_alive():
            self.valkey.stop()
            self.valkey = start_valkey(self.folder.valkey, durable=True)
            mended.append("valkey")
        return mended

    def stop(self) -> None:
        """End both at once, each gracefully and within 5 s."""
        threads = [threading.Thread(target=server.stop) for server in (self.postgres, self.valkey)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @property
    def pids(self) -> tuple[int, int]:
        """Process numbers of both."""
        return self.postgres.process.pid, self.valkey.process.pid

    def create_database(self, *, anew: bool) -> None:
        """Roles and the database, where they are missing; `anew` drops what a killed seeding left."""
        with psycopg.connect(_plain(self.postgres.url()), autocommit=True) as connection:
            for role in (f"{OWNER_ROLE} LOGIN", f"{LOGIN_ROLE} LOGIN NOINHERIT"):
                _create_missing(connection, role)
            if anew:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
        with psycopg.connect(_plain(self.postgres.url(database=DATABASE)), autocommit=True) as connection:
            connection.execute(f"ALTER SCHEMA public OWNER TO {OWNER_ROLE}")
        superuser = create_engine(self.postgres.url(database=DATABASE))
        database.create_roles(superuser)
        superuser.dispose()

    def owner(self) -> Engine:
        """An engine as the owner of the tables: for migrations only."""
        return create_engine(self.postgres.url(OWNER_ROLE, DATABASE))

    @property
    def application_url(self) -> str:
        """DATABASE_URL of every process of the portal."""
        return self.postgres.url(LOGIN_ROLE, DATABASE)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _create_missing(connection: "psycopg.Connection[tuple[object, ...]]", role: str) -> None:
    name = role.split()[0]
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
        connection.execute(f"CREATE ROLE {role}")
