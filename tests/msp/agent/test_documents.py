"""Documents of the portal are checked, never guessed at."""

import copy
from typing import Any

import pytest

from msp.agent.documents import Malformed, action_of, feedback, read_cancel, read_deployment, read_poll
from msp.agent.reasons import Reason

DEPLOYMENT: dict[str, Any] = {
    "id": "9041",
    "deployment": {
        "download": "forced",
        "update": "attempt",
        "chunks": [
            {
                "part": "file",
                "name": "motd",
                "version": "7",
                "artifacts": [
                    {
                        "filename": "motd",
                        "size": 3,
                        "hashes": {"sha1": "x", "sha256": "AB" * 32},
                        "_links": {"download-http": {"href": "http://h/x"}},
                    }
                ],
            }
        ],
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The deployment with one member set, or taken out when the value is None."""
    document = copy.deepcopy(DEPLOYMENT)
    *way, last = path.split("/")
    place: Any = document
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def test_a_deployment_is_read() -> None:
    deployment = read_deployment(DEPLOYMENT)
    assert deployment.action == "9041"
    assert deployment.release == "motd/7"
    artifact = deployment.chunks[0].artifacts[0]
    assert (artifact.sha256, artifact.href) == ("ab" * 32, "http://h/x")


CHUNK = "deployment/chunks/0"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("deployment/update", None, Reason.UNSUPPORTED),
        ("deployment/update", "soon", Reason.UNSUPPORTED),
        ("deployment/download", None, Reason.UNSUPPORTED),
        ("deployment/chunks", "x", Reason.UNSUPPORTED),
        ("deployment", [], Reason.UNSUPPORTED),
        (f"{CHUNK}/part", None, Reason.UNSUPPORTED),
        (f"{CHUNK}/version", 7, Reason.UNSUPPORTED),
        (f"{CHUNK}/metadata", [3], Reason.UNSUPPORTED),
        (f"{CHUNK}/artifacts/0/size", -1, Reason.UNSUPPORTED),
        (f"{CHUNK}/artifacts/0/size", True, Reason.UNSUPPORTED),
        (f"{CHUNK}/artifacts/0/size", "3", Reason.UNSUPPORTED),
        (f"{CHUNK}/artifacts/0/hashes", {"sha1": "x"}, Reason.DIGEST),
        (f"{CHUNK}/artifacts/0/hashes/sha256", "short", Reason.DIGEST),
        (f"{CHUNK}/artifacts/0/_links", {}, Reason.DOWNLOAD),
        ("id", "../9041", Reason.UNSUPPORTED),
        ("id", True, Reason.UNSUPPORTED),
        ("id", "", Reason.UNSUPPORTED),
    ],
)
def test_a_deployment_that_is_not_plain_is_refused(path: str, value: object, reason: Reason) -> None:
    with pytest.raises(Malformed) as refusal:
        read_deployment(changed(path, value))
    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("sleep", "seconds"),
    [
        ("00:04:37", 277.0),
        ("23:59:59", 86399.0),
        ("00:00:00", 300.0),
        ("x", 300.0),
        (5, 300.0),
        (None, 300.0),
    ],
)
def test_the_time_between_polls_is_read(sleep: object, seconds: float) -> None:
    assert read_poll({"config": {"polling": {"sleep": sleep}}}).sleep == seconds


@pytest.mark.parametrize("links", [None, [], "x", {"deploymentBase": 3}, {"deploymentBase": {"href": ""}}])
def test_unusable_links_are_no_links(links: object) -> None:
    assert read_poll({"_links": links}).deployment is None


def test_the_action_is_named_by_the_link_and_by_the_cancel_document() -> None:
    assert action_of("https://h/ddi/acme/controller/v1/x/deploymentBase/9041?c=3") == "9041"
    assert read_cancel({"id": "1", "cancelAction": {"stopId": "9041"}}) == "9041"
    assert read_cancel({"cancelAction": {"stopId": 9041}}) == "9041"


@pytest.mark.parametrize("href", ["https://h/deploymentBase/", "https://h/deploymentBase/a%20b", "x" * 99])
def test_a_link_without_an_action_is_refused(href: str) -> None:
    with pytest.raises(Malformed):
        action_of(href)


def test_feedback_keeps_to_the_portals_limits() -> None:
    document = feedback("9041", "closed", "failure", code=4, details=("x" * 9000,) * 99, at=5)
    details = document["status"]["details"]
    assert document["id"] == "9041"
    assert (len(details), len(details[0])) == (50, 512)
