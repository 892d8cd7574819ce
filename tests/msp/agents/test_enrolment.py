"""Enrolling machines: tokens that work once, credentials that replace each other, and who may hand them out."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.agents import enrolment
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas


@pytest.fixture
def asset(within):
    with within("acme") as tenant_id:
        machine = Asset(tenant_id=tenant_id, name="Acme PC 7", created_at=time.now())
        db.session.add(machine)
        db.session.commit()
        return str(machine.public_id)


def issue(app, cast, public_id):
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        machine = db.session.scalars(select(Asset).where(Asset.public_id == public_id)).one()
        token = enrolment.issue_token(machine, by=nadia, at=time.now())
        db.session.commit()
        return token


def enrol(app, token, path="/ddi/acme/controller/v1/Acme-PC-7"):
    headers = {"Authorization": f"EnrolmentToken {token}"}
    return app.test_client().post(f"{path}/enrolment", headers=headers, json={})


def poll(app, token):
    headers = {"Authorization": f"TargetToken {token}"}
    return app.test_client().get("/ddi/acme/controller/v1/Acme-PC-7", headers=headers).status_code


def test_a_token_is_traded_once(app, cast, asset):
    token = issue(app, cast, asset)
    answer = enrol(app, token)
    assert answer.status_code == 201
    assert poll(app, answer.json["token"]) == 200
    again = enrol(app, token)
    assert (again.status_code, again.data) == (401, b"")


def test_a_token_ends_after_an_hour(app, cast, asset):
    token = issue(app, cast, asset)
    with time.frozen(time.now() + timedelta(minutes=61)):
        assert enrol(app, token).status_code == 401


def test_a_token_is_for_one_asset(app, cast, asset):
    token = issue(app, cast, asset)
    for path in ("/ddi/acme/controller/v1/acme-pc-1", "/ddi/globex/controller/v1/Acme-PC-7"):
        assert enrol(app, token, path).status_code == 403
    assert enrol(app, token).status_code == 201


def test_a_token_is_no_credential_and_a_credential_no_token(app, cast, asset):
    token = issue(app, cast, asset)
    assert poll(app, token) == 401
    assert enrol(app, enrol(app, token).json["token"]).status_code == 401


def test_two_credentials_live_and_a_third_ends_the_oldest(app, cast, asset):
    tokens = [enrol(app, issue(app, cast, asset)).json["token"] for _ in range(3)]
    assert [poll(app, one) for one in tokens] == [401, 200, 200]


def test_only_digests_are_stored(app, cast, asset, superuser):
    token = issue(app, cast, asset)
    credential = enrol(app, token).json["token"]
    for table in ("enrolment_tokens", "agent_credentials"):
        stored = str(superuser.execute(f"SELECT t::text FROM {table} t").fetchall())
        assert token not in stored
        assert credential not in stored


def test_the_page_shows_the_command_once(app, asset, sign_in):
    nadia = sign_in("Nadia")
    page = nadia.post(f"/console/agents/enrol/{asset}", data={}).text
    assert "python3 msp-agent.pyz run" in page
    assert "--tenant acme --controller-id Acme-PC-7" in page
    token = re.search(r"--enrolment-token (\S+?)[<\"& ]", page).group(1)
    assert token not in nadia.get(f"/console/agents/enrol/{asset}").text
    credential = enrol(app, token).json["token"]
    assert "1 credential of Acme PC 7 ends at once." in nadia.get(f"/console/agents/revoke/{asset}").text
    nadia.post(f"/console/agents/revoke/{asset}")
    assert poll(app, credential) == 401


def test_an_unknown_machine_comes_into_quarantine(sign_in, within):
    nadia = sign_in("Nadia")
    sent = {"tenant": "acme", "name": "Found in the cellar", "kind": "server", "controller_id": ""}
    assert "--controller-id Found-in-the-cellar" in nadia.post("/console/agents/enrol", data=sent).text
    with within("acme"):
        machine = db.session.scalars(select(Asset).where(Asset.name == sent["name"])).one()
        assert machine.state == "quarantined"
        public_id = machine.public_id
    assert "Found in the cellar" in nadia.get("/console/agents/").text
    assert "is admitted" in nadia.post(f"/console/agents/admit/{public_id}", follow_redirects=True).text
    assert nadia.post(f"/console/agents/admit/{public_id}").status_code == 409


def test_unusable_ids_are_named_and_kept(sign_in):
    sent = {"tenant": "acme", "name": "New", "kind": "server", "controller_id": "a b/c"}
    answer = sign_in("Nadia").post("/console/agents/enrol", data=sent)
    assert answer.status_code == 422
    assert "a b/c" in answer.text
    assert "Use letters, digits" in answer.text
    sent["controller_id"] = "acme-pc-1"
    taken = sign_in("Nadia").post("/console/agents/enrol", data=sent)
    assert "Another asset of this client has this id." in taken.text


@pytest.mark.parametrize("name", ["Tina", "Leo", "Dana", "Alice", "Mallory"])
def test_only_experts_enrol(asset, sign_in, name):
    client = sign_in(name)
    for path in (
        "/console/agents/",
        "/console/agents/enrol",
        f"/console/agents/enrol/{asset}",
        f"/console/agents/revoke/{asset}",
    ):
        assert client.get(path).status_code == 403
    assert client.post(f"/console/agents/enrol/{asset}").status_code == 403
