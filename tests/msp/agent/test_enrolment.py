"""A one-use token is traded for the machine's own."""

from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.credential import Unenrolled
from msp.agent.folder import Folder
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from msp.agent.wire import Refused, Trouble
from tests.msp.agent.portal import CONTROLLER, TENANT, TOKEN, Fault, Portal


@pytest.fixture
def fresh(portal: Portal, folder: Folder) -> Agent:
    portal.enrolment_tokens.add("once-only")
    settings = Settings(f"{portal.url}/ddi", TENANT, CONTROLLER, enrolment_token="once-only")
    return Agent(settings, folder, Stop())


def test_enrolment_gives_a_token_that_is_kept(fresh: Agent, portal: Portal, folder: Folder) -> None:
    fresh.cycle()
    fresh.close()
    request = portal.requests[0]
    assert (request.method, request.path) == ("POST", "/ddi/acme/controller/v1/acme-pc-1/enrolment")
    assert request.headers["Authorization"] == "EnrolmentToken once-only"
    assert request.json == {}
    assert portal.requests[1].headers["Authorization"] == f"TargetToken {TOKEN}"
    assert folder.token == TOKEN
    assert folder.token_file.stat().st_mode & 0o777 == 0o600


def test_an_enrolled_agent_does_not_enrol_again(fresh: Agent, portal: Portal, folder: Folder) -> None:
    fresh.cycle()
    fresh.close()
    again = Agent(fresh._settings, folder, Stop())
    again.cycle()
    again.close()
    assert len(portal.asked("enrolment")) == 1


def test_a_used_token_is_refused_and_nothing_is_polled(fresh: Agent, portal: Portal) -> None:
    portal.enrolment_tokens.clear()
    with pytest.raises(Refused):
        fresh.cycle()
    fresh.close()
    assert len(portal.requests) == 1
    assert fresh.courier.next_due() is None


@pytest.mark.parametrize("body", [b"{}", b'{"token": 3}', b'{"token": "a b"}', b'{"token": ""}', b"x"])
def test_an_unusable_answer_is_trouble(fresh: Agent, portal: Portal, folder: Folder, body: bytes) -> None:
    portal.fail("enrolment", Fault(200, body=body))
    with pytest.raises(Trouble):
        fresh.cycle()
    assert folder.token is None
    fresh.cycle()
    fresh.close()
    assert folder.token == TOKEN


def test_without_any_token_there_is_nothing_to_do(portal: Portal, folder: Folder) -> None:
    agent = Agent(Settings(f"{portal.url}/ddi", TENANT, CONTROLLER), folder, Stop())
    with pytest.raises(Unenrolled):
        agent.cycle()
    agent.close()


def test_no_token_is_ever_logged_or_shown(
    fresh: Agent, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "msp_agent")
    fresh.cycle()
    fresh.close()
    assert "once-only" not in caplog.text
    assert TOKEN not in caplog.text
    assert Path(folder.token_file).exists()
