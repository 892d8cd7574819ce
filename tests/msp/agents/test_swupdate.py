"""Debian's swupdate as it really behaves, and that the portal is not misled by it."""

import json
import os
import shutil
import time as wall
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Response, request
from sqlalchemy import select

from msp.campaigns import services
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.agents import swupdate
from tests.msp.agents.recorded import hurried, recording
from tests.msp.campaigns import fleet

pytestmark = pytest.mark.skipif(swupdate.PROGRAM is None, reason="swupdate is not installed")
PAYLOAD = b"the new configuration\n"


@pytest.fixture(scope="session")
def signer(tmp_path_factory) -> Path:
    """A folder with the release engineers' key."""
    folder = tmp_path_factory.mktemp("signer")
    swupdate.make_key(folder)
    return folder


@pytest.fixture
def wire(app):
    with recording(app) as found:
        yield found


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "installed"


@pytest.fixture
def image(signer, target) -> bytes:
    return swupdate.make_image(signer, target, PAYLOAD)


@pytest.fixture
def client(served, machine, signer, tmp_path) -> swupdate.Client:
    """The machine's daemon, not started yet."""
    shutil.copy(signer / "certificate.pem", tmp_path)
    return swupdate.Client(tmp_path, f"{served.portal}/ddi", "acme", machine.name, machine.token)


@pytest.fixture
def rollout(app, cast, machine, image):
    """A running campaign whose release holds the image."""
    machine.tell_facts(boot_id="b-1")
    return fleet.start(fleet.draft(app, cast, slugs=("acme",), files=[("fix.swu", image)]))


def label(rollout) -> str:
    lane = rollout.lanes()[0]
    return f"{lane.release_name}/{lane.release_version}"


def test_the_whole_cycle_ends_verified_after_the_next_start(client, machine, rollout, wire, target):
    """The client stays in the middle until it starts again; only then does it say how it ended (R7, R13)."""
    with client.running() as log:
        swupdate.wait(lambda: target.exists() and wire.count("POST", "/feedback") >= 3, log)
    assert target.read_bytes() == PAYLOAD
    assert rollout.outcomes() == {"running": 1}
    assert wire.ends() == []
    with client.running(confirm=swupdate.SUCCESS) as log:
        swupdate.wait(lambda: ("closed", "success") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"verifying": 1}, log)
    machine.tell_facts(installed_release=label(rollout), boot_id="b-2")
    assert rollout.outcomes() == {"success": 1}


def wire_documents(wire, **members) -> set[str]:
    """Let deployments say something else than the portal does; returns what the portal said of updates."""
    found: set[str] = set()

    def change(answer: Response) -> Response:
        answer = hurried(answer)
        if "/deploymentBase/" in request.path and request.method == "GET" and answer.is_json:
            content = answer.get_json()
            found.add(content["deployment"]["update"])
            for name, value in members.items():
                place = content if name == "id" else content["deployment"]
                place[name] = value
                if value is None:
                    del place[name]
            answer.set_data(json.dumps(content))
        return answer

    wire.change = change
    return found


def wire_artifacts(wire, **members) -> None:
    """Let every artifact say something else."""

    def change(answer: Response) -> Response:
        answer = hurried(answer)
        if "/deploymentBase/" in request.path and request.method == "GET" and answer.is_json:
            content = answer.get_json()
            for file in content["deployment"]["chunks"][0]["artifacts"]:
                file.update(members)
            answer.set_data(json.dumps(content))
        return answer

    wire.change = change


@contextmanager
def slow(artifacts):
    """Send files so slowly that a download lasts for many polls."""

    def drip(answer: Response) -> Response:
        if request.path.endswith(".swu") and answer.status_code == 200:
            answer.direct_passthrough = False
            content = answer.get_data()
            answer.response = (
                (wall.sleep(0.1), content[place : place + 20_000])[1]
                for place in range(0, len(content), 20_000)
            )
        return answer

    artifacts.after_request_funcs.setdefault(None, []).append(drip)
    try:
        yield
    finally:
        artifacts.after_request_funcs[None].remove(drip)


@pytest.mark.parametrize("word", ["skip", None, "unheard of"])
def test_a_client_that_reports_success_for_what_it_skipped_is_not_believed(
    client, rollout, wire, target, word
):
    """Anything but attempt and forced makes it close with success, nothing installed (R1, R2): we never say it."""
    document = wire_documents(wire, update=word)
    with client.running() as log:
        swupdate.wait(lambda: ("closed", "success") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"verifying": 1}, log)
    assert document == {"forced"}
    assert not target.exists()
    rollout.tick(at=time.now() + timedelta(seconds=121))
    assert rollout.outcomes() == {"indeterminate": 1}


def test_a_fresh_start_that_claims_success_of_what_is_offered_is_not_believed(client, rollout, wire, target):
    """Told to confirm, it closes whatever action it finds, although it never installed anything (R3)."""
    with client.running(confirm=swupdate.SUCCESS) as log:
        swupdate.wait(lambda: ("closed", "success") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"verifying": 1}, log)
    assert not target.exists()
    rollout.tick(at=time.now() + timedelta(seconds=121))
    assert rollout.outcomes() == {"indeterminate": 1}


def test_ids_beyond_31_bits_would_reach_another_action(client, rollout, wire):
    """The client clamps them (R4), so ours never are so large, and its report of a clamped one hurts nobody."""
    wire_documents(wire, id="4294967301")
    with client.running() as log:
        swupdate.wait(lambda: wire.count("POST", "/feedback") >= 1, log)
    assert {one[1].split("/")[-2] for one in wire.seen if one[1].endswith("/feedback")} == {"2147483647"}
    assert set(wire.answers("POST", "/feedback")) == {200}
    assert rollout.outcomes() == {"offered": 1}


def test_a_wrong_digest_fails_after_scripts_have_run(client, rollout, wire, target):
    """Failure does not mean unchanged: the image's scripts ran while it was still being read (R5)."""
    wire_artifacts(wire, hashes={"sha1": "0" * 40, "md5": "0" * 32, "sha256": "0" * 64})
    with client.running() as log:
        swupdate.wait(lambda: ("closed", "failure") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"failed": 1}, log)
    assert Path(f"{target}.began").exists()


def test_an_unsigned_image_is_refused_by_the_machine(app, cast, client, machine, wire, signer, target):
    """The signature is the machine's own check, and the portal's digests are none (R6)."""
    unsigned = swupdate.make_image(signer, target, PAYLOAD, is_signed=False)
    rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",), files=[("fix.swu", unsigned)]))
    with client.running() as log:
        swupdate.wait(lambda: ("closed", "failure") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"failed": 1}, log)
    assert not target.exists()
    assert not Path(f"{target}.began").exists()


def installed(client, wire, target):
    with client.running() as log:
        swupdate.wait(lambda: target.exists() and wire.count("POST", "/feedback") >= 3, log)


def test_the_action_is_offered_until_its_report_has_come(client, rollout, wire, target):
    """A client that no longer finds the action drops its result for good (R8): so it finds it, paused or not."""
    installed(client, wire, target)
    rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
    rollout.tick()
    with client.running(confirm=swupdate.SUCCESS) as log:
        swupdate.wait(lambda: ("closed", "success") in wire.ends(), log)
        swupdate.wait(lambda: rollout.outcomes() == {"verifying": 1}, log)


def test_a_report_about_a_closed_action_gets_200_and_the_client_goes_on_polling(
    client, rollout, wire, target
):
    """Refused, it repeats itself for ever and is lost to management (R9)."""
    installed(client, wire, target)

    def close_first():
        if "closed" in request.get_data(as_text=True):
            rollout.tick(at=time.now() + timedelta(seconds=901))
            closed.append(rollout.outcomes())

    closed: list[dict[str, int]] = []
    wire.instead["/feedback"] = close_first
    with client.running(confirm=swupdate.SUCCESS) as log:
        swupdate.wait(lambda: ("closed", "success") in wire.ends(), log)
        since = len(wire.seen)
        swupdate.wait(lambda: len(wire.seen) > since + 3, log)
    assert closed == [{"timeout": 1}]
    assert wire.answers("POST", "/feedback")[-1] == 200


@pytest.mark.parametrize("status", [429, pytest.param(503, marks=pytest.mark.prove)])
def test_a_report_that_was_put_off_comes_again_and_counts_once(client, rollout, wire, target, status):
    """It repeats until it is heard (R10); however often that is, the action ends once."""
    installed(client, wire, target)
    refusals = iter([status, status])

    def put_off():
        refused = request.method == "POST" and next(refusals, None)
        return Response(status=refused, headers={"Retry-After": "1"}) if refused else None

    wire.instead["/feedback"] = put_off
    with client.running(confirm=swupdate.FAILED) as log:
        swupdate.wait(lambda: rollout.outcomes() == {"failed": 1}, log)
    assert wire.answers("POST", "/feedback")[-3:] == [status, status, 200]
    assert set(wire.ends()) == {("closed", "failure")}


def test_a_cancellation_is_noticed_during_a_slow_download(
    app, cast, client, machine, wire, signer, target, served
):
    """At its next poll, while it still downloads, it breaks off and confirms on the other channel (R11)."""
    large = swupdate.make_image(signer, target, os.urandom(3_000_000))
    rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",), files=[("fix.swu", large)]))
    with slow(served.artifacts_app), client.running() as log:
        swupdate.wait(lambda: rollout.outcomes() == {"running": 1}, log)
        rollout.act("Nadia", services.abort_campaign, reason="wrong file", at=time.now())
        rollout.tick()
        swupdate.wait(lambda: wire.count("POST", "/cancelAction/"), log)
        swupdate.wait(lambda: rollout.outcomes() == {"cancelled": 1}, log)
    assert set(wire.answers("POST", "/feedback")) == {200}
    assert not target.exists()


@pytest.mark.parametrize("files", [[("fix.bin", b"no image")], [("motd", fleet.BYTES)]])
def test_a_release_that_is_no_image_fails_on_the_machine(app, cast, client, machine, wire, files):
    """A chunk without a file of its own format is closed with failure (R12)."""
    rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",), files=files))
    with client.running() as log:
        swupdate.wait(lambda: rollout.outcomes() == {"failed": 1}, log)


def test_a_poll_with_an_open_action_is_four_requests_without_a_cached_one(client, rollout, wire, target):
    """Base, deployment, base, deployment, and never a condition (R13): the service is sized for that."""
    with client.running() as log:
        swupdate.wait(lambda: wire.count("GET", "") >= 4, log)
    paths = [one[1].rpartition("/")[2] for one in wire.seen if one[0] == "GET"][:4]
    number = str(rollout.actions()[0].id)
    assert paths == [client.name, number, client.name, number]
    assert not any("If-None-Match" in one for one in wire.headers)
    assert wire.headers[0]["Accept"] == "application/json"


def test_attributes_are_told_once_for_each_start(client, machine, wire, within):
    """With an identify section it puts them, with members of no meaning around them (R14)."""
    client.configuration = (
        "globals : { verbose = true; };\n"
        'identify : ( { name = "os_version"; value = "12.8"; }, { name = "boot_id"; value = "b-9"; } );'
    )
    machine.ask("PUT", "/configData", json={"data": {"a": "1"}})
    with client.running() as log:
        swupdate.wait(lambda: wire.count("PUT", "/configData") >= 2, log)
    assert set(wire.answers("PUT", "/configData")) == {200}
    assert {"id", "time", "status"} & set(wire.said[-1])
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.id == machine.asset_id)).one()
        assert (asset.facts["os_version"], asset.boot_id) == ("12.8", "b-9")
        assert asset.capabilities == {"client": "swupdate"}
