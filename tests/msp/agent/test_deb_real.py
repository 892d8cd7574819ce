"""Packages on a real, tiny Debian system in a folder: installed once, nothing removed, configuration kept."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from msp.agent.agent import Agent
from msp.agent.crash import DEB_POINTS, EXIT_CODE
from msp.agent.debian import Debian
from msp.agent.facts import Machine
from msp.agent.folder import Folder
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from tests.msp.agent.debtree import NAME, Tree, needs_dpkg
from tests.msp.agent.portal import CONTROLLER, TENANT, TOKEN, Portal
from tests.msp.agent.process import run_agent

pytestmark = needs_dpkg
REAL_UPGRADABLE = Debian.upgradable


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """The package is installed at 1.0, the source has 1.0 and 2.0."""
    tree = Tree(tmp_path)
    tree.dpkg("--install", str(tree.publish("1.0")))
    tree.publish("2.0")
    return tree


@pytest.fixture
def agent(tree: Tree, portal: Portal, folder: Folder) -> Iterator[Agent]:
    settings = Settings(f"{portal.url}/ddi", TENANT, CONTROLLER, token=TOKEN, root=str(tree.root))
    agent = Agent(settings, folder, Stop())
    yield agent
    agent.close()


@pytest.fixture
def configured(tree: Tree, configured: Folder) -> Folder:
    """The agent as a process acts on the tree too."""
    values = json.loads(configured.config.read_bytes())
    configured.config.write_text(json.dumps({**values, "root": str(tree.root)}))
    return configured


def offer(portal: Portal, version: str = "2.0", *, action: str = "9041", **more: Any) -> None:
    package = {"name": NAME, "version": version, **more.pop("package", {})}
    metadata = {"packages": json.dumps([package, *more.pop("others", [])]), **more}
    chunk = {
        "part": "deb",
        "name": "tiny",
        "version": version,
        "artifacts": [],
        "metadata": [{"key": key, "value": value} for key, value in metadata.items()],
    }
    portal.offer(action, {}, chunks=[chunk])


def ending(portal: Portal) -> tuple[str, int]:
    (report,) = portal.terminal()
    status = report.json["status"]
    return status["result"]["finished"], status["code"]


def details(portal: Portal) -> str:
    return "\n".join(portal.terminal()[-1].json["status"]["details"])


def test_a_package_is_upgraded_and_told(agent: Agent, portal: Portal, tree: Tree) -> None:
    offer(portal)
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert (tree.version(), tree.state()) == ("2.0", "installed 2.0")
    assert tree.changes() == [f"upgrade {NAME}:all 1.0 2.0"]
    assert f"{NAME} 1.0 → 2.0" in details(portal)
    assert portal.asked("PUT")[-1].json["data"]["installed_release"] == "tiny/2.0"


def test_changed_configuration_stays(agent: Agent, portal: Portal, tree: Tree) -> None:
    configuration = tree.root / f"etc/{NAME}.conf"
    configuration.write_text("mine\n")
    offer(portal)
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert configuration.read_text() == "mine\n"


def test_nothing_is_ever_removed_for_it(agent: Agent, portal: Portal, tree: Tree) -> None:
    tree.dpkg("--install", str(tree.publish("1", name="msp-other")))
    tree.publish("3.0", conflicts="msp-other")
    offer(portal, "3.0")
    agent.cycle()
    assert ending(portal) == ("failure", 11)
    assert (tree.version(), tree.state("msp-other")) == ("1.0", "installed 1")


def test_what_is_there_already_is_left_alone(agent: Agent, portal: Portal, tree: Tree) -> None:
    offer(portal, "0.9")
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert (tree.version(), tree.changes()) == ("1.0", [])


def test_a_lower_version_needs_leave(agent: Agent, portal: Portal, tree: Tree) -> None:
    tree.publish("0.9")
    offer(portal, "0.9", package={"match": "exact"})
    agent.cycle()
    assert ending(portal) == ("failure", 16)
    assert tree.version() == "1.0"


@pytest.mark.parametrize(
    ("leave", "expected"), [('{"msp-tiny":"1.0"}', ("success", 0)), ('{"msp-tiny":"0.95"}', ("failure", 16))]
)
def test_leave_to_come_down_names_from_where(
    agent: Agent, portal: Portal, tree: Tree, leave: str, expected: tuple[str, int]
) -> None:
    tree.publish("0.9")
    offer(portal, "0.9", downgrade_from=leave)
    agent.cycle()
    assert ending(portal) == expected
    assert tree.version() == ("0.9" if expected[0] == "success" else "1.0")


def test_a_version_that_the_sources_lack_is_a_failure(agent: Agent, portal: Portal, tree: Tree) -> None:
    offer(portal, "1.5")
    agent.cycle()
    assert ending(portal) == ("failure", 11)
    assert tree.version() == "1.0"


def test_a_higher_version_of_the_sources_does_where_that_is_allowed(
    agent: Agent, portal: Portal, tree: Tree
) -> None:
    offer(portal, "1.5", package={"match": "at_least"})
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert tree.state() == "installed 2.0"


@contextmanager
def other_package_manager(tree: Tree) -> Iterator[None]:
    """Another process holds the lock that apt and dpkg share."""
    holding = (
        "import fcntl,sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True);"
        "sys.stdin.read()"
    )
    words = [sys.executable, "-c", holding, str(tree.root / "var/lib/dpkg/lock-frontend")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.communicate()


def test_another_package_manager_at_work_is_not_disturbed(agent: Agent, portal: Portal, tree: Tree) -> None:
    offer(portal)
    with other_package_manager(tree):
        agent.cycle()
    assert ending(portal) == ("failure", 10)
    assert tree.changes() == []


def test_apt_itself_finding_the_lock_taken_is_busy_too(
    agent: Agent, portal: Portal, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Debian, "is_locked", lambda _: False)
    offer(portal)
    with other_package_manager(tree):
        agent.cycle()
    assert ending(portal) == ("failure", 10)
    assert tree.changes() == []


def test_after_a_crash_a_package_manager_still_at_work_is_waited_for(
    configured: Folder, portal: Portal, tree: Tree
) -> None:
    offer(portal)
    assert run_agent("once", configured, crash_at="deb-begun") == EXIT_CODE
    with other_package_manager(tree):
        assert run_agent("once", configured) == 0
        assert portal.terminal() == []
    assert run_agent("once", configured) == 0
    assert ending(portal) == ("success", 0)
    assert len(tree.changes()) == 1


def test_a_package_that_is_held_back_stays(agent: Agent, portal: Portal, tree: Tree) -> None:
    status = tree.root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("install ok installed", "hold ok installed"))
    offer(portal)
    agent.cycle()
    assert ending(portal) == ("failure", 11)
    assert tree.version() == "1.0"


def test_checks_are_made_before_and_after(agent: Agent, portal: Portal, tree: Tree) -> None:
    before = [{"kind": "package_at_least", "name": NAME, "version": "1.0"}]
    after = [
        {"kind": "package_at_least", "name": NAME, "version": "2.0"},
        {"kind": "file_present", "path": "/none"},
    ]
    agent._workshop._inspector._patience = 0.0
    offer(portal, checks_before=json.dumps(before), checks_after=json.dumps(after))
    agent.cycle()
    assert ending(portal) == ("failure", 9)
    assert "/none is not there" in details(portal)
    assert tree.version() == "2.0"


def test_a_check_before_that_fails_changes_nothing(agent: Agent, portal: Portal, tree: Tree) -> None:
    offer(portal, checks_before=json.dumps([{"kind": "package_at_least", "name": NAME, "version": "1.1"}]))
    agent.cycle()
    assert ending(portal) == ("failure", 8)
    assert tree.changes() == []


def test_the_inventory_tells_what_could_be_upgraded(
    agent: Agent, portal: Portal, tree: Tree, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Debian, "upgradable", REAL_UPGRADABLE)
    debian = Debian(tree.root, folder.work)
    assert debian.update(lambda: None).code == 0
    machine = Machine(folder.path, tree.root, debian.upgradable)
    document = machine.inventory(machine.facts(None))
    assert document["packages"] == [
        {"name": NAME, "version": "1.0", "architecture": "all", "upgradable_to": "2.0"}
    ]
    assert document["facts"]["updates_available"] == "1"
    assert document["facts"]["os_release"] == "A tiny Debian"


@pytest.mark.parametrize("point", DEB_POINTS)
def test_a_crash_at_any_point_ends_in_one_upgrade_and_one_report(
    configured: Folder, portal: Portal, tree: Tree, point: str
) -> None:
    offer(portal)
    assert run_agent("once", configured, crash_at=point) == EXIT_CODE
    assert run_agent("once", configured) == 0
    assert ending(portal) == ("success", 0)
    assert tree.state() == "installed 2.0"
    assert tree.changes() == [f"upgrade {NAME}:all 1.0 2.0"]


def test_what_is_half_done_is_finished_and_not_done_again(
    configured: Folder, portal: Portal, tree: Tree
) -> None:
    offer(portal)
    assert run_agent("once", configured, crash_at="deb-begun") == EXIT_CODE
    tree.dpkg("--unpack", str(tree.source / f"{NAME}_2.0_all.deb"))
    assert tree.state() == "unpacked 2.0"
    assert run_agent("once", configured) == 0
    assert ending(portal) == ("success", 0)
    assert tree.state() == "installed 2.0"
    assert len(tree.changes()) == 1


def test_one_package_of_two_after_a_crash_is_told_and_left_to_people(
    configured: Folder, portal: Portal, tree: Tree
) -> None:
    tree.publish("1", name="msp-other")
    offer(portal, others=[{"name": "msp-other", "version": "1"}])
    assert run_agent("once", configured, crash_at="deb-begun") == EXIT_CODE
    tree.dpkg("--install", str(tree.source / f"{NAME}_2.0_all.deb"))
    assert run_agent("once", configured) == 0
    assert ending(portal) == ("failure", 14)
    assert "1 of 2 packages" in details(portal)
    assert tree.state("msp-other") == ""
