"""Another attempt and a rollback through the API: the rights and the refusals of the pages."""

import io
import uuid

import pytest
from sqlalchemy import select

from msp.campaigns import services
from msp.campaigns.models import CampaignMember, Release
from msp.campaigns.releases import add_release
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import WIDE, enrol


@pytest.fixture
def machines(app, cast):
    return enrol(app, cast, provider=1, acme=3, globex=2)


@pytest.fixture
def rollout(app, cast, machines):
    """Two machines of Acme failed in a wave that is not over, and the others are in place."""
    wide = fleet.replace_gate(**{name: getattr(WIDE, name) for name in ("max_bad", "min_sample", "pass_pct")})
    rollout = fleet.start(fleet.draft(app, cast, version="2.0", gate=wide, timing=fleet.QUICK))
    machines[0].cycle()
    rollout.tick()
    for machine in machines[1:]:
        machine.fails = machine.name in ("acme-0", "acme-1")
        if machine.name != "acme-2":
            machine.cycle()
    rollout.tick()
    return rollout


@pytest.fixture
def path(app, rollout):
    with app.app_context(), rollout.seen():
        return f"/campaigns/{rollout.load().public_id}"


@pytest.fixture
def earlier(within):
    """The public id of an earlier version of the release, and of another release."""
    made = {}
    with within("Leo") as leo:
        for name in ("motd", "other"):
            files = [("motd", io.BytesIO(name.encode()))]
            made[name] = add_release(
                name=name, version="1.0", target_path="etc/motd", files=files, by=leo, at=time.now()
            )
        db.session.commit()
        return {name: str(one.public_id) for name, one in made.items()}


def failed(rollout):
    return [one.id for one in rollout.actions() if one.outcome == "failed" and one.is_last]


def retry(call, name, path, **more):
    return call(name).post(f"{path}/transitions", {"to": "retry", "reason": "The disk was full.", **more})


def test_a_retry_is_allowed_while_it_runs_and_changes_no_state(call, rollout, path):
    before = call("Nadia").get(path).get_json()
    assert (before["state"], before["allowed_transitions"]) == ("running", ["pause", "abort", "retry"])
    assert len(failed(rollout)) == 2
    done = retry(call, "Nadia", path)
    assert (done.status_code, done.get_json()["state"]) == (200, "running")
    assert failed(rollout) == []
    assert sorted(one.attempt for one in rollout.actions() if one.is_last) == [1, 1, 1, 1, 2, 2]
    (noted,) = [one for one in rollout.decisions() if one.kind == "retry"]
    assert (noted.actor, noted.inputs) == ("Nadia", {"reason": "The disk was full.", "actions": 2})


def test_only_the_chosen_actions_get_another_attempt(call, rollout, path):
    first, second = failed(rollout)
    assert retry(call, "Nadia", path, actions=[first]).status_code == 200
    assert failed(rollout) == [second]


def test_a_chosen_action_that_did_not_fail_refuses_them_all(call, rollout, path, fields):
    good = next(one.id for one in rollout.actions() if one.outcome == "success")
    for chosen in ([*failed(rollout), good], [2**31 - 1]):
        refused = retry(call, "Nadia", path, actions=chosen)
        assert (refused.status_code, fields(refused)) == (422, ["actions"])
    for wrong in ([], [0], [2**31], ["x"]):
        assert retry(call, "Nadia", path, actions=wrong).status_code == 422
    assert len(failed(rollout)) == 2


@pytest.mark.parametrize(
    ("name", "status"), [("Alice", 403), ("Tina", 403), ("Leo", 403), ("Dana", 403), ("Owen", 200)]
)
def test_who_may_retry(call, rollout, path, name, status):
    assert retry(call, name, path).status_code == status
    assert len(failed(rollout)) == (0 if status == 200 else 2)


def test_a_retry_without_a_reason_or_with_nothing_to_try_is_refused(call, rollout, path, fields):
    assert fields(retry(call, "Nadia", path, reason=" ")) == ["reason"]
    assert retry(call, "Nadia", path).status_code == 200
    assert retry(call, "Nadia", path).status_code == 409
    rollout.act("Nadia", services.abort_campaign, reason="Enough.", at=time.now())
    refused = retry(call, "Nadia", path)
    assert (refused.status_code, refused.get_json()["allowed"]) == (409, [])


def test_a_rollback_is_drafted_for_what_was_touched(app, cast, call, rollout, path, earlier):
    answer = call("Leo").post(f"{path}/rollbacks", {"release": earlier["motd"]})
    assert answer.status_code == 201, answer.get_json()
    back = answer.get_json()
    assert (back["kind"], back["state"], back["release"]["version"]) == ("rollback", "draft", "1.0")
    assert path.endswith(back["rollback_of"])
    with app.app_context(), rollout.seen():
        asked = select(CampaignMember.asset_id).where(CampaignMember.campaign_id == rollout.id + 1)
        touched = set(db.session.scalars(asked))
    assert len(touched) == 5, "acme-2 has fetched nothing"
    submitted = call("Leo").post(f"/campaigns/{back['id']}/transitions", {"to": "submit"})
    assert submitted.get_json()["state"] == "submitted"


def test_a_rollback_is_refused_as_on_its_page(call, rollout, path, earlier, fields, app, within):
    def post(release, name="Leo", of=path):
        return call(name).post(f"{of}/rollbacks", {"release": release})

    with within("Leo"):
        same = db.session.scalar(select(Release.public_id).where(Release.version == "2.0"))
    for wrong in (earlier["other"], str(same), str(uuid.uuid4()), "x"):
        assert fields(post(wrong)) == ["release"], wrong
    assert fields(call("Leo").post(f"{path}/rollbacks", {})) == ["release"]
    assert {name: post(earlier["motd"], name).status_code for name in ("Alice", "Tina", "Dana")} == {
        "Alice": 403,
        "Tina": 403,
        "Dana": 403,
    }
    back = post(earlier["motd"]).get_json()
    assert post(earlier["motd"], of=f"/campaigns/{back['id']}").status_code == 409, "a rollback of a rollback"
    assert post(earlier["motd"], of=f"/campaigns/{uuid.uuid4()}").status_code == 404


def test_a_rollback_that_is_sent_twice_is_drafted_once(call, rollout, path, earlier):
    twice = [
        call("Leo").post(f"{path}/rollbacks", {"release": earlier["motd"]}, key="once").get_json()["id"]
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
