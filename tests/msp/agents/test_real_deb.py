"""A campaign of packages: the reference agent really upgrades one on a Debian system in a folder, and is believed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from msp.agent.crash import EXIT_CODE
from msp.agent.folder import Folder
from msp.agents.models import AgentCredential
from tenants.assets.models import InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.agent.debtree import NAME, Tree, needs_dpkg
from tests.msp.agent.process import run_agent
from tests.msp.agents.debs import rollout_of

pytestmark = needs_dpkg


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    tree.dpkg("--install", str(tree.publish("1.0")))
    tree.publish("2.0")
    return tree


@pytest.fixture
def folder(served, machine, tree: Tree, tmp_path: Path) -> Folder:
    """The agent of acme-pc-1, acting on the tree."""
    folder = Folder(tmp_path / "agent")
    folder.prepare()
    values = {"url": f"{served.portal}/ddi", "tenant": "acme", "controller_id": machine.name}
    values |= {"token": machine.token, "root": str(tree.root), "minimum_free_bytes": 0}
    folder.config.write_text(json.dumps(values))
    return folder


SPEC = {"packages": [{"name": NAME, "version": "2.0"}], "reboot": "never"}


def test_a_campaign_upgrades_a_package_and_believes_it(app, cast, within, folder, tree):
    checks = [{"kind": "package_at_least", "name": NAME, "version": "2.0"}]
    platform = {"systems": ["debian"], "architectures": ["amd64", "arm64"]}
    rollout = rollout_of(app, cast, SPEC, checks_after=checks, platform=platform)
    assert run_agent("once", folder) == 0
    assert (tree.version(), tree.state()) == ("2.0", "installed 2.0")
    assert rollout.outcomes() == {"success": 1}
    (action,) = rollout.actions()
    assert action.verified_at is not None
    assert action.detail == "1 packages installed"
    rollout.tick()
    assert rollout.tick(at=time.now() + timedelta(seconds=60)) == "completed"


@pytest.mark.parametrize("point", ["intent-written", "deb-begun", "deb-ended", "result-written"])
def test_an_agent_killed_on_the_way_upgrades_once(app, cast, folder, tree, point):
    rollout = rollout_of(app, cast, SPEC)
    assert run_agent("once", folder, crash_at=point) == EXIT_CODE
    assert run_agent("once", folder) == 0
    assert tree.changes() == [f"upgrade {NAME}:all 1.0 2.0"]
    assert rollout.outcomes() == {"success": 1}


def test_a_package_that_the_sources_lack_fails_with_its_reason(app, cast, folder, tree):
    rollout = rollout_of(app, cast, {"packages": [{"name": NAME, "version": "7"}]})
    assert run_agent("once", folder) == 0
    (action,) = rollout.actions()
    assert (action.outcome, action.reason_code) == ("failed", "packages")
    assert tree.version() == "1.0"


def test_an_inventory_of_the_tree_arrives(within, folder, tree):
    with within("acme"):
        db.session.execute(update(AgentCredential).values(facts_due_at=None))
        db.session.commit()
    assert run_agent("once", folder) == 0
    with within("acme"):
        found = db.session.scalars(select(InstalledSoftware)).all()
        assert [(one.name, one.version) for one in found] == [(NAME, "1.0")]
