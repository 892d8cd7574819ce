"""A portal on loopback and an agent's folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.debian import Debian
from msp.agent.folder import Folder
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from tests.msp.agent.portal import CONTROLLER, TENANT, TOKEN, Portal, serving


@pytest.fixture(autouse=True)
def no_upgrades(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this very machine could upgrade is no part of the tests, and asking apt takes seconds."""
    monkeypatch.setattr(Debian, "upgradable", lambda _: {})


@pytest.fixture
def portal() -> Iterator[Portal]:
    with serving() as portal:
        yield portal


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "agent")
    folder.prepare()
    return folder


@pytest.fixture
def settings(portal: Portal) -> Settings:
    return Settings(f"{portal.url}/ddi", TENANT, CONTROLLER, token=TOKEN, minimum_free_bytes=0)


@pytest.fixture
def agent(settings: Settings, folder: Folder) -> Iterator[Agent]:
    agent = Agent(settings, folder, Stop())
    yield agent
    agent.close()


@pytest.fixture
def configured(settings: Settings, folder: Folder) -> Folder:
    """The folder with a config.json, for agents run as processes."""
    values = {"url": settings.url, "tenant": TENANT, "controller_id": CONTROLLER, "token": TOKEN}
    folder.config.write_text(json.dumps({**values, "minimum_free_bytes": 0, "poll_seconds": 0.2}))
    return folder
