"""Reboots: never by itself unless the machine's settings allow it, once, and after the result is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.folder import Folder
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from tests.msp.agent.portal import Fault, Portal
from tests.msp.agent.test_script import offer


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Written to by the command that stands for a reboot."""
    return tmp_path / "asked"


@pytest.fixture
def agent(settings: Settings, folder: Folder, asked: Path) -> Iterator[Agent]:
    agent = Agent(settings, folder, Stop())
    yield agent
    agent.close()


def arm(agent: Agent, asked: Path, *, is_allowed: bool, is_required: bool = False) -> None:
    reboots = agent._reboots
    reboots._command = ("/bin/sh", "-c", f"echo x >> {asked}")
    reboots._is_allowed = is_allowed
    reboots._is_required = lambda: is_required


@pytest.mark.parametrize(
    ("wish", "is_allowed", "is_required", "times"),
    [
        ("always", True, False, 1),
        ("always", False, True, 0),
        ("if_needed", True, True, 1),
        ("if_needed", True, False, 0),
        ("never", True, True, 0),
    ],
)
def test_it_reboots_where_release_and_settings_agree(
    agent: Agent, portal: Portal, asked: Path, wish: str, is_allowed: bool, is_required: bool, times: int
) -> None:
    arm(agent, asked, is_allowed=is_allowed, is_required=is_required)
    offer(portal, "true", reboot=wish)
    agent.cycle()
    agent.cycle()
    assert (asked.read_text() if asked.exists() else "") == "x\n" * times
    assert portal.feedback()[-1] == ("closed", "success", 0)


def test_it_waits_until_the_result_is_told(agent: Agent, portal: Portal, asked: Path) -> None:
    arm(agent, asked, is_allowed=True)
    offer(portal, "true", reboot="always")
    portal.fail("POST /ddi/acme/controller/v1/acme-pc-1/deploymentBase/9041/feedback", Fault(200), Fault(200))
    portal.fail("POST", Fault(500))
    agent.cycle()
    assert not asked.exists()
    agent.courier._due.clear()
    agent.cycle()
    assert asked.read_text() == "x\n"


def test_a_failure_is_no_reason_to_reboot(agent: Agent, portal: Portal, asked: Path) -> None:
    arm(agent, asked, is_allowed=True, is_required=True)
    offer(portal, "false", reboot="always")
    agent.cycle()
    assert not asked.exists()


def test_by_default_it_is_not_allowed(settings: Settings) -> None:
    assert settings.allow_reboots is False


def test_a_machine_that_starts_again_is_not_rebooted_again(
    agent: Agent, settings: Settings, folder: Folder, portal: Portal, asked: Path
) -> None:
    arm(agent, asked, is_allowed=True)
    offer(portal, "true", reboot="always")
    agent.cycle()
    again = Agent(settings, folder, Stop())
    arm(again, asked, is_allowed=True)
    again.cycle()
    again.close()
    assert asked.read_text() == "x\n"


def test_what_is_left_to_people_is_said(agent: Agent, portal: Portal, asked: Path) -> None:
    arm(agent, asked, is_allowed=False)
    offer(portal, "true", reboot="always")
    agent.cycle()
    assert any("leave it to people" in one for one in portal.terminal()[0].json["status"]["details"])
