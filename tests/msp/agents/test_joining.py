"""A device that waits is admitted as an asset that people know already."""

import pytest
from sqlalchemy import select

from msp.agents.models import DeviceKey
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.agents import menderclient
from tests.msp.agents.test_devices import Device, admit, admitted, device, found, gateway
from tests.msp.campaigns import fleet

__all__ = ["admitted", "device", "gateway"]


def add(within, name="Till 7", slug="acme", **more):
    with within(slug) as scope:
        del scope
        tenant_id = db.session.scalars(select(Asset.tenant_id)).first()
        asset = Asset(tenant_id=tenant_id, name=name, created_at=time.now(), **more)
        db.session.add(asset)
        db.session.commit()
        return asset


def named(within, name, slug="acme"):
    with within(slug):
        return db.session.scalars(select(Asset).where(Asset.name == name)).one()


@pytest.fixture
def waiting(device, within):
    """A device that turned up and waits."""
    assert device.authenticate().status_code == 401
    return found(within)


def join(sign_in, waiting, known, who="Nadia"):
    where = f"/console/agents/admit/{waiting.public_id}"
    return sign_in(who).post(where, data={"asset": str(known.public_id)})


def test_a_device_joins_the_asset_that_people_choose(device, waiting, within, sign_in):
    known = add(within)
    page = sign_in("Nadia").get(f"/console/agents/enrol/{waiting.public_id}").text
    assert "A new asset" in page
    assert "Till 7" in page
    answer = join(sign_in, waiting, known)
    assert answer.headers["Location"].endswith(str(known.public_id))
    assert device.authenticate().status_code == 200
    assert device.next().status_code == 204
    joined, entry = named(within, "Till 7"), named(within, waiting.name)
    assert (joined.state, joined.facts["artifact_name"]) == ("active", "before-1.0")
    assert (joined.controller_id, joined.capabilities) == (waiting.controller_id, {"client": "mender"})
    assert (entry.state, entry.quarantined_for, entry.facts) == ("retired", None, {})
    with within("acme"):
        assert db.session.scalars(select(DeviceKey.asset_id)).all() == [known.id]
    assert sign_in("Nadia").get(f"/console/agents/enrol/{known.public_id}").status_code == 200


def test_a_rollout_reaches_it_there(app, cast, device, waiting, within, sign_in):
    known = add(within)
    join(sign_in, waiting, known)
    device.authenticate()
    files = [("fix.mender", menderclient.make_image("fix-2.0", b"#!/bin/sh\n"))]
    rollout = fleet.draft(app, cast, slugs=("acme",), files=files, assets=[known.public_id])
    assert fleet.start(rollout).actions()[0].asset_id == known.id


def test_an_asset_that_an_agent_calls_for_keeps_its_id_and_its_agent(
    app, cast, device, waiting, within, sign_in
):
    agent = fleet.enrol(app, cast.tenants["acme"], "acme", ["till-7"])[0]
    agent.ask("GET", headers={"User-Agent": "msp-agent/1.0"})
    join(sign_in, waiting, named(within, "till-7"))
    assert device.authenticate().status_code == 200
    assert (device.next().status_code, agent.ask("GET").status_code) == (204, 200)
    joined = named(within, "till-7")
    assert (joined.controller_id, joined.capabilities) == ("till-7", {"client": "msp-agent"})


def test_a_second_key_is_an_alarm_there_too(app, device, gateway, waiting, within, sign_in):
    known = add(within)
    join(sign_in, waiting, known)
    assert Device(app, gateway).authenticate().status_code == 401
    with within("acme"):
        keys = db.session.execute(select(DeviceKey.asset_id, DeviceKey.state).order_by(DeviceKey.id)).all()
    assert keys == [(known.id, "accepted"), (known.id, "alarm")]


@pytest.mark.parametrize("which", ["another client's", "retired", "with a device", "itself", "unknown"])
def test_what_it_cannot_be_is_refused(app, cast, gateway, device, within, sign_in, waiting, which):
    choices = {
        "another client's": lambda: add(within, "Foreign", "globex"),
        "retired": lambda: add(within, "Old", state="retired", retired_at=time.now()),
        "with a device": lambda: with_a_device(app, cast, gateway, within),
        "itself": lambda: waiting,
        "unknown": lambda: type("Nobody", (), {"public_id": "junk"}),
    }
    chosen = choices[which]()
    page = sign_in("Nadia").get(f"/console/agents/enrol/{waiting.public_id}").text
    assert f'value="{chosen.public_id}"' not in page
    assert join(sign_in, waiting, chosen).status_code in (302, 404)
    assert named(within, waiting.name).state == "quarantined"
    assert device.authenticate().status_code == 401


def with_a_device(app, cast, gateway, within):
    other = Device(app, gateway, identity={"mac": "02:00:00:00:00:99"})
    other.authenticate()
    with within("acme"):
        asset = db.session.scalars(select(Asset).order_by(Asset.id.desc())).first()
    admit(app, cast, asset)
    assert other.authenticate().status_code == 200
    return asset


def test_only_a_device_that_waits_can_join(app, cast, device, waiting, within, sign_in):
    known = add(within)
    admit(app, cast, waiting)
    assert join(sign_in, waiting, known).status_code == 409
    assert named(within, "Till 7").state == "active"


def test_without_a_choice_it_is_a_new_asset(device, waiting, within, sign_in):
    sign_in("Nadia").post(f"/console/agents/admit/{waiting.public_id}", data={"asset": ""})
    assert device.authenticate().status_code == 200
    assert named(within, waiting.name).state == "active"
