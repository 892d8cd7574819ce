"""One machine of Acme, and the portal and its artifacts on real sockets."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from werkzeug.serving import make_server

from msp.agents.artifacts import create_artifacts_app
from tests.msp.campaigns import fleet


@pytest.fixture
def machine(app, cast):
    """An enrolled machine of Acme."""
    return fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])[0]


@pytest.fixture
def stranger(app, cast):
    """An enrolled machine of Globex."""
    return fleet.enrol(app, cast.tenants["globex"], "globex", ["globex-pc-1"])[0]


@contextmanager
def serving(application: Flask) -> Iterator[str]:
    """The application on a loopback port of its own; yields its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    # Closing waits for the last answers, so that none outlives the test with a connection in its hands.
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Served:
    """Where the two processes of an installation listen."""

    portal: str
    artifacts: str
    artifacts_app: Flask


@pytest.fixture
def artifacts_app(app) -> Flask:
    """The application that serves artifacts, on the same database."""
    application = create_artifacts_app(app.extensions["settings"])
    yield application
    with application.app_context():
        from tenants.foundation.db import db

        db.engine.dispose()


@pytest.fixture
def served(app, database, artifacts_app) -> Iterator[Served]:
    """Portal and artifacts on sockets, each knowing the other's address."""
    settings = app.extensions["settings"]
    with serving(app) as portal, serving(artifacts_app) as artifacts:
        app.extensions["settings"] = replace(settings, public_url=portal, artifacts_url=artifacts)
        artifacts_app.extensions["settings"] = app.extensions["settings"]
        try:
            yield Served(portal, artifacts, artifacts_app)
        finally:
            app.extensions["settings"] = settings


@pytest.fixture
def rollout(app, cast, machine):
    """A running campaign whose first wave is the machine."""
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))
