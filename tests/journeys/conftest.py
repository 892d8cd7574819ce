"""A real browser against the real application on a socket of its own; screenshots are kept."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, sync_playwright

from msp.agents.artifacts import create_artifacts_app
from msp.background import application
from msp.campaigns.live import create_live_app
from msp.web import headers
from tenants.foundation.db import db
from tests import cluster
from tests.journeys.scene import Scene, build
from tests.journeys.served import Portal, serving
from tests.journeys.visitor import Visitor

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser the journeys are skipped, and say so."""
    missing = pytest.mark.skip(
        reason="no Chromium was found: install Debian's package chromium, or set CHROMIUM"
    )
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(missing)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def _served(worker_number: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal, and beside it the processes of artifacts and of streams, as an installation has them."""
    name, port, own = f"portal_journeys_{worker_number}", _free_port(), tmp_path_factory.mktemp("journeys")
    cluster.clone(name)
    app = cluster.make_app(
        name, redis_number=8 + worker_number, files=own / "files", public_url=f"http://127.0.0.1:{port}"
    )
    app.config["WTF_CSRF_ENABLED"] = True
    settings = replace(app.extensions["settings"], mail_url=f"file://{own / 'mails'}")
    portal = Portal(app, settings.public_url, name, own / "mails")
    artifacts_app, live_app = create_artifacts_app(settings), create_live_app(settings)
    with (
        serving(portal, port),
        serving(artifacts_app) as artifacts,
        serving(portal.beside(live_app)) as streams,
    ):
        settings = replace(settings, artifacts_url=artifacts, live_url=streams)
        for each in (app, artifacts_app, live_app):
            each.extensions["settings"] = settings
        app.config["CSP"] = headers.policy(files_at=artifacts, live_at=streams)
        portal.streams = live_app.extensions["streams"]
        yield portal
        portal.end_streams()
    for each in (app, artifacts_app, live_app):
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def portal(_served: Portal) -> Iterator[Portal]:
    """The portal with a fresh database, in real time."""
    _served.end_streams()
    before = application.application() if application._given else None
    application.use(_served.app)
    with _served.app.app_context():
        db.engine.dispose()
    cluster.clone(_served.database)
    _served.app.extensions["redis"].flushdb()
    _served.forget_mails()
    _served.set_clock(None)
    yield _served
    if before is not None:
        application.use(before)


@pytest.fixture
def scene(portal: Portal, _scenes: dict[str, Scene]) -> Scene:
    """Something on every page; written once, then copied."""
    name = f"{portal.database}_scene"
    with portal.app.app_context():
        if not _scenes:
            _scenes[name] = build(portal)
            db.engine.dispose()
            cluster.copy(portal.database, name)
        else:
            db.engine.dispose()
            cluster.copy(name, portal.database)
    return _scenes[name]


@pytest.fixture(scope="session")
def _scenes() -> dict[str, Scene]:
    return {}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def visit(
    portal: Portal, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """`visit("Alice")`: a person with a browser of her own; faults in the console fail the test at its end."""
    visitors: list[Visitor] = []

    def open_browser(name: str, *, width: int = 1440, height: int = 900, language: str = "en") -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
        context.set_default_timeout(15_000)
        visitor = Visitor(portal, context, name, request.node.name)
        visitors.append(visitor)
        return visitor

    failed = request.session.testsfailed
    yield open_browser
    if request.session.testsfailed > failed:
        for visitor in visitors:
            visitor.keep_fault()
    faults = {visitor.name: visitor.faults for visitor in visitors if visitor.faults}
    for visitor in visitors:
        visitor.context.close()
    assert not faults
