"""One database cluster and one Valkey for the whole run; every worker clones the seeded template."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

os.environ["ARGON2_CHEAP"] = "1"

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import event

from msp.embedded import start_postgres, start_valkey
from tests import cluster, personas
from tests.personas import Cast

# How fast this machine is decides no test.
settings.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("portal")
_running: list[Any] = []


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process starts the servers and seeds the template; workers find them in the environment."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="portal-tests-"))
    postgres = start_postgres(folder / "postgres", durable=False)
    valkey = start_valkey(folder / "valkey", durable=False)
    _running.extend([postgres, valkey, folder])
    os.environ["TEST_POSTGRES"] = postgres.url("postgres", "{database}")
    os.environ["TEST_POSTGRES_APP"] = postgres.url("portal_app", "{database}")
    os.environ["TEST_POSTGRES_OWNER"] = postgres.url("portal_owner", "{database}")
    os.environ["TEST_VALKEY"] = valkey.url().split("?")[0]
    cluster.build_template()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this process started."""
    for server in _running[:2]:
        server.stop()
    for folder in _running[2:]:
        shutil.rmtree(folder, ignore_errors=True)
    _running.clear()


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    """0 for a serial run, else the number of the xdist worker."""
    return int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0


@pytest.fixture(scope="session")
def database_name(worker_number: int) -> str:
    return f"portal_test_{worker_number}"


@pytest.fixture(scope="session")
def app(database_name: str, worker_number: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application, built once per worker on its own clone."""
    cluster.clone(database_name)
    files = tmp_path_factory.mktemp("files")
    application = cluster.make_app(database_name, redis_number=worker_number, files=files)
    from msp.background.application import use
    from tenants.foundation.db import db

    use(application)
    with application.app_context():
        event.listen(db.engine, "commit", lambda _connection: cluster.mark_dirty(database_name))
    return application


@pytest.fixture
def database(app: Flask, database_name: str) -> Iterator[None]:
    """A database as the template has it, whatever tests before did; Redis emptied."""
    cluster.reset(app, database_name)
    yield
    app.extensions["redis"].flushdb()


@pytest.fixture
def postgres_dsn() -> str:
    """A superuser's connection string to the cluster, for oracles and catalogue checks."""
    return cluster.dsn("postgres", "postgres")


@pytest.fixture
def superuser(database: None, database_name: str) -> Iterator["psycopg.Connection[Any]"]:
    """A superuser's connection to this test's database: sees through the wall, for checks only."""
    with psycopg.connect(cluster.dsn("postgres", database_name), autocommit=True) as connection:
        yield connection
        cluster.mark_torn(database_name)


@pytest.fixture
def cast(database: None) -> Cast:
    """The known cast of people and companies; ids are the same in every clone."""
    return personas.load()


@pytest.fixture
def within(app: Flask, cast: Cast) -> Callable[..., AbstractContextManager[Any]]:
    """`with within("Tina"):` or `with within("acme"):`, in the scope of a person or of a tenant's worker."""
    return lambda who: personas.within(app, cast, who)


@pytest.fixture
def as_actor(app: Flask, cast: Cast) -> Callable[..., Any]:
    """The Actor of a person of the cast."""
    return lambda name: personas.actor(app, cast, name)


@pytest.fixture
def sign_in(app: Flask, cast: Cast) -> Callable[[str], FlaskClient]:
    """A client signed in as a person of the cast (through the real session table)."""
    return lambda name: personas.sign_in(app, cast, name)


@pytest.fixture
def client(app: Flask, database: None) -> FlaskClient:
    """A client that nobody signed in."""
    return app.test_client()


@pytest.fixture
def token(app: Flask, cast: Cast) -> Callable[..., str]:
    """Mint an API token of a person with all of that person's rights."""
    return lambda name: personas.mint_token(app, cast, name)


@pytest.fixture
def random_secret() -> str:
    return secrets.token_urlsafe(32)
