"""Whatever a device says, and in whatever order: answered with 200 or 400, nothing lost, nothing counted twice."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from msp.campaigns import services
from msp.campaigns.models import Action, ActionEvent
from msp.campaigns.phases import EXECUTIONS, FINISHES
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.campaigns import fleet

IDS = ("0", "-1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "", "1e3", "٣")
ODD_TEXT = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ['"', "\t", "\x00", "\ud800", "'; --"]
)


@pytest.fixture
def rollout(app, cast, machine):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))


@pytest.fixture
def action(machine, rollout):
    found = machine.offered()
    machine.take(found)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    claimed=st.sampled_from(IDS) | st.integers().map(str),
    execution=st.sampled_from(sorted(EXECUTIONS)),
    finished=st.sampled_from(sorted(FINISHES)),
    details=st.lists(ODD_TEXT | st.integers() | st.none(), max_size=60),
    code=st.integers() | ODD_TEXT | st.none() | st.booleans(),
    extra=st.dictionaries(
        st.sampled_from(["id", "time", "timestamp", "x"]), ODD_TEXT | st.integers() | st.lists(st.none())
    ),
)
def test_readable_feedback_about_anything_is_200(machine, claimed, execution, finished, details, code, extra):
    said = {"execution": execution, "result": {"finished": finished}, "details": details, "code": code}
    body = json.dumps({**extra, "status": said}).encode()
    for channel in ("deploymentBase", "cancelAction"):
        answer = machine.ask("POST", f"/{channel}/{claimed or '%20'}/feedback", data=body)
        assert answer.status_code == 200, answer.data


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ODD_TEXT,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["status", "result", "execution", "finished", "data", "mode"]), inner
            )
        ),
        max_leaves=12,
    ).map(lambda one: json.dumps(one).encode())
)
def test_any_body_at_all_is_200_or_400(machine, data):
    for method, path in (
        ("POST", "/deploymentBase/1/feedback"),
        ("POST", "/cancelAction/1/feedback"),
        ("PUT", "/configData"),
        ("PUT", "/inventory"),
    ):
        assert machine.ask(method, path, data=data).status_code in (200, 400), (path, data)


def test_a_megabyte_is_400_and_the_action_goes_on(machine, rollout, action):
    body = {
        "status": {"execution": "proceeding", "result": {"finished": "none"}, "details": ["x" * 1_000_000]}
    }
    assert machine.ask("POST", f"/deploymentBase/{action}/feedback", json=body).status_code == 400
    machine.report(action, "proceeding")
    assert rollout.outcomes() == {"running": 1}


@pytest.mark.parametrize("count", [1_100, pytest.param(10_000, marks=pytest.mark.prove)])
def test_any_number_of_events_keeps_a_thousand_and_the_end(app, machine, rollout, action, within, count):
    """As many reports as a device in a loop sends, without the limit of requests in between."""
    from msp.agents import parsing
    from msp.campaigns import actions

    with within("acme"), app.test_request_context(data=b""):
        for number in range(count):
            said = actions.Feedback(
                action, parsing.Report("deployment", "proceeding", "none"), (str(number),), None, {}
            )
            actions.take_feedback(machine.tenant_id, machine.asset_id, int(action), said, time.now())
        db.session.commit()
    machine.report(action, "closed", "failure", code=1)
    assert rollout.outcomes() == {"failed": 1}
    with within("acme"):
        kept = db.session.scalar(select(func.count()).where(ActionEvent.action_id == int(action)))
        assert kept == actions.MOST_EVENTS + 1


@pytest.mark.parametrize("order", [("success", "cancel"), ("cancel", "success")])
def test_success_and_cancellation_cross_in_both_orders(machine, rollout, action, order):
    """What the machine then shows decides, whichever came first."""
    machine.report(action, "proceeding")
    rollout.act("Nadia", services.abort_campaign, reason="wrong", at=time.now())
    rollout.tick()
    for word in order:
        channel = "deploymentBase" if word == "success" else "cancelAction"
        machine.report(action, "closed", "success", channel=channel)
    machine.installed = f"motd/{rollout.lanes()[0].release_version}"
    machine.tell_facts()
    rollout.tick()
    assert rollout.outcomes() == {"success": 1}


def test_a_rejected_cancellation_goes_back_to_where_it_was(machine, rollout, action):
    machine.report(action, "proceeding")
    rollout.act("Nadia", services.abort_campaign, reason="wrong", at=time.now())
    rollout.tick()
    machine.report(action, "rejected", channel="cancelAction")
    machine.report(action, "rejected", channel="cancelAction")
    (row,) = rollout.actions()
    assert (row.phase, row.cannot_stop) == ("running", True)


def test_enrolled_again_in_mid_action_it_goes_on_with_the_same_action(app, cast, machine, rollout, action):
    machine.report(action, "proceeding")
    (again,) = fleet_with_second_token(machine)
    assert again.offered() == action
    again.installed = f"motd/{rollout.lanes()[0].release_version}"
    again.tell_facts()
    again.report(action, "closed", "success")
    assert rollout.outcomes() == {"success": 1}


def fleet_with_second_token(machine):
    token = machine.ask("POST", "/credential").json["token"]
    return (fleet.Agent(machine.app, machine.slug, machine.name, token, machine.asset_id, machine.tenant_id),)


def test_a_failure_after_a_verified_success_changes_nothing(machine, rollout, action, within):
    machine.installed = f"motd/{rollout.lanes()[0].release_version}"
    machine.tell_facts()
    machine.report(action, "closed", "success")
    machine.report(action, "closed", "failure", code=4)
    rollout.tick(at=time.now() + timedelta(seconds=1))
    assert rollout.outcomes() == {"success": 1}
    with within("acme"):
        assert db.session.get_one(Action, (machine.tenant_id, int(action))).reason_code is None


def test_a_token_of_one_client_on_the_path_of_another_changes_nothing(machine, stranger, rollout, action):
    headers = {"Authorization": f"TargetToken {stranger.token}"}
    body = {"status": {"execution": "closed", "result": {"finished": "failure"}}}
    path = f"{machine.base}/deploymentBase/{action}/feedback"
    answer = machine.app.test_client().post(path, headers=headers, json=body)
    never = machine.app.test_client().post(path.replace("acme-pc-1", "never-was"), headers=headers, json=body)
    assert (answer.status_code, answer.data) == (never.status_code, never.data)
    assert answer.status_code == 403
    assert rollout.outcomes() == {"offered": 1}
