"""The ledger survives crashes and knows what was done."""

import json
import os
from pathlib import Path

import pytest

from msp.agent.ledger import Intent, Ledger, LedgerDamaged, Target

INTENT = Intent("7", "motd/7", (Target("etc/motd", "a" * 64, None),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_an_intent_stays_open_until_its_result(path: Path) -> None:
    ledger = Ledger(path)
    ledger.intend(INTENT)
    assert Ledger(path).open_intents == [INTENT]
    ledger.settle("7", "success", 0, ("done",), "motd/7")
    again = Ledger(path)
    assert again.open_intents == []
    assert [result.action for result in again.unreported] == ["7"]
    assert again.installed_release == "motd/7"


def test_an_acknowledged_result_is_reported_no_more(path: Path) -> None:
    ledger = Ledger(path)
    ledger.settle("7", "failure", 4, ("no",), "motd/7")
    ledger.acknowledge("7")
    ledger.acknowledge("7")
    again = Ledger(path)
    assert again.unreported == []
    assert again.is_reported("7")
    assert path.read_text().count('"reported"') == 1


def test_a_failure_changes_nothing_about_what_is_installed(path: Path) -> None:
    ledger = Ledger(path)
    ledger.settle("1", "success", 0, (), "motd/1")
    ledger.settle("2", "failure", 4, (), "motd/2")
    assert Ledger(path).installed_release == "motd/1"


def test_the_first_result_stands(path: Path) -> None:
    ledger = Ledger(path)
    ledger.settle("7", "failure", 1, ("first",), "motd/7")
    assert ledger.settle("7", "success", 0, ("second",), "motd/7").outcome == "failure"
    result = Ledger(path).result_of("7")
    assert result is not None
    assert result.details == ("first",)


def test_a_result_is_the_same_after_reading_it_back(path: Path) -> None:
    written = Ledger(path).settle("7", "failure", 3, ("kein Plätz \x00 \ud800", "two"), "motd/7")
    assert Ledger(path).result_of("7") == written


def test_a_voided_intent_may_be_announced_anew(path: Path) -> None:
    ledger = Ledger(path)
    ledger.intend(INTENT)
    ledger.void("7")
    ledger.intend(INTENT)
    assert Ledger(path).open_intents == [INTENT]


def test_only_one_intent_at_a_time(path: Path) -> None:
    ledger = Ledger(path)
    ledger.intend(INTENT)
    with pytest.raises(ValueError, match="one action at a time"):
        ledger.intend(Intent("8", "motd/8", ()))


def test_an_action_with_a_result_is_never_announced_again(path: Path) -> None:
    ledger = Ledger(path)
    ledger.settle("7", "success", 0, (), "motd/7")
    with pytest.raises(ValueError, match="has a result"):
        ledger.intend(INTENT)


def test_every_torn_last_line_is_cut_off(path: Path) -> None:
    ledger = Ledger(path)
    ledger.intend(INTENT)
    whole = path.stat().st_size
    ledger.settle("7", "success", 0, ("done",), "motd/7")
    content = path.read_bytes()
    for length in range(whole, len(content)):
        path.write_bytes(content[:length])
        torn = Ledger(path)
        assert torn.open_intents == [INTENT]
        assert path.stat().st_size == whole
        torn.close()


def test_after_a_torn_line_writing_goes_on(path: Path) -> None:
    ledger = Ledger(path)
    ledger.intend(INTENT)
    with path.open("ab") as file:
        file.write(b'{"kind":"resu')
    ledger.settle("7", "success", 0, (), "motd/7")
    assert Ledger(path).open_intents == []


@pytest.mark.parametrize("line", ["{", "[]", '{"kind":"dream","action":"1"}', '{"kind":"intent"}', '"x"'])
def test_a_damaged_line_in_the_middle_stops_everything(path: Path, line: str) -> None:
    Ledger(path).settle("7", "success", 0, (), "motd/7")
    path.write_text(line + "\n" + path.read_text())
    with pytest.raises(LedgerDamaged, match="line 1"):
        Ledger(path)


def test_a_record_is_on_disk_before_the_call_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync
    ledger = Ledger(path)

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.intend(INTENT)
    assert synced == [path.stat().st_size]
    assert json.loads(path.read_text())["kind"] == "intent"


def test_a_write_that_fails_is_not_believed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(path)
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        real(descriptor, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        ledger.intend(INTENT)
    monkeypatch.undo()
    assert ledger.open_intents == []
    ledger.intend(INTENT)
    assert Ledger(path).open_intents == [INTENT]
