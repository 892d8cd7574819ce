"""Scripts: run once, with nothing of the agent's surroundings, ended in time, and told with their last words."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from msp.agent.agent import Agent
from msp.agent.crash import EXIT_CODE, SCRIPT_POINTS
from msp.agent.folder import Folder
from msp.agent.script import ScriptExecutor
from msp.agent.settings import Settings
from msp.agent.stop import Stop, StopRequested
from tests.msp.agent.portal import Portal
from tests.msp.agent.process import CHECKOUT, command, environment, run_agent


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where the scripts leave a line each time they run."""
    return tmp_path / "marks"


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def agent(settings: Settings, folder: Folder, stop: Stop) -> Iterator[Agent]:
    agent = Agent(settings, folder, stop)
    yield agent
    agent.close()


def offer(portal: Portal, script: str, *, action: str = "9041", **metadata: str) -> dict[str, Any]:
    chunk = portal.chunk("", script.encode(), part="script")
    given = {"interpreter": "/bin/sh", "timeout_seconds": "60", **metadata}
    chunk["metadata"] = [{"key": key, "value": value} for key, value in given.items()]
    return portal.offer(action, {}, chunks=[chunk])


def ending(portal: Portal) -> tuple[str, int]:
    (report,) = portal.terminal()
    status = report.json["status"]
    return status["result"]["finished"], status["code"]


def details(portal: Portal) -> list[str]:
    found: list[str] = portal.terminal()[-1].json["status"]["details"]
    return found


def test_a_script_runs_and_its_last_words_are_told(agent: Agent, portal: Portal, folder: Folder) -> None:
    offer(portal, "for n in $(seq 40); do echo line $n; done")
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert details(portal) == [*(f"line {n}" for n in range(29, 41)), "the script ended well"]
    assert list((folder.path / "scripts").iterdir()) == []


def test_a_script_of_another_interpreter(agent: Agent, portal: Portal) -> None:
    offer(portal, "import sys; print(sys.argv)", interpreter="/usr/bin/python3")
    agent.cycle()
    assert ending(portal) == ("success", 0)


def test_nothing_of_the_agents_surroundings_reaches_it(
    agent: Agent, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the agent")
    offer(portal, "env; pwd; cat")
    agent.cycle()
    names = {line.partition("=")[0] for line in details(portal)[:-1]}
    assert names <= {
        "PATH",
        "HOME",
        "LC_ALL",
        "MSP_ACTION",
        "MSP_RELEASE",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
        "/",
    }
    assert "MSP_RELEASE=motd/7" in details(portal)


@pytest.mark.parametrize(
    ("script", "words"), [("echo oh; exit 3", "exit code 3"), ("kill -9 $$", "signal 9")]
)
def test_a_script_that_fails_says_how(agent: Agent, portal: Portal, script: str, words: str) -> None:
    offer(portal, script)
    agent.cycle()
    assert ending(portal) == ("failure", 12)
    assert words in details(portal)[-1]


def test_a_script_is_ended_in_time_with_all_that_it_started(
    agent: Agent, portal: Portal, marks: Path
) -> None:
    offer(portal, f"(sleep 600; echo late >> {marks}) & echo $! > {marks}; wait", timeout_seconds="1")
    began = time.monotonic()
    agent.cycle()
    assert ending(portal) == ("failure", 13)
    assert time.monotonic() - began < 30
    child = Path("/proc", marks.read_text().strip(), "stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_a_script_that_never_stops_talking_is_ended(
    agent: Agent, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msp.agent.script.MOST_BYTES", 10_000)
    offer(portal, "while :; do echo yes; done")
    agent.cycle()
    assert ending(portal) == ("failure", 12)
    assert "bytes of output" in details(portal)[-1]


def test_stopping_the_agent_ends_the_script_and_says_so(
    agent: Agent, portal: Portal, stop: Stop, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(executor: ScriptExecutor, *arguments: Any) -> Any:
        stop.requested = True
        return real(executor, *arguments)

    real = ScriptExecutor._run
    monkeypatch.setattr(ScriptExecutor, "_run", stopping)
    offer(portal, f"sleep 600; echo x >> {marks}")
    with pytest.raises(StopRequested):
        agent.cycle()
    (result,) = agent._ledger.unreported
    assert (result.outcome, result.code) == ("failure", 14)
    assert not marks.exists()


@pytest.mark.parametrize(
    "metadata",
    [
        {"interpreter": "/bin/bash -c"},
        {"interpreter": ""},
        {"timeout_seconds": "0"},
        {"timeout_seconds": "14401"},
        {"timeout_seconds": "x"},
        {"reboot": "now"},
        {"checks_before": "{}"},
        {"checks_after": '[{"kind":"shell","run":"true"}]'},
        {"platform": "[]"},
        {"platform": '{"systems":["plan9"]}'},
        {"platform": '{"architectures":["s390x"]}'},
        {"begin_until": "tomorrow"},
    ],
)
def test_what_the_agent_would_not_honour_is_unsupported(
    agent: Agent, portal: Portal, marks: Path, metadata: dict[str, str]
) -> None:
    offer(portal, f"echo x >> {marks}", **metadata)
    agent.cycle()
    assert ending(portal) == ("failure", 6)
    assert not marks.exists()


def test_a_window_that_is_over_leaves_the_action_for_another(
    agent: Agent, portal: Portal, marks: Path
) -> None:
    offer(portal, f"echo x >> {marks}", begin_until="2020-01-01T00:00:00+00:00")
    agent.cycle()
    agent.cycle()
    assert portal.feedback() == [("rejected", "none", 15)]
    assert not marks.exists()
    portal.offers.clear()
    offer(portal, f"echo x >> {marks}", begin_until="2999-01-01T00:00:00+00:00")
    agent.cycle()
    assert portal.feedback()[-1] == ("closed", "success", 0)
    assert marks.read_text() == "x\n"


def test_a_held_machine_runs_nothing(agent: Agent, portal: Portal, folder: Folder, marks: Path) -> None:
    folder.hold()
    offer(portal, f"echo x >> {marks}")
    agent.cycle()
    assert portal.feedback() == [("scheduled", "none", 7)]
    folder.release()
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert marks.read_text() == "x\n"


def test_a_cancellation_before_it_begins_is_honoured(
    agent: Agent, portal: Portal, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def placing(executor: ScriptExecutor, *arguments: Any) -> Any:
        portal.cancelling = "9041"
        return real(executor, *arguments)

    real = ScriptExecutor.intent
    monkeypatch.setattr(ScriptExecutor, "intent", placing)
    offer(portal, f"echo x >> {marks}")
    agent.cycle()
    assert portal.feedback("cancelAction") == [("closed", "success", 0)]
    assert not marks.exists()


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(shutil.which(one) for one in ("chroot", "ldd")),
    reason="needs root, chroot and ldd for a system of its own",
)
def test_a_script_runs_inside_the_system_in_a_folder(
    settings: Settings, folder: Folder, portal: Portal, tmp_path: Path
) -> None:
    system = tmp_path / "system"
    libraries = re.findall(r"(/\S+) \(0x", subprocess.check_output(["ldd", "/bin/sh"], text=True))
    for path in ("/bin/sh", *libraries):
        (system / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, system / path.lstrip("/"))
    agent = Agent(replace(settings, root=str(system)), folder, Stop())
    offer(portal, "echo inside > /mark")
    agent.cycle()
    agent.close()
    assert ending(portal) == ("success", 0)
    assert (system / "mark").read_text() == "inside\n"
    assert [*(system / "var/lib/msp-agent/scripts").iterdir()] == []
    other = Agent(replace(settings, root=str(system)), folder, Stop())
    offer(portal, "", action="9042", interpreter="/usr/bin/python3")
    other.cycle()
    other.close()
    assert portal.feedback()[-1] == ("closed", "failure", 6)


@pytest.mark.parametrize("point", SCRIPT_POINTS)
def test_a_crash_at_any_point_never_runs_it_twice(
    configured: Folder, portal: Portal, marks: Path, point: str
) -> None:
    offer(portal, f"echo x >> {marks}")
    assert run_agent("once", configured, crash_at=point) == EXIT_CODE
    before = marks.read_text() if marks.exists() else ""
    assert run_agent("once", configured) == 0
    after = marks.read_text() if marks.exists() else ""
    if point in ("intent-written", "begun-torn"):
        assert (before, after, ending(portal)) == ("", "x\n", ("success", 0))
    elif point == "result-written":
        assert (before, after, ending(portal)) == ("x\n", "x\n", ("success", 0))
    else:
        assert (before, ending(portal)) == (after, ("failure", 14))
        assert "not known" in details(portal)[-1]


def test_a_script_that_outlived_its_agent_is_waited_for(
    configured: Folder, portal: Portal, marks: Path, tmp_path: Path
) -> None:
    go, up = tmp_path / "go", tmp_path / "up"
    os.mkfifo(up)
    offer(portal, f"echo x >> {marks}; echo up > {up}; while [ ! -e {go} ]; do sleep 0.05; done")
    words = command("once", "--folder", str(configured.path))
    with subprocess.Popen(words, cwd=CHECKOUT, env=environment(), stderr=subprocess.DEVNULL) as process:
        assert up.read_text() == "up\n"
        process.kill()
    assert run_agent("once", configured) == 0
    assert portal.terminal() == []
    go.touch()
    lines = json.loads((configured.ledger.read_text().splitlines())[-1])
    assert lines["kind"] == "begun"
    for _ in range(50):
        assert run_agent("once", configured) == 0
        if portal.terminal():
            break
    assert ending(portal) == ("failure", 14)
    assert marks.read_text() == "x\n"
