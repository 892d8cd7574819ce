"""Whatever the moment of a crash: one installation, one result, and the report arrives."""

import json
from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.crash import EXIT_CODE, POINTS
from msp.agent.folder import Folder
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from tests.msp.agent.portal import Portal
from tests.msp.agent.process import run_agent

OLD, NEW = b"old content", b"new content" * 50_000


def inode(path: Path) -> int:
    return path.stat().st_ino


def kinds(folder: Folder) -> list[str]:
    return [json.loads(line)["kind"] for line in folder.ledger.read_text().splitlines()]


def leftovers(folder: Folder) -> list[str]:
    return [p.name for p in folder.root.rglob(".msp-agent-*")] + [p.name for p in folder.downloads.iterdir()]


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_ends_in_one_installation_and_one_report(
    configured: Folder, settings: Settings, portal: Portal, point: str
) -> None:
    target = configured.root / "etc/motd"
    target.parent.mkdir()
    target.write_bytes(OLD)
    portal.offer("9041", {"etc/motd": NEW})
    before = inode(target)

    assert run_agent("once", configured, crash_at=point) == EXIT_CODE
    crashed = inode(target)
    assert (crashed != before) == (target.read_bytes() == NEW)
    assert target.read_bytes() in (OLD, NEW)

    assert run_agent("once", configured) == 0
    assert target.read_bytes() == NEW
    if crashed != before:
        assert inode(target) == crashed, "what was installed before the crash is not installed again"
    again = Agent(settings, configured, Stop())
    again.cycle()
    again.close()

    assert {r.body for r in portal.terminal()} == {portal.terminal()[0].body}
    assert portal.feedback()[-1] == ("closed", "success", 0)
    assert len(portal.terminal()) == (2 if point in ("report-acknowledged", "reported-torn") else 1)
    assert kinds(configured).count("result") == 1
    assert kinds(configured).count("reported") == 1
    assert kinds(configured).count("intent") == 1 + kinds(configured).count("void")
    assert leftovers(configured) == []
    last = [r.json["data"] for r in portal.asked("PUT")][-1]
    assert last["installed_release"] == "motd/7"


@pytest.mark.parametrize("point", ["intent-written", "staging-begun", "staged", "renamed", "installed"])
def test_a_crash_between_two_files_is_told_truthfully(configured: Folder, portal: Portal, point: str) -> None:
    portal.offer("9041", {"one": NEW, "two": OLD})
    assert run_agent("once", configured, crash_at=point) == EXIT_CODE
    run_agent("once", configured)
    installed = [name for name in ("one", "two") if (configured.root / name).exists()]
    assert len({r.body for r in portal.terminal()}) == 1
    report = portal.terminal()[-1].json["status"]
    if report["result"]["finished"] == "success":
        assert installed == ["one", "two"]
    else:
        assert point == "renamed"
        assert report["details"] == [
            f"interrupted, found {len(installed)} of 2 files installed on inspection"
        ]
    assert leftovers(configured) == []


def test_something_else_found_after_a_crash_is_a_failure(configured: Folder, portal: Portal) -> None:
    portal.offer("9041", {"motd": NEW})
    assert run_agent("once", configured, crash_at="staged") == EXIT_CODE
    (configured.root / "motd").write_bytes(b"somebody else's")
    run_agent("once", configured)
    assert portal.feedback()[-1] == ("closed", "failure", 4)
    assert (configured.root / "motd").read_bytes() == b"somebody else's"


def test_an_action_cancelled_while_the_agent_was_down_is_not_installed(
    configured: Folder, portal: Portal
) -> None:
    portal.offer("9041", {"motd": NEW})
    assert run_agent("once", configured, crash_at="staged") == EXIT_CODE
    portal.cancelling = "9041"
    run_agent("once", configured)
    assert portal.feedback("cancelAction") == [("closed", "success", 0)]
    assert not (configured.root / "motd").exists()
    assert leftovers(configured) == []


def test_a_result_outlives_a_portal_that_is_down(configured: Folder, portal: Portal) -> None:
    portal.offer("9041", {"motd": NEW})
    assert run_agent("once", configured, crash_at="result-written") == EXIT_CODE
    portal.tokens.clear()
    assert run_agent("once", configured) == 1
    portal.tokens.add("token-of-acme-pc-1")
    portal.offers.clear()
    assert run_agent("once", configured) == 0
    assert portal.feedback()[-1] == ("closed", "success", 0)
