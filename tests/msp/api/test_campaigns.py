"""Campaigns through the API: drafted, approved by another person, started, stopped, looked at."""

import io
import uuid

import pytest
from sqlalchemy import select

from msp.campaigns import consents
from msp.campaigns.models import CampaignTenant
from msp.campaigns.releases import add_release
from tenants.foundation import time
from tenants.foundation.db import db


@pytest.fixture
def release(within):
    """The public id of a release."""
    with within("Leo") as leo:
        made = add_release(
            name="tool",
            version="1.2",
            target_path="opt/tool/",
            files=[("tool.txt", io.BytesIO(b"tool"))],
            by=leo,
            at=time.now(),
        )
        db.session.commit()
        return str(made.public_id)


@pytest.fixture
def draft(call, release):
    """A draft of Leo's for both clients."""
    body = {"title": "Tool for all", "release": release, "tenants": ["acme", "globex"], "percents": [50, 100]}
    answer = call("Leo").post("/campaigns", body)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def step(call, name, draft, to, **more):
    return call(name).post(f"/campaigns/{draft['id']}/transitions", {"to": to, **more})


def let_in(within, draft, slug):
    """The client's administrator consents, in the portal."""
    name = {"acme": "Alice", "globex": "Mallory"}[slug]
    with within(name) as admin:
        part = db.session.scalars(select(CampaignTenant).where(CampaignTenant.title == draft["title"])).one()
        consents.consent(part, by=admin, at=time.now())
        db.session.commit()


def test_from_draft_to_abort(call, draft, within):
    assert (draft["state"], draft["created_by"]) == ("draft", "Leo")
    assert draft["release"]["name"] == "tool"
    submitted = step(call, "Leo", draft, "submit").get_json()
    assert submitted["state"] == "submitted"
    assert submitted["tenants"] == ["acme", "globex"]
    assert [one["size"] for one in submitted["waves"]] == [1, 1]
    assert {one["tenant"] for one in submitted["lanes"]} == {"acme", "globex"}
    assert step(call, "Nadia", draft, "approve", plan_sha256="0" * 64).status_code == 409
    approved = step(call, "Nadia", draft, "approve", plan_sha256=submitted["plan_sha256"]).get_json()
    assert (approved["state"], approved["decided_by"]) == ("approved", "Nadia")
    assert step(call, "Nadia", draft, "start").status_code == 409, "no client has consented yet"
    let_in(within, draft, "acme")
    started = step(call, "Nadia", draft, "start").get_json()
    assert started["state"] == "scheduled"
    said = {one["tenant"]: (one["consent"], one["decided_by"]) for one in started["consents"]}
    assert said == {"acme": ("consented", "Alice"), "globex": ("asked", None)}
    assert step(call, "Nadia", draft, "abort", reason="Wrong file.").get_json()["state"] == "aborting"
    decisions = call("Leo").get(f"/campaigns/{draft['id']}/decisions").get_json()["items"]
    assert [one["kind"] for one in decisions] == ["abort", "start", "approve", "submit"]
    assert decisions[0]["inputs"] == {"reason": "Wrong file."}


def test_limits_and_software_are_chosen_in_the_draft(call, release, fields):
    body = {"title": "Tool", "release": release, "tenants": ["acme"]}
    made = call("Leo").post("/campaigns", body | {"limits": {"at_once": 20, "ramp_from": 2}}).get_json()
    none = {"at_once": None, "per_tenant": None, "per_site": None, "ramp_from": None, "per_service": 1}
    assert made["limits"] == none | {"at_once": 20, "ramp_from": 2}
    assert (made["kind"], made["rollback_of"], made["consents"]) == ("rollout", None, [])
    assert fields(call("Leo").post("/campaigns", body | {"limits": {"at_once": 0}})) == ["limits.at_once"]
    narrowed = call("Leo").post("/campaigns", body | {"software": "no-such-package"}).get_json()
    assert step(call, "Leo", narrowed, "submit").status_code == 422, "nothing has that package"


def test_steps_that_are_not_possible_name_those_that_are(call, draft, fields):
    refused = step(call, "Nadia", draft, "start")
    assert refused.status_code == 409
    assert refused.get_json()["allowed"] == ["submit", "withdraw"]
    assert fields(step(call, "Leo", draft, "finish")) == ["to"]
    step(call, "Leo", draft, "submit")
    assert step(call, "Leo", draft, "approve").status_code in (403, 409)
    assert fields(step(call, "Nadia", draft, "reject")) == ["reason"]
    assert step(call, "Nadia", draft, "reject", reason="No.").get_json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("name", "status"), [("Alice", 403), ("Bob", 403), ("Tina", 403), ("Dana", 403), ("Leo", 201)]
)
def test_who_may_propose(call, release, name, status):
    answer = call(name).post("/campaigns", {"title": "Tool", "release": release, "tenants": ["acme"]})
    assert answer.status_code == status


def test_rights_are_asked_step_by_step(call, draft):
    assert step(call, "Tina", draft, "submit").status_code == 403
    assert step(call, "Leo", draft, "start").status_code == 403
    assert step(call, "Alice", draft, "pause").status_code == 403


def test_clients_see_no_campaigns(call, draft):
    for name in ("Alice", "Bob", "Mallory"):
        assert call(name).get("/campaigns").status_code == 403
        assert call(name).get(f"/campaigns/{draft['id']}").status_code == 403


def test_staff_see_the_lanes_and_actions_of_their_clients_only(call, draft):
    step(call, "Leo", draft, "submit")
    seen = call("Tina").get(f"/campaigns/{draft['id']}").get_json()
    assert seen["tenants"] == ["acme"]
    assert {one["tenant"] for one in seen["lanes"]} == {"acme"}
    assert "globex" not in call("Tina").get(f"/campaigns/{draft['id']}").get_data(as_text=True)
    actions = call("Tina").get(f"/campaigns/{draft['id']}/actions")
    assert actions.status_code == 200
    assert "globex" not in actions.get_data(as_text=True)


def test_unknown_campaigns_are_alike(call, draft):
    for path in ("", "/actions", "/decisions"):
        answers = [
            call("Leo").get(f"/campaigns/{one}{path}") for one in (uuid.uuid4(), "x", draft["release"]["id"])
        ]
        assert {one.status_code for one in answers} == {404}
        assert len({one.data for one in answers}) == 1
    assert call("Leo").post(f"/campaigns/{uuid.uuid4()}/transitions", {"to": "submit"}).status_code == 404


def test_faults_are_named(call, fields, release):
    leo = call("Leo")
    assert sorted(fields(leo.post("/campaigns", {"colour": 1}))) == ["colour", "release", "title"]
    assert fields(leo.post("/campaigns", {"title": "x", "release": str(uuid.uuid4())})) == ["release"]
    good = {"title": "x", "release": release}
    assert fields(leo.post("/campaigns", good | {"percents": [50, 10, 100], "tenants": ["acme"]})) == [
        "percents"
    ]
    assert fields(leo.post("/campaigns", good | {"assets": ["x"]})) == ["assets.0"]
    assert leo.post("/campaigns", good | {"tenants": ["nobody"]}).status_code == 404
    assert leo.get("/campaigns").get_json()["items"] == []


def test_lists_are_narrowed_and_paged(call, release):
    for number in range(3):
        call("Leo").post("/campaigns", {"title": f"Tool {number}", "release": release, "tenants": ["acme"]})
    first = call("Leo").get("/campaigns", limit=2).get_json()
    second = call("Leo").get("/campaigns", limit=2, after=first["next"]).get_json()
    assert [one["title"] for one in first["items"] + second["items"]] == ["Tool 2", "Tool 1", "Tool 0"]
    assert len(call("Leo").get("/campaigns", q="tool 1").get_json()["items"]) == 1
    assert call("Leo").get("/campaigns", state="running").get_json()["items"] == []
