"""Debian's mender-client as it really behaves: pending, admitted, updated, believed."""

from datetime import timedelta

import pytest
from flask import Response, request
from sqlalchemy import select

from msp.agents import enrolment, shared
from msp.campaigns import services
from msp.campaigns.models import ActionEvent
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.msp.agents import menderclient
from tests.msp.agents.recorded import recording
from tests.msp.agents.swupdate import wait
from tests.msp.campaigns import fleet

pytestmark = pytest.mark.skipif(bool(menderclient.reason()), reason=menderclient.reason() or "-")


@pytest.fixture
def wire(app):
    with recording(app) as found:
        yield found


@pytest.fixture
def gateway(app, cast):
    """The token that Acme's machines share to turn up."""
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        _, token = shared.add_shared(
            cast.tenants["acme"], kind="gateway", name="Machines", by=nadia, at=time.now()
        )
        db.session.commit()
        return token


@pytest.fixture
def client(served, gateway, tmp_path):
    return menderclient.Client(tmp_path, served.portal, gateway)


def find(within):
    with within("acme"):
        return db.session.scalars(select(Asset).where(Asset.controller_id.like("mender-%"))).one_or_none()


def admit(app, cast, machine):
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        found = db.session.scalars(select(Asset).where(Asset.public_id == machine.public_id)).one()
        enrolment.admit_asset(found, by=nadia, at=time.now())
        db.session.commit()


@pytest.fixture
def admitted(app, cast, client, wire, within):
    """The machine, seen once and let in by a person."""
    with client.running() as log:
        wait(lambda: find(within) is not None, log)
        wait(lambda: wire.count("POST", "/auth_requests") > 1, log)
    assert set(wire.answers("POST", "/auth_requests")) == {401}
    assert find(within).quarantined_for == "device"
    admit(app, cast, find(within))
    return find(within)


def start(app, cast, machine, script, name="fix-2.0"):
    """A running campaign with an image for the machine alone."""
    image = menderclient.make_image(name, script)
    rollout = fleet.draft(
        app, cast, slugs=("acme",), files=[("fix.mender", image)], assets=[machine.public_id]
    )
    return fleet.start(rollout)


def states(wire):
    return [one["status"] for one in wire.said if isinstance(one.get("status"), str)]


def events(app, within):
    with within("acme"):
        return list(db.session.scalars(select(ActionEvent).order_by(ActionEvent.id)))


def test_the_whole_way_from_unknown_to_verified(app, cast, client, admitted, wire, within, tmp_path):
    """Signed request, token, inventory, question, the sequence of states, and the new name at the end (M1)."""
    trace = tmp_path / "ran"
    rollout = start(app, cast, admitted, f"#!/bin/sh\ntouch {trace}\n".encode())
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"success": 1}, log)
    assert trace.exists()
    reported = states(wire)
    assert [reported[0], reported[-1]] == ["downloading", "success"]
    assert "installing" in reported
    asset = find(within)
    assert asset.facts["artifact_name"] == "fix-2.0"
    assert asset.installed_release == f"motd/{rollout.lanes()[0].release_version}"
    assert wire.count("PUT", "/attributes") + wire.count("PATCH", "/attributes") >= 1


def test_a_cancellation_reaches_it_as_409_and_leaves_it_in_need_of_repair(
    app, cast, client, admitted, wire, within, tmp_path
):
    """The script does not run, a failure with a log follows, and the machine says that it is inconsistent (M2)."""
    trace = tmp_path / "ran"
    rollout = start(app, cast, admitted, f"#!/bin/sh\ntouch {trace}\n".encode())

    def stop_before_installing():
        told = request.get_json(silent=True) or {}
        if told.get("status") == "installing" and rollout.state == "running":
            rollout.act("Nadia", services.abort_campaign, reason="wrong image", at=time.now())
            rollout.tick()
        return

    wire.instead["/status"] = stop_before_installing
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"cancelled": 1}, log)
        wait(lambda: find(within).quarantined_for == "needs_repair", log)
    assert not trace.exists()
    assert 409 in wire.answers("PUT", "/status")
    assert find(within).facts["artifact_name"].endswith("_INCONSISTENT")
    assert "log" in {one.channel for one in events(app, within)}
    admit(app, cast, find(within))
    assert (find(within).state, find(within).quarantined_for) == ("active", None)


def test_states_that_get_lost_on_the_way_do_not_stop_it(app, cast, client, admitted, wire):
    """Progress is told as well as may be (M3): two answers of 503, and it installs all the same."""
    rollout = start(app, cast, admitted, b"#!/bin/sh\nexit 0\n")
    refusals = iter([503, 503])

    def put_off():
        status = next(refusals, None)
        return Response(status=status) if status else None

    wire.instead["/status"] = put_off
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"success": 1}, log)
    assert wire.answers("PUT", "/status")[:2] == [503, 503]


def test_without_the_second_version_it_asks_the_first(app, cast, client, admitted, wire):
    """404 makes it fall back (M4); the same action comes by both ways."""
    rollout = start(app, cast, admitted, b"#!/bin/sh\nexit 0\n")
    wire.instead["/v2/deployments"] = lambda: Response(status=404)
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"success": 1}, log)
    assert 200 in wire.answers("POST", "/v1/deployments/device/deployments/next")


def test_refusals_make_it_wait_for_the_next_time(app, cast, client, admitted, wire):
    """429 to its question, 401 to its request to be let in (M5): it comes back by itself."""
    rollout = start(app, cast, admitted, b"#!/bin/sh\nexit 0\n")
    refusals = {"/next": iter([429, 429]), "/auth_requests": iter([401])}

    def refuse():
        status = next(next(found for word, found in refusals.items() if word in request.path), None)
        return Response(status=status, headers={"Retry-After": "1"}) if status else None

    wire.instead |= {"/next": refuse, "/auth_requests": refuse}
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"success": 1}, log)
    assert wire.answers("POST", "/next")[:2] == [429, 429]


def test_an_unsigned_image_is_refused_before_anything_runs(app, cast, client, admitted, wire, tmp_path):
    """With a key to verify with, the machine itself refuses (M6)."""
    key = tmp_path / "verify.pem"
    key.write_text(menderclient.public_key())
    client.configuration["ArtifactVerifyKey"] = str(key)
    trace = tmp_path / "ran"
    rollout = start(app, cast, admitted, f"#!/bin/sh\ntouch {trace}\n".encode())
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"failed": 1}, log)
    assert not trace.exists()
    assert "installing" not in states(wire)


def test_a_script_that_fails_is_a_failure_with_its_log(app, cast, client, admitted, wire, within):
    """(M7) And since it cannot go back, the machine needs repair."""
    rollout = start(app, cast, admitted, b"#!/bin/sh\nexit 3\n")
    with client.running() as log:
        wait(lambda: rollout.outcomes() == {"failed": 1}, log)
        wait(lambda: wire.count("PUT", "/log") > 0, log)
        wait(lambda: find(within).quarantined_for == "needs_repair", log)
    (kept,) = [one for one in events(app, within) if one.channel == "log"]
    assert any("script" in line for line in kept.body["details"])
    assert rollout.tick(at=time.now() + timedelta(seconds=60)) == "paused"
