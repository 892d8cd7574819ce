"""A result is reported until the portal has it, and no refusal keeps the agent from polling."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from msp.agent.agent import Agent, Loop, retry_cap
from msp.agent.backoff import Backoff, spread
from msp.agent.controller import Controller
from msp.agent.courier import Courier
from msp.agent.folder import Folder
from msp.agent.ledger import Ledger
from msp.agent.settings import Settings
from msp.agent.stop import Stop, StopRequested
from msp.agent.wire import RETRY_CAP, Wire, retry_after
from tests.msp.agent.portal import TOKEN, Fault, Portal

FEEDBACK = "POST"


@dataclass
class Hands:
    """A clock that stands still until moved."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ledger(folder: Folder) -> Iterator[Ledger]:
    ledger = Ledger(folder.ledger)
    ledger.settle("9041", "success", 0, ("done",), "motd/7")
    yield ledger
    ledger.close()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def courier(portal: Portal, settings: Settings, ledger: Ledger, clock: Hands) -> Courier:
    controller = Controller(Wire(settings.url, Stop()), settings.base)
    controller.identify(TOKEN)
    return Courier(controller, ledger, lambda: {"boot_id": "boot"}, clock)


def test_an_acknowledged_report_is_sent_once(courier: Courier, portal: Portal) -> None:
    courier.deliver()
    courier.deliver()
    assert len(portal.terminal()) == 1
    assert courier.next_due() is None


def test_the_same_report_is_the_same_bytes(courier: Courier, portal: Portal) -> None:
    portal.fail(FEEDBACK, Fault(500))
    courier.deliver()
    courier._clock.seconds += 400  # type: ignore[attr-defined]
    courier.deliver()
    first, second = portal.terminal()
    assert first.body == second.body


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (Fault(429, retry_after="120"), 120, 132),
        (Fault(503, retry_after="40"), 40, 44),
        (Fault(429), 60, 66),
        (Fault(500), 1, 2),
        (Fault(503), 1, 2),
        (Fault(401), 30, 60),
        (Fault(403), 30, 60),
        (Fault(404), 30, 60),
        (Fault(410), 30, 60),
        (Fault(400), 30, 60),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Fault) else str(value),
)
def test_every_refusal_is_waited_out(
    courier: Courier, portal: Portal, clock: Hands, ledger: Ledger, fault: Fault, least: float, most: float
) -> None:
    portal.fail(FEEDBACK, fault)
    courier.deliver()
    due = courier.next_due()
    assert due is not None
    assert least <= due - clock.seconds <= most
    courier.deliver()
    assert len(portal.terminal()) == 1
    clock.seconds = due
    courier.deliver()
    assert ledger.unreported == []


def test_repeated_refusals_are_retried_ever_more_slowly_but_never_dropped(
    courier: Courier, portal: Portal, clock: Hands, ledger: Ledger
) -> None:
    portal.tokens.clear()
    for _ in range(20):
        courier.deliver()
        due = courier.next_due()
        assert due is not None
        assert due - clock.seconds <= 3600
        clock.seconds = due
    assert due is not None
    portal.tokens.add(TOKEN)
    courier.deliver()
    assert ledger.unreported == []


def test_a_portal_that_takes_no_facts_still_gets_the_report(courier: Courier, portal: Portal) -> None:
    portal.fail("PUT", Fault(400))
    courier.deliver()
    assert len(portal.terminal()) == 1


def test_the_facts_come_before_the_report(courier: Courier, portal: Portal) -> None:
    portal.fail("PUT", Fault(500))
    courier.deliver()
    assert portal.terminal() == []


def test_a_report_refused_for_ever_does_not_stop_polling_or_other_work(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.offer("1", {"motd": b"one"})
    portal.fail("deploymentBase/1/feedback", *[Fault(410)] * 50)
    for _ in range(3):
        agent.cycle()
    assert len(portal.terminal()) == 1
    portal.offers.clear()
    portal.offer("2", {"motd": b"two"})
    agent.cycle()
    assert (folder.root / "motd").read_bytes() == b"two"
    assert portal.terminal()[-1].json["id"] == "2"


def test_lost_progress_does_not_hold_up_the_work(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"motd": b"hello"})
    portal.fail(FEEDBACK, Fault(429, retry_after="3600"))
    agent.cycle()
    assert portal.feedback() == [("proceeding", "none", 0), ("closed", "success", 0)]


def test_a_busy_portal_is_left_alone_for_as_long_as_it_asks(agent: Agent, portal: Portal) -> None:
    portal.fail("GET", Fault(429, retry_after="90"))
    assert 90 <= Loop(agent, Stop()).step() <= 99


def test_failed_polls_wait_longer_each_time_and_recover(agent: Agent, portal: Portal) -> None:
    loop = Loop(agent, Stop(), retry_cap=20)
    portal.fail("GET", *[Fault(500)] * 8)
    waits = [loop.step() for _ in range(8)]
    assert all(1 <= wait <= 20 for wait in waits)
    assert waits[-1] >= 10
    assert loop.step() == 300


def test_an_unexpected_fault_does_not_end_the_loop(
    agent: Agent, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(agent, Stop())

    def broken(_ledger: Ledger, _intent: object) -> None:
        raise OSError(28, "No space left on device")

    portal.offer("9041", {"motd": b"hello"})
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "intend", broken)
        assert loop.step() <= 2
    assert portal.terminal() == []
    assert loop.step() == 300
    assert portal.feedback()[-1] == ("closed", "success", 0)


def test_the_loop_delivers_between_polls_and_ends_when_told(
    agent: Agent, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.offer("9041", {"motd": b"hello"})
    portal.fail("deploymentBase/9041/feedback", Fault(200), Fault(200), Fault(500))
    clock, stop = Hands(), Stop()
    monkeypatch.setattr(agent.courier, "_clock", clock)
    polls: list[int] = []

    def wait(seconds: float) -> None:
        polls.append(len(portal.asked("GET /ddi/acme/controller/v1/acme-pc-1")))
        clock.seconds += seconds
        if len(portal.terminal()) == 2:
            raise StopRequested

    monkeypatch.setattr(stop, "wait", wait)
    with pytest.raises(StopRequested):
        Loop(agent, stop, clock=clock).run()
    assert len(set(polls)) == 1


def test_retry_after_may_be_a_number_or_a_date() -> None:
    assert retry_after("120", 0) == 120
    assert retry_after(" 7 ", 0) == 7
    assert retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 60) == 60
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 60) == 0
    assert retry_after("99999999999", 0) == RETRY_CAP
    assert retry_after("soon", 0) is None
    assert retry_after("-5", 0) is None
    assert retry_after(None, 0) is None


def test_waits_double_up_to_the_cap_and_are_spread() -> None:
    longest = Backoff(2, 60, chance=lambda: 1.0)
    assert [longest.next() for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    longest.reset()
    assert longest.next() == 2
    assert Backoff(2, 60, chance=lambda: 0.0).next() == 1
    assert spread(100, lambda: 0.5) == 105


def test_short_polling_means_short_retries() -> None:
    assert retry_cap(Settings("u", "t", "c")) == 900
    assert retry_cap(Settings("u", "t", "c", poll_seconds=1)) == 10
    assert retry_cap(Settings("u", "t", "c", poll_seconds=60)) == 240
