"""The commands as a machine runs them: processes, signals, files."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from msp.agent.commands import main
from msp.agent.folder import Folder
from msp.agent.zipped import build
from tests.msp.agent.portal import Portal
from tests.msp.agent.process import CHECKOUT, command, environment, run_agent


def start(folder: Folder) -> subprocess.Popen[bytes]:
    words = command("run", "--folder", str(folder.path))
    return subprocess.Popen(
        words, cwd=CHECKOUT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def stop_within(process: subprocess.Popen[bytes], seconds: float, with_signal: int = signal.SIGTERM) -> int:
    begun = time.monotonic()
    process.send_signal(with_signal)
    code = process.wait(timeout=10)
    assert time.monotonic() - begun < seconds
    return code


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_waiting_agent_stops_at_once(configured: Folder, portal: Portal, which: int) -> None:
    process = start(configured)
    portal.wait_for("GET", 2)
    assert stop_within(process, 2, which) == 0
    assert "stopped" in configured.log.read_text()


def test_an_agent_in_a_slow_download_stops_at_once_and_goes_on_later(
    configured: Folder, portal: Portal
) -> None:
    portal.slow = threading.Event()
    portal.offer("9041", {"motd": b"x" * 5000})
    process = start(configured)
    assert portal.slow_started.wait(20)
    assert stop_within(process, 2) == 0
    assert portal.terminal() == []
    portal.slow.set()
    portal.slow = None
    assert run_agent("once", configured) == 0
    assert portal.feedback()[-1] == ("closed", "success", 0)
    assert (configured.root / "motd").read_bytes() == b"x" * 5000


def test_run_installs_and_keeps_polling(configured: Folder, portal: Portal) -> None:
    process = start(configured)
    portal.offer("9041", {"motd": b"hello"})
    portal.wait_for("feedback", 3)
    polled = len(portal.asked("GET"))
    portal.wait_for("GET", polled + 2)
    assert stop_within(process, 2) == 0
    assert (configured.root / "motd").read_bytes() == b"hello"


def test_two_agents_do_not_share_a_folder(configured: Folder, portal: Portal) -> None:
    process = start(configured)
    portal.wait_for("GET")
    assert run_agent("once", configured) == 1
    stop_within(process, 2)
    assert run_agent("once", configured) == 0


def test_hold_and_release(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for _ in range(2):
        assert main(["hold", "--folder", str(tmp_path)]) == 0
        assert folder.is_held
    for _ in range(2):
        assert main(["release", "--folder", str(tmp_path)]) == 0
        assert not folder.is_held


def test_inventory_prints_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "--folder", str(tmp_path)]) == 0
    assert "kernel" in json.loads(capsys.readouterr().out)
    assert main(["inventory", "--folder", str(tmp_path), "--packages"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"facts", "packages"}


@pytest.mark.parametrize("words", [[], ["dance"], ["run"], ["once", "--folder", "x", "--poll-seconds", "y"]])
def test_wrong_usage_is_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_unusable_settings_are_one_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["once", "--folder", str(tmp_path)]) == 1
    assert "url is missing" in capsys.readouterr().err


def test_a_damaged_ledger_stops_the_agent(configured: Folder) -> None:
    configured.ledger.write_text("garbage\n")
    assert run_agent("once", configured) == 1


def test_the_log_has_one_line_per_step(configured: Folder, portal: Portal) -> None:
    offer = portal.offer("9041", {"motd": b"hello"})
    offer["deployment"]["chunks"][0]["version"] = "7\n2026-01-01T00:00:00Z INFO forged \ud800"
    assert run_agent("once", configured) == 0
    lines = configured.log.read_text().splitlines()
    assert all(line[:2] == "20" and "Z " in line[:21] for line in lines)
    assert [line for line in lines if "forged" in line and not line.startswith("2026-01-01")]
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert "token-of" not in configured.log.read_text()


def test_the_zipped_agent_runs_alone(configured: Folder, portal: Portal, tmp_path: Path) -> None:
    app = tmp_path / "agent.pyz"
    build(app)
    portal.offer("9041", {"motd": b"hello"})

    def zipped(*words: str) -> int:
        line = [sys.executable, "-I", str(app), *words, "--folder", str(configured.path)]
        return subprocess.run(line, cwd=tmp_path, check=False, capture_output=True, timeout=30).returncode

    assert zipped("once") == 0
    assert (configured.root / "motd").read_bytes() == b"hello"
    portal.tokens.clear()
    assert zipped("once") == 1


def test_the_agent_imports_the_standard_library_only() -> None:
    words = "import sys, msp.agent.commands; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); {words}"],
        check=True,
        capture_output=True,
        text=True,
    )
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names) - {"msp", "__main__"}
    assert {name for name in foreign if not name.startswith(("_", "sitecustomize"))} == set()
