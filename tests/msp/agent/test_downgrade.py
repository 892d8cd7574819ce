"""Files: an older version of what is in place needs leave that names from where."""

import pytest

from msp.agent.agent import Agent
from msp.agent.folder import Folder
from tests.msp.agent.portal import Portal


def offer(portal: Portal, action: str, version: str, leave: str | None = None) -> None:
    chunk = portal.chunk("motd", version.encode())
    chunk["version"] = version
    if leave is not None:
        chunk["metadata"].append({"key": "downgrade_from", "value": leave})
    portal.offer(action, {}, chunks=[chunk])


@pytest.mark.parametrize(
    ("leave", "ending"),
    [
        (None, ("failure", 16)),
        ("9", ("failure", 16)),
        ("10", ("success", 0)),
        ("motd/10", ("success", 0)),
        ('{"motd":"10"}', ("success", 0)),
    ],
)
def test_an_older_version_needs_leave(
    agent: Agent, portal: Portal, folder: Folder, leave: str | None, ending: tuple[str, int]
) -> None:
    offer(portal, "1", "10")
    agent.cycle()
    offer(portal, "2", "9", leave)
    agent.cycle()
    assert portal.feedback()[-1] == ("closed", *ending)
    assert (folder.root / "motd").read_text() == ("9" if ending[0] == "success" else "10")


def test_newer_and_other_releases_need_none(agent: Agent, portal: Portal, folder: Folder) -> None:
    for action, version in enumerate(("1", "2", "2", "10")):
        offer(portal, str(action), version)
        agent.cycle()
    assert (folder.root / "motd").read_text() == "10"
