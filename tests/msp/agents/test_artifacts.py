"""Artifacts: who gets them, and how a broken download goes on."""

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from msp.agents import links
from msp.campaigns import storage
from tenants.foundation import time
from tests.msp.campaigns import fleet


@pytest.fixture
def rollout(app, cast, machine):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))


@pytest.fixture
def href(machine, rollout):
    """The signed link of the one file, without its host."""
    chunk = machine.take(machine.offered())["deployment"]["chunks"][0]
    parts = urlsplit(chunk["artifacts"][0]["_links"]["download"]["href"])
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def fetch(artifacts_app, href):
    """Ask the artifact server for the file, by default with the signed link."""

    def ask(path=None, method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with artifacts_app.test_client().open(path or href, method=method, headers=named) as answer:
            answer.get_data()
            return answer

    return ask


def plain(href):
    return href.partition("?")[0]


def test_a_signed_link_is_enough(fetch):
    answer = fetch()
    assert (answer.status_code, answer.data) == (200, fleet.BYTES)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(fleet.BYTES).hexdigest()}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert fetch(method="HEAD").headers["Content-Length"] == str(len(fleet.BYTES))


def test_the_asset_s_own_token_is_enough_too(fetch, href, machine):
    assert fetch(plain(href), Authorization=f"TargetToken {machine.token}").data == fleet.BYTES


def test_without_either_there_is_nothing(fetch, href, machine):
    assert fetch(plain(href)).status_code == 401
    assert fetch(plain(href), Authorization="TargetToken wrong").status_code == 401
    assert fetch(href.replace("signature=", "signature=0")).status_code == 401
    assert fetch(href.replace("until=", "until=1")).status_code == 401
    assert fetch(href.replace("/motd?", "/other?")).status_code == 401
    with time.frozen(time.now() + timedelta(days=8)):
        assert fetch().status_code == 401


def test_a_stranger_s_token_is_refused(fetch, href, stranger):
    assert fetch(plain(href), Authorization=f"TargetToken {stranger.token}").status_code == 403
    own = plain(href).replace("/acme/", "/globex/").replace("acme-pc-1", "globex-pc-1")
    assert fetch(own, Authorization=f"TargetToken {stranger.token}").status_code == 404


def test_a_release_that_was_not_fetched_yet_is_404(app, cast, artifacts_app, machine):
    fleet.start(fleet.draft(app, cast, slugs=("acme",)))
    path = links.artifact_path("acme", "acme-pc-1", 1, "motd")
    headers = {"Authorization": f"TargetToken {machine.token}"}
    assert artifacts_app.test_client().get(path, headers=headers).status_code == 404


def test_ranges(fetch):
    size = len(fleet.BYTES)
    part = fetch(Range="bytes=5-")
    assert (part.status_code, part.data) == (206, fleet.BYTES[5:])
    assert part.headers["Content-Range"] == f"bytes 5-{size - 1}/{size}"
    assert fetch(Range="bytes=0-3").data == fleet.BYTES[:4]
    assert fetch(Range=f"bytes={size}-").status_code == 416


def test_if_match_against_the_stored_digest(fetch):
    digest = hashlib.sha256(fleet.BYTES).hexdigest()
    assert fetch(If_Match=f'"{digest}"').status_code == 200
    assert fetch(If_Match='"another"').status_code == 412


def test_list_and_md5(fetch, href, machine):
    token = {"Authorization": f"TargetToken {machine.token}"}
    listed = fetch(plain(href).rpartition("/")[0], **token)
    assert [one["filename"] for one in listed.json] == ["motd"]
    md5 = hashlib.md5(fleet.BYTES, usedforsecurity=False).hexdigest()
    assert fetch(plain(href) + ".MD5SUM", **token).text == f"{md5}  motd"
    assert fetch(plain(href) + "x", **token).status_code == 404


def test_bytes_that_are_missing_on_disk_are_404(app, fetch):
    with app.app_context():
        storage.path_of(hashlib.sha256(fleet.BYTES).hexdigest()).unlink()
    assert fetch().status_code == 404


def test_nothing_else_is_served(artifacts_app, machine):
    client = artifacts_app.test_client()
    assert client.get("/healthz").json == {"state": "alive"}
    assert client.get("/console/campaigns").status_code == 401
    assert (
        client.get(machine.base, headers={"Authorization": f"TargetToken {machine.token}"}).status_code == 404
    )


def test_the_portal_itself_sends_no_files(machine, href):
    assert machine.ask("GET", plain(href).removeprefix(machine.base)).status_code == 404
