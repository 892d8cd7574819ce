"""A cancellation is honoured as long as nothing is installed, and refused afterwards."""

import threading
from collections.abc import Iterator

import pytest

from msp.agent import agent as agent_module
from msp.agent.agent import Agent
from msp.agent.folder import Folder
from msp.agent.install import Installer
from msp.agent.watch import Watch
from tests.msp.agent.portal import Fault, Portal

CANCELLED = [("closed", "success", 0)]


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "LOOK_SECONDS", 0.0)


@pytest.fixture
def trickling(portal: Portal) -> Iterator[Portal]:
    """Artifacts arrive byte by byte."""
    portal.slow = threading.Event()
    yield portal
    portal.slow.set()


def test_an_action_never_begun_is_cancelled(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"motd": b"hello"})
    portal.cancelling = "9041"
    agent.cycle()
    assert portal.feedback("cancelAction") == CANCELLED
    assert portal.feedback() == []
    assert list(folder.root.iterdir()) == []


def test_a_cancelled_action_is_not_installed_when_offered_again(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.cancelling = "9041"
    agent.cycle()
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert portal.feedback() == [("canceled", "none", 0)]
    assert list(folder.root.iterdir()) == []


@pytest.mark.usefixtures("watchful")
def test_a_slow_download_is_broken_off(agent: Agent, trickling: Portal, folder: Folder) -> None:
    portal = trickling
    portal.offer("9041", {"motd": b"x" * 100_000})

    def cancel() -> None:
        portal.slow_started.wait(10)
        portal.cancelling = "9041"

    thread = threading.Thread(target=cancel)
    thread.start()
    agent.cycle()
    thread.join()
    assert portal.feedback("cancelAction") == CANCELLED
    assert portal.terminal() == []
    assert list(folder.root.iterdir()) == []
    assert list(folder.downloads.iterdir()) == []


def test_a_cancellation_between_steps_leaves_nothing(
    agent: Agent, portal: Portal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Installer.stage

    def stage(installer: Installer, *arguments: object) -> None:
        real(installer, *arguments)  # type: ignore[arg-type]
        portal.cancelling = "9041"

    monkeypatch.setattr(Installer, "stage", stage)
    portal.offer("9041", {"one": b"1", "two": b"2"})
    agent.cycle()
    assert portal.feedback("cancelAction") == CANCELLED
    assert list(folder.root.iterdir()) == []


def test_a_cancellation_after_the_first_rename_comes_too_late(
    agent: Agent, portal: Portal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Installer.commit

    def commit(installer: Installer, *arguments: object) -> None:
        real(installer, *arguments)  # type: ignore[arg-type]
        portal.cancelling = "9041"

    monkeypatch.setattr(Installer, "commit", commit)
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    agent.cycle()
    assert portal.feedback()[-1] == ("closed", "success", 0)
    assert portal.feedback("cancelAction") == [("rejected", "none", 0)]
    assert (folder.root / "motd").read_bytes() == b"hello"


def test_a_cancellation_after_a_failure_is_rejected_too(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"../x": b"hello"})
    agent.cycle()
    portal.cancelling = "9041"
    agent.cycle()
    assert portal.feedback("cancelAction") == [("rejected", "none", 0)]


def test_a_cancellation_is_reported_until_acknowledged(agent: Agent, portal: Portal) -> None:
    portal.cancelling = "9041"
    portal.fail("POST", Fault(500))
    agent.cycle()
    agent.courier._due.clear()
    agent.cycle()
    assert portal.feedback("cancelAction") == CANCELLED * 2
    assert portal.cancelling is None


def test_a_repeated_cancellation_gets_the_same_answer(agent: Agent, portal: Portal) -> None:
    portal.cancelling = "9041"
    portal.keeps_offering = True
    agent.cycle()
    agent.cycle()
    assert portal.feedback("cancelAction") == CANCELLED * 2


def test_a_cancellation_while_held_is_honoured(agent: Agent, portal: Portal, folder: Folder) -> None:
    folder.hold()
    portal.cancelling = "9041"
    agent.cycle()
    assert portal.feedback("cancelAction") == CANCELLED


@pytest.mark.usefixtures("watchful")
def test_a_cancellation_of_another_action_does_not_stop_this_one(
    agent: Agent, portal: Portal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Watch.look

    def look(watch: Watch) -> None:
        portal.cancelling = "9000"
        real(watch)
        portal.cancelling = None

    monkeypatch.setattr(Watch, "look", look)
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert portal.feedback()[-1] == ("closed", "success", 0)


@pytest.mark.usefixtures("watchful")
@pytest.mark.parametrize(
    "fault", [Fault(500), Fault(401), Fault(429, retry_after="60"), Fault(200, body=b"x")]
)
def test_a_portal_that_does_not_answer_meanwhile_does_not_hold_up_the_work(
    agent: Agent, portal: Portal, fault: Fault
) -> None:
    portal.offer("9041", {"motd": b"hello"})
    unharmed = Fault(cut_after=0)
    portal.fail("GET /ddi/acme/controller/v1/acme-pc-1$", unharmed, fault)
    agent.cycle()
    assert portal.feedback()[-1] == ("closed", "success", 0)
