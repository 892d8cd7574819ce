"""Children: their session, log, descriptors and memory; ended, counted and started again."""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp.demo import leftovers, linux
from msp.demo.child import Child, Recipe
from msp.demo.signals import Signals

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
SECONDS = 20.0
SLEEP = (sys.executable, "-c", "import signal; signal.pause()  # msp.demo")


@pytest.fixture
def signals() -> Iterator[Signals]:
    """Signals heard by the test, as by a supervisor."""
    with Signals() as heard:
        yield heard


@pytest.fixture
def made(tmp_path: Path, signals: Signals) -> Iterator[list[Child]]:
    """Children that are ended when the test is over."""
    children: list[Child] = []
    yield children
    for child in children:
        child.send(signal.SIGKILL)
        ended(child, signals)


def child_of(made: list[Child], tmp_path: Path, recipe: Recipe) -> Child:
    made.append(Child(recipe, tmp_path / f"{recipe.name}.log"))
    return made[-1]


def ended(child: Child, signals: Signals) -> Child:
    """The child, once it has ended."""
    deadline = time.monotonic() + SECONDS
    while child.pid is not None and not child.collect():
        assert time.monotonic() < deadline
        signals.rest(0.1)
    return child


def test_a_fork_speaks_into_its_log_and_leaves_its_code(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    def act() -> None:
        print("hello", os.getsid(0) == os.getpid())
        raise SystemExit(3)

    child = child_of(made, tmp_path, Recipe("speaker", act))
    child.start(signals, [])
    assert ended(child, signals).exit_code == 3
    assert child.log.read_text() == "hello True\n"
    assert child.ended_how() == "exit code 3"


def test_a_failing_fork_explains_itself_and_never_returns(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    def act() -> None:
        raise ValueError("what went wrong")

    child = child_of(made, tmp_path, Recipe("failing", act))
    child.start(signals, [])
    assert ended(child, signals).exit_code == 1
    assert "ValueError: what went wrong" in child.log.read_text()


def test_a_program_knows_nothing_of_our_secrets(
    made: list[Child], tmp_path: Path, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "never told")
    show = (sys.executable, "-c", "import os; print(sorted(os.environ))")
    child = child_of(made, tmp_path, Recipe("host", program=show))
    child.start(signals, [])
    assert ended(child, signals).exit_code == 0
    assert "SECRET_KEY" not in child.log.read_text()
    assert "PATH" in child.log.read_text()


def test_a_child_keeps_only_the_sockets_it_is_given(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    near, far = socket.socketpair()
    kept, _kept_far = socket.socketpair()

    def act() -> None:
        print(near.fileno(), kept.fileno())

    child = child_of(made, tmp_path, Recipe("keeper", act, keeps=(kept,)))
    child.start(signals, [near, kept])
    ended(child, signals)
    assert child.log.read_text() == f"-1 {kept.fileno()}\n"
    for one in (near, far, kept, _kept_far):
        one.close()


def test_a_killed_child_may_start_again_after_a_growing_pause(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    child = child_of(made, tmp_path, Recipe("mortal", program=SLEEP))
    waits = []
    for _ in range(3):
        child.start(signals, [])
        child.send(signal.SIGKILL)
        assert ended(child, signals).ended_how() == "signal SIGKILL"
        waits.append(child.wait_seconds)
    assert 0 < waits[0] < waits[1] < waits[2] < 1.1


def test_a_large_log_makes_room(made: list[Child], tmp_path: Path, signals: Signals) -> None:
    child = child_of(made, tmp_path, Recipe("talker", lambda: print("new")))
    with child.log.open("wb") as log:
        log.truncate(6 * 1024 * 1024)
    child.start(signals, [])
    ended(child, signals)
    assert child.log.read_text() == "new\n"
    assert child.log.with_suffix(".log.1").stat().st_size == 6 * 1024 * 1024


def test_what_a_killed_demo_left_is_ended_and_nothing_else(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    left = child_of(made, tmp_path, Recipe("left", program=SLEEP))
    stranger = child_of(made, tmp_path, Recipe("stranger", program=SLEEP))
    left.start(signals, [])
    stranger.start(signals, [])
    _wait_for_program(left)
    _wait_for_program(stranger)
    stranger.started += 1  # the number was given anew since
    leftovers.write_down(tmp_path / "processes.json", os.getpid(), [left, stranger])
    assert leftovers.end_leftovers(tmp_path / "processes.json") == 1
    assert ended(left, signals).exit_code == -signal.SIGTERM
    assert stranger.pid
    assert linux.process(stranger.pid)


def _wait_for_program(child: Child) -> None:
    deadline = time.monotonic() + SECONDS
    while "msp.demo" not in Path(f"/proc/{child.pid}/cmdline").read_text():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"boot": "another", "children": {}}'])
def test_notes_that_say_nothing_end_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "processes.json").write_text(content)
    assert leftovers.end_leftovers(tmp_path / "processes.json") == 0
    assert leftovers.end_leftovers(tmp_path / "never-written.json") == 0


def test_the_process_table_knows_parents_and_children(
    made: list[Child], tmp_path: Path, signals: Signals
) -> None:
    child = child_of(made, tmp_path, Recipe("known", program=SLEEP))
    child.start(signals, [])
    assert child.pid in linux.descendants(os.getpid())
    child.send(signal.SIGKILL)
    ended(child, signals)
    assert child.pid not in linux.descendants(os.getpid())
