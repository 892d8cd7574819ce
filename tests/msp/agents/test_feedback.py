"""What machines tell over the wire: ends, cancellations and facts, as real clients tell them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.campaigns import services
from msp.campaigns.models import Action, ActionEvent
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant


def events(app, machine):
    with app.app_context(), enter(of_tenant(machine.tenant_id)):
        return list(db.session.scalars(select(ActionEvent).order_by(ActionEvent.id)))


class TestFeedback:
    def take(self, machine):
        action = machine.offered()
        machine.take(action)
        return action

    def test_success_alone_is_only_a_claim(self, machine, rollout):
        action = self.take(machine)
        machine.report(action, "proceeding")
        machine.report(action, "closed", "success")
        assert rollout.outcomes() == {"verifying": 1}
        assert set(machine.poll()["_links"]) == {"configData", "inventory"}
        machine.tell_facts(installed_release="something else")
        assert rollout.outcomes() == {"verifying": 1}
        machine.tell_facts(installed_release=f"motd/{self.version(rollout)}")
        assert rollout.outcomes() == {"success": 1}

    def version(self, rollout):
        return rollout.lanes()[0].release_version

    def test_facts_from_before_the_start_verify_nothing(self, machine, rollout):
        machine.tell_facts(installed_release=f"motd/{self.version(rollout)}")
        action = self.take(machine)
        machine.report(action, "closed", "success")
        assert rollout.outcomes() == {"verifying": 1}

    def test_success_before_any_get_is_no_success(self, machine, rollout):
        machine.report(machine.offered(), "closed", "success")
        assert rollout.outcomes() == {"verifying": 1}
        rollout.tick(at=time.now() + timedelta(seconds=121))
        assert rollout.outcomes() == {"indeterminate": 1}

    def test_a_fresh_client_that_claims_what_it_was_never_given(self, machine, rollout):
        """Some clients report success for whatever action is offered the moment they start."""
        assert rollout.outcomes() == {"eligible": 1}
        (action,) = rollout.actions()
        machine.report(str(action.id), "closed", "success")
        assert rollout.outcomes() == {"eligible": 1}

    def test_closed_without_a_word_on_the_end_is_ambiguous(self, machine, rollout):
        action = self.take(machine)
        machine.report(action, "closed", "none")
        (row,) = rollout.actions()
        assert (row.phase, row.is_ambiguous) == ("verifying", True)

    def test_a_repeated_end_is_recorded_once(self, app, machine, rollout):
        action = self.take(machine)
        for _ in range(3):
            machine.report(action, "closed", "failure", code=3, details=["no space"])
        (row,) = rollout.actions()
        assert (row.outcome, row.reason_code, row.detail) == ("failed", "no_space", "no space")
        assert [one.is_terminal for one in events(app, machine)] == [True]

    def test_a_second_different_end_changes_nothing(self, app, machine, rollout):
        action = self.take(machine)
        machine.report(action, "closed", "failure")
        machine.report(action, "closed", "success")
        assert rollout.outcomes() == {"failed": 1}
        assert [(one.accepted, one.reason) for one in events(app, machine)] == [(True, None), (False, "late")]

    def test_feedback_about_nothing_is_kept_and_answered_with_200(self, app, machine, stranger, rollout):
        action = self.take(machine)
        stranger.report(action, "closed", "failure")
        machine.report("999999", "closed", "success")
        machine.report("nonsense", "closed", "success")
        assert rollout.outcomes() == {"offered": 1}
        kept = events(app, machine)
        assert [(one.action_id, one.reason, one.body["claimed"]) for one in kept] == [
            (None, "unattributed", "999999"),
            (None, "unattributed", "nonsense"),
        ]

    def test_unattributed_feedback_cannot_fill_the_table(self, app, machine):
        for number in range(105):
            machine.report(str(10_000 + number), "proceeding")
        assert len(events(app, machine)) == 100

    def test_intermediate_events_are_dropped_beyond_the_limit_and_ends_are_not(self, app, machine, rollout):
        action = self.take(machine)
        with app.app_context(), enter(of_tenant(machine.tenant_id)):
            db.session.execute(update(Action).values(event_count=1000))
            db.session.commit()
        machine.report(action, "proceeding")
        machine.report(action, "closed", "failure")
        assert [one.execution for one in events(app, machine)] == ["closed"]
        assert rollout.outcomes() == {"failed": 1}

    def test_rejections_defer_until_they_are_too_many(self, machine, rollout):
        action = self.take(machine)
        for number in range(20):
            machine.report(action, "rejected", details=[str(number)])
        assert rollout.outcomes() == {"rejected": 1}

    UNREADABLE = (
        b"",
        b"[]",
        b"{",
        b'{"status": 1}',
        b'{"status": {"execution": "closed"}}',
        b'{"status": {"execution": "exploded", "result": {"finished": "none"}}}',
        b'{"status": {"execution": "closed", "result": {"finished": "maybe"}}}',
        b'{"status": {"execution": ["closed"], "result": {"finished": "none"}}}',
        b"[" * 5000,
        b'{"status": {"execution": "closed", "result": {"finished": "none"}, "x": "' + b"y" * 70_000 + b'"}}',
    )

    def test_what_cannot_be_read_is_400(self, machine, rollout):
        action = self.take(machine)
        for body in self.UNREADABLE:
            answer = machine.ask("POST", f"/deploymentBase/{action}/feedback", data=body)
            assert answer.status_code == 400, body[:40]
        assert rollout.outcomes() == {"offered": 1}

    def test_odd_but_readable_bodies_are_taken(self, app, machine, rollout):
        action = self.take(machine)
        body = (
            b'{"id": 12, "time": "20261120T153035", "extra": [1], "status": {"execution": "proceeding", "code": "x",'
            b' "result": {"finished": "none", "progress": {"cnt": 1, "of": 3}},'
            b' "details": ["tab\there", "quote\\"", "\\u0000nul \\ud800", "\xff\xfe", 7, {"a": 1}]}}'
        )
        assert machine.ask("POST", f"/deploymentBase/{action}/feedback", data=body).status_code == 200
        (kept,) = events(app, machine)
        assert kept.body["progress"] == {"cnt": 1, "of": 3}
        assert len(kept.body["details"]) == 6

    def test_details_are_cut(self, app, machine, rollout):
        action = self.take(machine)
        machine.report(action, "proceeding", details=["x" * 600] * 80)
        (kept,) = events(app, machine)
        assert (len(kept.body["details"]), len(kept.body["details"][0])) == (50, 500)


class TestCancel:
    @pytest.fixture
    def cancelling(self, machine, rollout):
        action = machine.offered()
        machine.take(action)
        machine.report(action, "proceeding")
        rollout.act("Nadia", services.abort_campaign, reason="wrong file", at=time.now())
        rollout.tick()
        return action

    def test_the_device_stops(self, machine, rollout, cancelling):
        assert set(machine.poll()["_links"]) == {"cancelAction"}
        assert machine.ask("GET", f"/deploymentBase/{cancelling}").status_code == 404
        document = machine.ask("GET", f"/cancelAction/{cancelling}").json
        assert document == {"id": cancelling, "cancelAction": {"stopId": cancelling}}
        machine.report(cancelling, "closed", "success", channel="cancelAction")
        assert rollout.tick() == "aborted"
        assert rollout.outcomes() == {"cancelled": 1}

    def test_the_device_refuses_and_finishes(self, machine, rollout, cancelling):
        machine.report(cancelling, "rejected", channel="cancelAction")
        (row,) = rollout.actions()
        assert (row.phase, row.cannot_stop) == ("running", True)
        rollout.tick()
        assert machine.offered() == cancelling
        machine.installed = f"motd/{rollout.lanes()[0].release_version}"
        machine.tell_facts()
        machine.report(cancelling, "closed", "success")
        assert rollout.tick() == "aborted"
        assert rollout.outcomes() == {"success": 1}

    def test_success_crosses_the_cancellation(self, machine, rollout, cancelling):
        machine.installed = f"motd/{rollout.lanes()[0].release_version}"
        machine.tell_facts()
        machine.report(cancelling, "closed", "success")
        assert rollout.outcomes() == {"success": 1}
        machine.report(cancelling, "closed", "success", channel="cancelAction")
        assert rollout.outcomes() == {"success": 1}

    def test_canceled_is_accepted_as_an_end(self, machine, rollout, cancelling):
        machine.report(cancelling, "canceled", channel="cancelAction")
        assert rollout.outcomes() == {"cancelled": 1}

    def test_silence_ends_as_indeterminate(self, rollout, cancelling):
        rollout.tick(at=time.now() + timedelta(seconds=200))
        assert rollout.outcomes() == {"indeterminate": 1}
        assert rollout.state == "aborted"


class TestFacts:
    def test_merge_replace_and_remove(self, app, machine):
        machine.ask("PUT", "/configData", json={"data": {"a": "1", "b": "2"}})
        machine.ask("PUT", "/configData", json={"mode": "merge", "data": {"a": None, "c": 3}})
        machine.ask("PUT", "/configData", json={"mode": "remove", "data": {"b": "x"}})
        with app.app_context(), enter(of_tenant(machine.tenant_id)):
            assert db.session.scalars(select(Asset)).one().facts == {"c": "3"}

    UNUSABLE = (
        {},
        {"data": 1},
        {"mode": "eat", "data": {}},
        {"data": {"": "x"}},
        {"data": {"a": {"b": 1}}},
        {"data": {str(n): "x" for n in range(101)}},
    )

    def test_unusable_facts_are_400(self, machine):
        for body in self.UNUSABLE:
            assert machine.ask("PUT", "/configData", json=body).status_code == 400, body

    def test_unusable_inventories_are_400(self, machine):
        for body in ({}, {"packages": {}}, {"packages": [1]}, {"packages": [{"name": "x"}]}):
            assert machine.ask("PUT", "/inventory", json=body).status_code == 400, body

    def test_facts_are_asked_for_when_they_are_due(self, machine):
        with time.frozen(time.now() + timedelta(days=2)):
            assert set(machine.poll()["_links"]) == {"configData", "inventory"}
            machine.tell_facts()
            assert machine.poll()["_links"] == {}
