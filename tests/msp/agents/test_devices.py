"""The Mender device API without a device: keys, alarms, tokens, and each state that a device may tell."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from msp.agents import devices, enrolment, rotation
from msp.agents.models import DeviceKey
from msp.campaigns import services
from msp.campaigns.models import ActionEvent
from tenants.assets.models import Asset
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tests.msp.agents import menderclient
from tests.msp.agents.test_arrivals import as_nadia
from tests.msp.agents.test_inventories import share
from tests.msp.campaigns import fleet

API = "/api/devices"
KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def pem_of(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(key, body: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(body, padding.PKCS1v15(), SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(SHA256()))
    return key.sign(body)


class Device:
    """A machine with a key of its own."""

    def __init__(self, app, tenant_token, *, key=None, identity=None):
        self.app, self.tenant_token = app, tenant_token
        self.key, self.identity = key or KEYS["ed25519"](), identity or {"mac": "02:00:00:00:00:07"}
        self.token = ""

    def authenticate(self, *, signature=None, **changed):
        content = {
            "id_data": json.dumps(self.identity),
            "pubkey": pem_of(self.key),
            "tenant_token": self.tenant_token,
            **changed,
        }
        body = json.dumps(content).encode()
        signed = base64.b64encode(sign(self.key, body)).decode() if signature is None else signature
        path = f"{API}/v1/authentication/auth_requests"
        answer = self.app.test_client().post(path, data=body, headers={"X-MEN-Signature": signed})
        self.token = answer.text if answer.status_code == 200 else self.token
        return answer

    def ask(self, method, path, **more):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.app.test_client().open(API + path, method=method, headers=headers, **more)

    def next(self, name="before-1.0"):
        provides = {"artifact_name": name, "device_type": menderclient.TYPE}
        body = {"device_provides": provides, "update_control_map": False}
        return self.ask("POST", "/v2/deployments/device/deployments/next", json=body)

    def tell(self, action, state, **more):
        path = f"/v1/deployments/device/deployments/{action}/status"
        return self.ask("PUT", path, json={"status": state, **more}).status_code


@pytest.fixture
def gateway(app, cast):
    return share(app, cast, "acme", "gateway")


@pytest.fixture
def device(app, gateway):
    return Device(app, gateway)


def found(within, name="mender-%"):
    with within("acme"):
        return db.session.scalars(select(Asset).where(Asset.controller_id.like(name))).one_or_none()


def admit(app, cast, asset):
    as_nadia(app, cast, lambda one, by: enrolment.admit_asset(one, by=by, at=time.now()), asset.public_id)


@pytest.fixture
def admitted(app, cast, device, within):
    assert device.authenticate().status_code == 401
    admit(app, cast, found(within))
    assert device.authenticate().status_code == 200
    return device


@pytest.fixture
def rollout(app, cast, admitted, within):
    image = menderclient.make_image("fix-2.0", b"#!/bin/sh\n")
    asset = found(within)
    drafted = fleet.draft(app, cast, slugs=("acme",), files=[("fix.mender", image)], assets=[asset.public_id])
    return fleet.start(drafted)


@pytest.fixture
def action(admitted, rollout):
    return admitted.next().json["id"]


class TestKeys:
    @pytest.mark.parametrize("kind", KEYS)
    def test_each_kind_of_key_waits_for_a_person_and_is_pinned_then(self, app, cast, gateway, within, kind):
        device = Device(app, gateway, key=KEYS[kind]())
        answers = {(one.status_code, one.data) for one in (device.authenticate(), device.authenticate())}
        assert answers == {(401, b"")}
        asset = found(within)
        assert (asset.state, asset.quarantined_for) == ("quarantined", "device")
        admit(app, cast, asset)
        assert device.authenticate().status_code == 200
        assert device.next().status_code == 204

    def test_a_wrong_signature_or_token_leaves_no_trace(self, app, cast, device, within):
        other = KEYS["ed25519"]()
        forged = base64.b64encode(sign(other, b"something")).decode()
        assert device.authenticate(signature=forged).status_code == 401
        assert device.authenticate(pubkey=pem_of(other)).status_code == 401
        assert device.authenticate(tenant_token="wrong").status_code == 401
        assert device.authenticate(tenant_token=share(app, cast, "acme", "inventory")).status_code == 401
        assert found(within) is None

    @pytest.mark.parametrize(
        "changed",
        [{"id_data": 1}, {"id_data": "[]"}, {"id_data": "{"}, {"pubkey": None}, {"signature": "%%%"}],
    )
    def test_unreadable_requests_are_400(self, device, changed):
        assert device.authenticate(**changed).status_code == 400

    def test_weak_and_unknown_keys_are_refused(self):
        weak = rsa.generate_private_key(65537, 1024)  # noqa: S505
        assert devices.fingerprint_of(pem_of(weak)) is None
        assert devices.fingerprint_of("no key") is None

    def test_a_second_key_for_one_identity_is_an_alarm_and_opens_nothing(
        self, app, cast, admitted, gateway, within, sign_in
    ):
        thief = Device(app, gateway)
        assert thief.authenticate().status_code == 401
        assert thief.authenticate().status_code == 401
        assert admitted.next().status_code == 204
        with within("acme"):
            states = {one.state: str(one.public_id) for one in db.session.scalars(select(DeviceKey))}
        assert set(states) == {"accepted", "alarm"}
        nadia = sign_in("Nadia")
        assert "A second key says" in nadia.get("/console/agents/").text
        nadia.post(f"/console/agents/keys/{states['alarm']}/refuse")
        assert "A second key says" not in nadia.get("/console/agents/").text
        assert thief.authenticate().status_code == 401
        assert admitted.authenticate().status_code == 200

    def test_refusing_the_pinned_key_ends_its_token(self, admitted, within, sign_in):
        with within("acme"):
            key = str(db.session.scalars(select(DeviceKey)).one().public_id)
        sign_in("Nadia").post(f"/console/agents/keys/{key}/refuse")
        assert admitted.next().status_code == 401
        assert admitted.authenticate().status_code == 401

    def enrolled_anew(self, app, cast, within):
        """The people refused the device, and gave its machine a token of its own."""

        def anew(asset, by):
            enrolment.revoke_credentials(asset, by=by, at=time.now())
            rotation.hand_out_token(asset, by=by, at=time.now())

        as_nadia(app, cast, anew, found(within).public_id)

    def states(self, within):
        with within("acme"):
            return [one.state for one in db.session.scalars(select(DeviceKey).order_by(DeviceKey.id))]

    def test_a_refused_device_waits_again_with_a_new_key(self, app, cast, admitted, gateway, within):
        refuse = lambda asset, by: enrolment.revoke_credentials(asset, by=by, at=time.now())  # noqa: E731
        as_nadia(app, cast, refuse, found(within).public_id)
        again = Device(app, gateway)
        assert again.authenticate().status_code == 401
        assert (found(within).state, self.states(within)) == ("quarantined", ["refused", "pending"])
        admit(app, cast, found(within))
        assert again.authenticate().status_code == 200

    def test_a_new_key_takes_no_machine_with_another_credential_out_of_campaigns(
        self, app, cast, admitted, gateway, within
    ):
        self.enrolled_anew(app, cast, within)
        thief = Device(app, gateway)
        assert thief.authenticate().status_code == 401
        asset = found(within)
        assert (asset.state, asset.quarantined_for) == ("active", None)
        assert self.states(within) == ["refused", "alarm"]
        with within("acme"):
            asked = select(AuditEntry).where(AuditEntry.action == "agent.second_key")
            assert len(db.session.scalars(asked).all()) == 1

    @pytest.mark.parametrize("reason", ["cloned", "needs_repair", None])
    def test_a_new_key_leaves_another_reason_for_quarantine_as_it_is(
        self, app, cast, admitted, gateway, within, superuser, reason
    ):
        refuse = lambda asset, by: enrolment.revoke_credentials(asset, by=by, at=time.now())  # noqa: E731
        as_nadia(app, cast, refuse, found(within).public_id)
        superuser.execute(
            "UPDATE assets SET state = 'quarantined', quarantined_for = %s WHERE id = %s",
            (reason, found(within).id),
        )
        thief = Device(app, gateway)
        thief.authenticate()
        assert found(within).quarantined_for == reason
        assert self.states(within) == ["refused", "alarm"]
        admit(app, cast, found(within))
        assert thief.authenticate().status_code == 401

    def test_admitting_a_machine_that_calls_otherwise_pins_no_key_that_came_before(
        self, app, cast, device, within
    ):
        device.authenticate()
        as_nadia(
            app,
            cast,
            lambda asset, by: rotation.hand_out_token(asset, by=by, at=time.now()),
            found(within).public_id,
        )
        admit(app, cast, found(within))
        assert (found(within).state, self.states(within)) == ("active", ["alarm"])
        assert device.authenticate().status_code == 401

    def test_only_the_last_token_works_and_only_its_digest_is_stored(self, admitted, superuser):
        first = admitted.token
        admitted.authenticate()
        stored = str(superuser.execute("SELECT t::text FROM agent_credentials t").fetchall())
        assert admitted.token not in stored
        assert admitted.next().status_code == 204
        admitted.token = first
        assert admitted.next().status_code == 401

    def test_a_device_s_token_opens_nothing_at_the_other_door(self, app, admitted, within):
        base = f"/ddi/acme/controller/v1/{found(within).controller_id}"
        for kind in ("TargetToken", "GatewayToken"):
            headers = {"Authorization": f"{kind} {admitted.token}"}
            assert app.test_client().get(base, headers=headers).status_code == 401

    def test_an_agent_s_token_opens_nothing_here(self, admitted, machine):
        admitted.token = machine.token
        assert admitted.next().status_code == 401


class TestActions:
    def test_instructions_name_the_image_and_who_may_have_it(self, admitted, rollout):
        told = admitted.next().json
        assert told["id"] == str(rollout.actions()[0].id)
        assert told["artifact"]["artifact_name"] == "fix-2.0"
        assert told["artifact"]["device_types_compatible"] == [menderclient.TYPE]
        assert "signature=" in told["artifact"]["source"]["uri"]
        path = "/v1/deployments/device/deployments/next?artifact_name=before-1.0&device_type=x"
        assert admitted.ask("GET", path).json == told

    def test_success_counts_once_the_device_names_the_image(self, admitted, rollout, action):
        assert [admitted.tell(action, one) for one in ("downloading", "installing", "rebooting")] == [204] * 3
        assert rollout.outcomes() == {"rebooting": 1}
        assert admitted.tell(action, "success") == 204
        assert rollout.outcomes() == {"verifying": 1}
        assert admitted.next().status_code == 204
        assert rollout.outcomes() == {"verifying": 1}
        assert admitted.next("fix-2.0").status_code == 204
        assert rollout.outcomes() == {"success": 1}

    def test_already_installed_is_believed_only_with_the_name(self, admitted, rollout, action):
        admitted.next("fix-2.0")
        assert admitted.tell(action, "already-installed") == 204
        assert rollout.outcomes() == {"noop": 1}

    def test_already_installed_without_the_name_is_a_claim(self, admitted, rollout, action):
        assert admitted.tell(action, "already-installed") == 204
        assert rollout.outcomes() == {"verifying": 1}

    def test_a_state_after_the_wish_to_stop_is_409_and_its_failure_is_the_end(
        self, admitted, rollout, action
    ):
        admitted.tell(action, "downloading")
        rollout.act("Nadia", services.abort_campaign, reason="wrong", at=time.now())
        rollout.tick()
        assert admitted.tell(action, "installing") == 409
        assert rollout.outcomes() == {"cancelling": 1}
        assert admitted.tell(action, "failure") == 204
        assert rollout.outcomes() == {"cancelled": 1}
        assert admitted.tell(action, "installing") == 409

    def test_a_device_that_asks_for_work_again_has_stopped(self, admitted, rollout, action):
        rollout.act("Nadia", services.abort_campaign, reason="wrong", at=time.now())
        rollout.tick()
        assert admitted.next().status_code == 204
        assert rollout.outcomes() == {"cancelled": 1}

    def test_another_image_in_mid_update_is_a_failure(self, admitted, rollout, action):
        admitted.tell(action, "installing")
        assert admitted.next().json["id"] == action
        admitted.next("something-else-3.0")
        assert rollout.outcomes() == {"failed": 1}

    def test_an_inconsistent_device_is_offered_nothing_until_people_admit_it(
        self, app, cast, admitted, rollout, within
    ):
        assert admitted.next("before-1.0_INCONSISTENT").status_code == 204
        assert (found(within).state, found(within).quarantined_for) == ("quarantined", "needs_repair")
        assert rollout.outcomes() == {"eligible": 1}
        admit(app, cast, found(within))
        assert admitted.next().status_code == 200

    def test_a_release_without_an_image_is_not_planned_for_it(self, app, cast, admitted, within):
        drafted = fleet.draft(app, cast, slugs=("acme",), assets=[found(within).public_id])
        with pytest.raises(Invalid) as refused:
            fleet.start(drafted)
        assert refused.value.field == "assets"
        assert admitted.next().status_code == 204

    @pytest.mark.parametrize("action", ["0", "-1", "2147483648", "9223372036854775808", "x"])
    def test_unknown_actions_are_404_and_kept(self, admitted, within, action):
        assert admitted.tell(action, "success") == 404
        with within("acme"):
            (kept,) = db.session.scalars(select(ActionEvent))
            assert (kept.reason, kept.body["claimed"]) == ("unattributed", action)

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"status": 1}', b'{"status": "exploded"}', b"[" * 5000])
    def test_what_cannot_be_read_is_400(self, admitted, rollout, action, body):
        path = f"/v1/deployments/device/deployments/{action}"
        assert admitted.ask("PUT", f"{path}/status", data=body).status_code == 400
        assert admitted.ask("PUT", f"{path}/log", data=body).status_code == 400
        assert admitted.ask("POST", "/v2/deployments/device/deployments/next", data=body).status_code == 400
        assert rollout.outcomes() == {"offered": 1}

    def test_logs_are_cut_and_kept_beside_the_events(self, admitted, rollout, action, within):
        path = f"/v1/deployments/device/deployments/{action}/log"
        lines = [{"timestamp": "t", "level": "error", "message": f"line {n} \x00"} for n in range(900)]
        assert admitted.ask("PUT", path, json={"messages": lines}).status_code == 204
        with within("acme"):
            (kept,) = db.session.scalars(select(ActionEvent))
            assert (kept.channel, len(kept.body["details"])) == ("log", 200)
            assert kept.body["details"][-1].startswith("t error line 899")
        assert admitted.ask("PUT", path, data=b"x" * 1_100_000).status_code == 400
        assert rollout.outcomes() == {"offered": 1}

    def test_attributes_never_say_which_image_is_installed(self, admitted, within):
        told = [{"name": "kernel", "value": "6.1"}, {"name": "ips", "value": ["a", "b"]},
                {"name": "installed_release", "value": "x/1"}, {"name": "artifact_name", "value": "y"}]  # fmt: skip
        assert admitted.ask("PATCH", "/v1/inventory/device/attributes", json=told).status_code == 200
        assert found(within).facts == {"kernel": "6.1", "ips": "a, b"}
        for body in ({}, [1], [{"name": ""}], [{"value": "x"}]):
            assert admitted.ask("PUT", "/v1/inventory/device/attributes", json=body).status_code == 400

    def test_a_pause_between_offer_and_question_takes_it_back(self, admitted, rollout):
        admitted.next()
        rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
        rollout.tick(at=time.now() + timedelta(seconds=1))
        assert admitted.next().status_code == 200, "it was fetched, so it runs on"
