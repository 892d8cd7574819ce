"""Downloads resume, end, and are believed only when their digest fits."""

from pathlib import Path

import pytest

from msp.agent import download
from msp.agent.agent import Agent
from msp.agent.folder import Folder
from msp.agent.stop import Stop
from msp.agent.wire import Busy, Trouble, Wire
from tests.msp.agent.portal import Fault, Portal, serving

CONTENT = bytes(range(256)) * 2000
ARTIFACTS = "/artifacts/"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(download, "LONGEST_WAIT", 0.001)


def ending(portal: Portal) -> tuple[str, int]:
    return portal.feedback()[-1][1], portal.feedback()[-1][2]


def ranges(portal: Portal) -> list[str | None]:
    return [r.headers.get("Range") for r in portal.asked(ARTIFACTS)]


def test_a_cut_download_goes_on_where_it_ended(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, Fault(cut_after=100_000), Fault(cut_after=200_000))
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert ranges(portal) == [None, "bytes=100000-", "bytes=300000-"]
    assert (folder.root / "big").read_bytes() == CONTENT


def test_without_range_support_it_begins_anew(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.ranges = False
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, Fault(cut_after=100_000))
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert (folder.root / "big").read_bytes() == CONTENT


def test_many_cuts_that_bring_something_are_no_failure(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, *[Fault(cut_after=30_000)] * 12)
    agent.cycle()
    assert ending(portal) == ("success", 0)


def test_five_attempts_in_a_row_that_bring_nothing_are_a_failure(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, *[Fault(500)] * 5)
    agent.cycle()
    assert ending(portal) == ("failure", 5)
    assert len(portal.asked(ARTIFACTS)) == 5


def test_a_missing_artifact_is_a_failure_at_once(agent: Agent, portal: Portal) -> None:
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, Fault(404))
    agent.cycle()
    assert ending(portal) == ("failure", 5)


def test_a_busy_server_is_no_failure(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"big": CONTENT})
    portal.fail(ARTIFACTS, Fault(cut_after=1000), Fault(429, retry_after="7"))
    with pytest.raises(Busy) as busy:
        agent.cycle()
    assert busy.value.retry_after == 7
    assert portal.terminal() == []
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert ranges(portal) == [None, "bytes=1000-", "bytes=1000-"]


def test_a_wrong_digest_is_never_installed(agent: Agent, portal: Portal, folder: Folder) -> None:
    offer = portal.offer("9041", {"big": CONTENT})
    offer["deployment"]["chunks"][0]["artifacts"][0]["hashes"]["sha256"] = "0" * 64
    agent.cycle()
    assert ending(portal) == ("failure", 1)
    assert not (folder.root / "big").exists()
    assert len(portal.asked(ARTIFACTS)) == 1


def test_content_longer_than_announced_is_refused(agent: Agent, portal: Portal) -> None:
    offer = portal.offer("9041", {"big": CONTENT})
    offer["deployment"]["chunks"][0]["artifacts"][0]["size"] = 1000
    agent.cycle()
    assert ending(portal) == ("failure", 1)


def test_content_shorter_than_announced_is_refused(agent: Agent, portal: Portal) -> None:
    offer = portal.offer("9041", {"big": CONTENT})
    offer["deployment"]["chunks"][0]["artifacts"][0]["size"] = len(CONTENT) + 1
    agent.cycle()
    assert ending(portal) == ("failure", 5)
    assert len(portal.asked(ARTIFACTS)) < 20


def test_an_empty_file_is_a_file(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"empty": b""})
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert (folder.root / "empty").read_bytes() == b""


@pytest.mark.parametrize("leftover", [b"other content", CONTENT[::-1], CONTENT + b"more", CONTENT])
def test_a_leftover_that_does_not_fit_is_thrown_away(
    agent: Agent, portal: Portal, folder: Folder, leftover: bytes
) -> None:
    portal.offer("9041", {"big": CONTENT})
    (folder.downloads / "9041").mkdir()
    (folder.downloads / "9041/0.part").write_bytes(leftover)
    agent.cycle()
    assert ending(portal) == ("success", 0)
    assert (folder.root / "big").read_bytes() == CONTENT


def test_downloads_of_actions_taken_back_are_removed(agent: Agent, portal: Portal, folder: Folder) -> None:
    (folder.downloads / "7").mkdir()
    (folder.downloads / "7/0.part").write_bytes(b"old")
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert list(folder.downloads.iterdir()) == []


def test_a_redirect_is_followed_without_the_credential(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.offer("9041", {"motd": b"hello"})
    with serving() as mirror:
        mirror.fail("GET /signed", Fault(200, body=b"hello"))
        portal.fail(ARTIFACTS, Fault(302, location=f"{mirror.url}/signed?x=1"))
        agent.cycle()
        assert "Authorization" not in mirror.requests[0].headers
    assert ending(portal) == ("success", 0)


def test_an_artifact_elsewhere_gets_no_credential(agent: Agent, portal: Portal) -> None:
    offer = portal.offer("9041", {"motd": b"hello"})
    with serving() as mirror:
        mirror.fail("GET /cdn", Fault(200, body=b"hello"))
        links = {"download": {"href": f"{mirror.url}/cdn/motd"}}
        offer["deployment"]["chunks"][0]["artifacts"][0]["_links"] = links
        agent.cycle()
        assert "Authorization" not in mirror.requests[0].headers
    assert ending(portal) == ("success", 0)


def test_redirects_in_a_circle_end(agent: Agent, portal: Portal) -> None:
    offer = portal.offer("9041", {"motd": b"hello"})
    href = offer["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"]["href"]
    portal.fail(ARTIFACTS, *[Fault(302, location=href)] * 25)
    agent.cycle()
    assert ending(portal) == ("failure", 5)


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://a b/", "//x", "x\r\ny"]
)
def test_other_addresses_are_not_opened(agent: Agent, portal: Portal, href: str) -> None:
    offer = portal.offer("9041", {"motd": b"hello"})
    offer["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"]["href"] = href
    agent.cycle()
    assert ending(portal) == ("failure", 5)


def test_an_https_portal_never_leads_to_plain_http() -> None:
    wire = Wire("https://portal.example", Stop())
    with pytest.raises(Trouble, match="plain http"), wire.open("GET", "http://portal.example/x", {}):
        pass


def test_a_full_disk_is_not_taken_for_the_network(
    agent: Agent, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def no_space(path: Path, mode: str = "r", *rest: object, **named: object) -> object:
        if path.suffix == ".part" and mode == "ab":
            raise OSError(28, "No space left on device")
        return real(path, mode, *rest, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", no_space)
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert ending(portal) == ("failure", 3)
    assert len(portal.asked(ARTIFACTS)) == 1


def test_an_answer_in_pieces_that_never_ends_is_given_up(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(portal.url, Stop())
    monkeypatch.setattr(wire, "block", lambda _response: b"x" * 1_000_000)
    portal.fail("GET", Fault(200))
    with pytest.raises(Trouble, match="too long"):
        wire.ask("GET", f"{portal.url}/")


def test_nobody_listening_is_trouble() -> None:
    with pytest.raises(Trouble):
        Wire("http://127.0.0.1:9", Stop()).ask("GET", "http://127.0.0.1:9/")
