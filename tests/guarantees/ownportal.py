"""A portal with servers of its own, so that emptying Redis and killing PostgreSQL disturb nobody else's tests."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from flask import Flask

from msp.background import doorbell
from msp.background.application import application, use
from msp.embedded import Postgres, start_postgres, start_valkey
from tenants.foundation.db import db
from tests import cluster, personas

NAME = "portal_chaos"
ROLES = {
    "TEST_POSTGRES": "postgres",
    "TEST_POSTGRES_APP": "portal_app",
    "TEST_POSTGRES_OWNER": "portal_owner",
}


@dataclass
class OwnPortal:
    """The application, the cast, and the database's server."""

    app: Flask
    cast: personas.Cast
    postgres: Postgres
    folder: Path
    # A server ends with the thread that started it: this one outlives them all.
    starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def crash_postgres(self) -> "Future[None]":
        """End the server at once, with every transaction in hand, and start it on the same files meanwhile."""
        return self.starter.submit(self._crash)

    def _crash(self) -> None:
        self.postgres.process.send_signal(signal.SIGQUIT)
        self.postgres.process.wait()
        self.postgres.stop()
        self.postgres = start_postgres(self.folder / "postgres", durable=True)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A superuser's connection: sees through the wall, for checks only."""
        url = self.postgres.url("postgres", NAME).replace("postgresql+psycopg://", "postgresql://")
        return psycopg.connect(url, autocommit=True)


@contextmanager
def own_redis(app: Flask) -> Iterator[None]:
    """A Valkey of this test's own, so that FLUSHALL disturbs nobody else's tests."""
    folder = Path(tempfile.mkdtemp(prefix="portal-chaos-"))
    server = start_valkey(folder, durable=False)
    before = app.extensions["redis"], app.extensions["settings"]
    url = server.url()
    app.extensions["redis"] = doorbell.connect(url)
    app.extensions["settings"] = replace(before[1], redis_url=url)
    try:
        yield
    finally:
        app.extensions["redis"].close()
        app.extensions["redis"], app.extensions["settings"] = before
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_portal() -> Iterator[OwnPortal]:
    """Servers, template and application, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="portal-chaos-"))
    postgres = start_postgres(folder / "postgres", durable=True)
    valkey = start_valkey(folder / "valkey", durable=False)
    before, outer = dict(os.environ), application()
    portal: OwnPortal | None = None
    try:
        os.environ.update({name: postgres.url(role, "{database}") for name, role in ROLES.items()})
        os.environ["TEST_VALKEY"] = valkey.url().split("?")[0]
        cluster.build_template()
        cluster.clone(NAME)
        app = cluster.make_app(NAME, redis_number=0, files=folder / "files")
        use(app)
        portal = OwnPortal(app, personas.load(), postgres, folder)
        yield portal
    finally:
        use(outer)
        os.environ.update(before)
        if portal is not None:
            with portal.app.app_context():
                db.engine.dispose()
            portal.app.extensions["redis"].close()
        valkey.stop()
        (portal.postgres if portal else postgres).stop()
        if portal is not None:
            portal.starter.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
