"""One cycle against a portal: offers are installed once, told truthfully, and never in the way of polling."""

import json
from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.documents import INSTRUCTIONS
from msp.agent.folder import Folder
from msp.agent.ledger import Ledger
from msp.agent.settings import Settings
from msp.agent.stop import Stop
from msp.agent.wire import Busy, Refused, Trouble
from tests.msp.agent.portal import Fault, Portal

SUCCESS, FAILURE = ("closed", "success"), ("closed", "failure")


def files_below(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def ending(portal: Portal) -> tuple[str, str, int]:
    """The one terminal report that arrived."""
    assert len(portal.terminal()) == 1
    return portal.feedback()[-1]


def test_a_quiet_portal_is_polled_in_its_own_time(agent: Agent, portal: Portal) -> None:
    portal.sleep = "00:04:37"
    assert agent.cycle() == 277
    assert [(r.method, r.path) for r in portal.requests] == [("GET", "/ddi/acme/controller/v1/acme-pc-1")]
    assert portal.requests[0].headers["Authorization"].startswith("TargetToken ")


def test_a_release_is_installed_and_told_in_order(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"etc/motd": b"hello", "usr/share/big": b"x" * 3_000_000})
    agent.cycle()
    assert files_below(folder.root) == {"etc/motd": b"hello", "usr/share/big": b"x" * 3_000_000}
    assert portal.feedback() == [("proceeding", "none", 0), ("downloaded", "none", 0), (*SUCCESS, 0)]
    lines = [f"{r.method} {r.path.rsplit('/', 1)[-1]}" for r in portal.requests]
    assert lines[-2:] == ["PUT configData", "POST feedback"]
    data = portal.asked("PUT")[0].json
    assert data["mode"] == "merge"
    assert data["data"]["installed_release"] == "motd/7,motd/7"
    assert data["data"]["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert all(r.json["id"] == "9041" for r in portal.asked("feedback"))


def test_nothing_is_left_over_after_an_installation(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"etc/motd": b"hello"})
    agent.cycle()
    assert list(folder.downloads.iterdir()) == []
    assert [p.name for p in (folder.root / "etc").iterdir()] == ["motd"]
    assert (folder.root / "etc/motd").stat().st_mode & 0o777 == 0o644


def test_several_artifacts_of_a_chunk_go_into_its_folder(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    offer = portal.offer("9041", {"opt/app/": b"one"})
    extra = portal.chunk("", b"two")["artifacts"]
    offer["deployment"]["chunks"][0]["artifacts"] += extra
    agent.cycle()
    assert files_below(folder.root) == {"opt/app/a0.bin": b"one", "opt/app/a1.bin": b"two"}


def test_a_file_that_is_right_already_is_not_written_again(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    (folder.root / "motd").write_bytes(b"hello")
    before = (folder.root / "motd").stat()
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    after = (folder.root / "motd").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert ending(portal) == (*SUCCESS, 0)


def test_an_action_offered_again_is_reported_again_and_not_installed(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.keeps_offering = True
    portal.offer("9041", {"motd": b"hello"})
    for _ in range(3):
        agent.cycle()
        inode = (folder.root / "motd").stat().st_ino
    assert (folder.root / "motd").stat().st_ino == inode
    assert len({r.body for r in portal.terminal()}) == 1
    assert len(portal.terminal()) == 3
    assert len(portal.asked("artifacts")) == 1


def test_two_actions_one_after_the_other(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("1", {"motd": b"one"})
    agent.cycle()
    portal.offer("2", {"motd": b"two"})
    agent.cycle()
    assert files_below(folder.root) == {"motd": b"two"}
    assert len(portal.terminal()) == 2


@pytest.mark.parametrize("kind", ["deb", "script", "os", ""])
def test_other_kinds_are_unsupported_and_touch_nothing(
    agent: Agent, portal: Portal, folder: Folder, kind: str
) -> None:
    offer = portal.offer("9041", {"motd": b"hello"})
    offer["deployment"]["chunks"].append(portal.chunk("x", b"x", part=kind))
    agent.cycle()
    assert ending(portal) == (*FAILURE, 6)
    assert "unsupported" in portal.terminal()[0].json["status"]["details"][0]
    assert portal.asked("artifacts") == []
    assert files_below(folder.root) == {}


def test_a_release_without_files_is_no_success(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {})
    agent.cycle()
    assert ending(portal) == (*FAILURE, 6)


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "link/evil", "a\\evil", "a\0"], ids=ascii
)
def test_a_path_outside_root_is_refused(agent: Agent, portal: Portal, folder: Folder, path: str) -> None:
    (folder.root / "link").symlink_to("..")
    portal.offer("9041", {path: b"evil"})
    agent.cycle()
    assert ending(portal) == (*FAILURE, 2)
    assert list(folder.path.parent.rglob("evil*")) == []


def test_a_root_marked_read_only_fails(agent: Agent, portal: Portal, folder: Folder) -> None:
    (folder.root / ".readonly").touch()
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert ending(portal) == (*FAILURE, 4)
    assert portal.terminal()[0].json["status"]["details"] == ["root is marked read-only"]


def test_a_folder_in_place_of_the_target_fails(agent: Agent, portal: Portal, folder: Folder) -> None:
    (folder.root / "motd").mkdir()
    portal.offer("9041", {"motd": b"hello", "other": b"x"})
    agent.cycle()
    assert ending(portal) == (*FAILURE, 4)
    assert files_below(folder.root) == {}


def test_a_full_disk_fails(portal: Portal, folder: Folder, settings: Settings) -> None:
    greedy = Settings(**{**vars(settings), "minimum_free_bytes": 1 << 60})
    agent = Agent(greedy, folder, Stop())
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    agent.close()
    assert ending(portal) == (*FAILURE, 3)
    assert "bytes free" in portal.terminal()[0].json["status"]["details"][0]


def test_a_target_that_stands_in_anothers_way_fails_without_a_change(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.offer("9041", {"a": b"file", "a/b": b"below it"})
    agent.cycle()
    assert ending(portal) == (*FAILURE, 4)
    assert files_below(folder.root) == {}


@pytest.mark.parametrize("update", [None, "later"])
def test_an_unknown_instruction_is_a_failure_and_never_a_success(
    agent: Agent, portal: Portal, folder: Folder, update: object
) -> None:
    portal.offer("9041", {"motd": b"hello"}, update=update)
    agent.cycle()
    assert ending(portal) == (*FAILURE, 6)
    assert files_below(folder.root) == {}


def test_skip_downloads_and_waits(agent: Agent, portal: Portal, folder: Folder) -> None:
    assert "skip" in INSTRUCTIONS
    portal.offer("9041", {"motd": b"hello"}, update="skip")
    agent.cycle()
    agent.cycle()
    assert portal.feedback() == [("proceeding", "none", 0), ("downloaded", "none", 0)]
    assert files_below(folder.root) == {}
    portal.offers[0]["deployment"]["update"] = "forced"
    agent.cycle()
    assert ending(portal) == (*SUCCESS, 0)
    assert len(portal.asked("artifacts")) == 1


def test_a_skipped_download_waits_too(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"motd": b"hello"}, download="skip", update="skip")
    agent.cycle()
    assert portal.feedback() == [("scheduled", "none", 0)]
    assert portal.asked("artifacts") == []


def test_a_held_agent_does_nothing_until_released(agent: Agent, portal: Portal, folder: Folder) -> None:
    folder.hold()
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    agent.cycle()
    assert portal.feedback() == [("scheduled", "none", 7)]
    assert portal.asked("artifacts") == []
    folder.release()
    agent.cycle()
    assert ending(portal) == (*SUCCESS, 0)


def test_a_hold_in_the_middle_stops_at_the_next_step(
    agent: Agent, portal: Portal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ledger.intend

    def hold_then_intend(ledger: Ledger, intent: object) -> None:
        folder.hold()
        real(ledger, intent)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "intend", hold_then_intend)
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert portal.terminal() == []
    assert files_below(folder.root) == {}
    monkeypatch.undo()
    folder.release()
    agent.cycle()
    assert ending(portal) == (*SUCCESS, 0)


def test_an_offer_withdrawn_in_between_is_no_failure(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"motd": b"hello"})
    portal.fail("GET /ddi/acme/controller/v1/acme-pc-1/deploymentBase", Fault(404))
    agent.cycle()
    assert portal.terminal() == []
    agent.cycle()
    assert ending(portal) == (*SUCCESS, 0)


def test_a_document_of_another_action_is_not_carried_out(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.offer("9041", {"motd": b"hello"})
    real = portal.poll_document()
    portal.offers[0]["id"] = "9042"
    portal.fail("GET /ddi/acme/controller/v1/acme-pc-1", Fault(200, body=encoded(real)))
    with pytest.raises(Trouble, match="another action"):
        agent.cycle()
    assert files_below(folder.root) == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(500), Trouble),
        (Fault(401), Refused),
        (Fault(302, location="http://127.0.0.1:1/"), Trouble),
        (Fault(200, body=b"<html>"), Trouble),
        (Fault(200, body=b"[]"), Trouble),
        (Fault(200, body=b"[" * 100_000), Trouble),
        (Fault(429), Busy),
    ],
)
def test_a_poll_that_fails_raises_and_the_next_one_works(
    agent: Agent, portal: Portal, fault: Fault, error: type[Exception]
) -> None:
    portal.fail("GET", fault)
    with pytest.raises(error):
        agent.cycle()
    assert agent.cycle() == 300


def test_links_to_another_origin_are_not_followed(agent: Agent, portal: Portal) -> None:
    href = "http://127.0.0.1:1/deploymentBase/9041"
    portal.fail("GET", Fault(200, body=encoded({"_links": {"deploymentBase": {"href": href}}})))
    with pytest.raises(Trouble, match="another origin"):
        agent.cycle()


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()
