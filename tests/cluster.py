"""The test cluster: a template built once, clones that cost 20 ms."""

import os
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import create_engine

from contracts.terms import queries as versions
from msp.settings import Settings
from tests import snapshot

TEMPLATE = "portal_template"
SECRET = "a secret key that only the tests use, 32+"
_dirty: set[str] = set()
_torn: set[str] = set()
_restorers: dict[str, snapshot.Restorer] = {}


def sqlalchemy_url(role: str, database: str) -> str:
    """An SQLAlchemy address: role `postgres`, `portal_owner` or `portal_app`."""
    variable = {
        "postgres": "TEST_POSTGRES",
        "portal_owner": "TEST_POSTGRES_OWNER",
        "portal_app": "TEST_POSTGRES_APP",
    }[role]
    return os.environ[variable].replace("{database}", database).replace("%7Bdatabase%7D", database)


def dsn(role: str, database: str) -> str:
    """The same for psycopg."""
    return sqlalchemy_url(role, database).replace("postgresql+psycopg://", "postgresql://")


def _run(*statements: str, database: str = "postgres") -> None:
    with psycopg.connect(dsn("postgres", database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def build_template() -> None:
    """Roles, tables, wall and the cast, once per run."""
    from msp import database

    _run(
        "CREATE ROLE portal_owner LOGIN",
        "CREATE ROLE portal_app LOGIN NOINHERIT",
        f"CREATE DATABASE {TEMPLATE} OWNER portal_owner",
    )
    _run("ALTER SCHEMA public OWNER TO portal_owner", database=TEMPLATE)
    for role, step in (("postgres", database.create_roles), ("portal_owner", database.upgrade)):
        engine = create_engine(sqlalchemy_url(role, TEMPLATE))
        step(engine)
        engine.dispose()
    _seed()
    snapshot.keep(dsn("postgres", TEMPLATE))


def _seed() -> None:
    from tenants.foundation.db import db
    from tests import personas

    app = make_app(TEMPLATE, redis_number=15, files=Path("/nonexistent"))
    with app.app_context():
        personas.seed(app)
        db.engine.dispose()


def make_app(
    database: str, *, redis_number: int, files: Path, public_url: str = "http://portal.test"
) -> Flask:
    """The application on one database of the cluster."""
    from msp.app import create_app

    app = create_app(
        Settings(
            database_url=sqlalchemy_url("portal_app", database),
            redis_url=f"{os.environ['TEST_VALKEY']}?db={redis_number}",
            public_url=public_url,
            secret_key=SECRET,
            files_dir=files,
            artifacts_url="",
            proxy_secret="proxy secret of the tests, long enough",
            trusted_proxies=0,
            live_url="",
            mail_url="smtp://127.0.0.1:2525",
            mail_from="portal@portal.test",
            mail_reply_domain="reply.portal.test",
            mail_edge="mx.portal.test",
            mail_megabytes=64,
            messages_url="",
            messages_account="",
            messages_token="",
            messages_from="",
            phone_region="ID",
            provider_name="Nusantara Managed Services",
            language="en",
            log_level="ERROR",
            metrics_token="metrics token of the tests",
            upload_megabytes=2,
            release_megabytes=64,
            demo=True,
        )
    )
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["TESTING"] = False
    return app


def mark_dirty(name: str) -> None:
    """Something was committed: the next test gets the cast's rows back."""
    _dirty.add(name)


def mark_torn(name: str) -> None:
    """Tables, policies or triggers may have been changed: the next test gets a fresh clone."""
    _torn.add(name)


def copy(source: str, name: str) -> None:
    """A copy of a database that nobody is connected to, under this name."""
    _run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {source}")


def clone(name: str) -> None:
    """A fresh copy of the template under this name."""
    if name in _restorers:
        _restorers[name].close()
    copy(TEMPLATE, name)
    _dirty.discard(name)
    _torn.discard(name)


def reset(app: Flask, name: str) -> None:
    """The cast and nothing else, if anything was committed since the last time."""
    if name not in _dirty | _torn:
        return
    app.extensions["redis"].flushdb()
    # Numbers and moments come back with the cast, under which a process remembers what versions say.
    versions._read.clear()
    restorer = _restorers.setdefault(name, snapshot.Restorer(dsn("postgres", name)))
    if name not in _torn and restorer.restore():
        _dirty.discard(name)
        return
    from tenants.foundation.db import db

    with app.app_context():
        db.engine.dispose()
    clone(name)
