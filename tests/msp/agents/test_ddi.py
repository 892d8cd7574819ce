"""The wire: who gets in, what a poll says and costs, and what feedback does, as real clients behave."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from msp.campaigns import services
from msp.campaigns.models import Action, ActionEvent
from msp.campaigns.sightings import SEEN, flush_sightings
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Tenant
from tests.msp.campaigns import fleet


@pytest.fixture
def rollout(app, cast, machine):
    """A running campaign whose first wave is the machine."""
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))


def events(app, machine):
    with app.app_context(), enter(of_tenant(machine.tenant_id)):
        return list(db.session.scalars(select(ActionEvent).order_by(ActionEvent.id)))


NO_CREDENTIAL = (
    {},
    {"Authorization": "TargetToken wrong"},
    {"Authorization": "TargetToken"},
    {"Authorization": "Bearer x"},
    {"Authorization": "GatewayToken x"},
    {"X-Controller-Id": "acme-pc-1", "X-Authority": "somebody"},
)
PATHS = (
    "/ddi/acme/controller/v1/acme-pc-1",
    "/ddi/acme/controller/v1/unknown",
    "/ddi/nobody/controller/v1/acme-pc-1",
    "/ddi/acme/controller/v1/acme-pc-1/deploymentBase/1",
    "/ddi/acme/controller/v1/acme-pc-1/enrolment",
    "/ddi/whatever",
)
ODD_IDS = ("0", "-1", "2147483648", "9223372036854775808", "abc", "1" * 30)


class TestDoor:
    def test_without_a_credential_everything_is_the_same_empty_401(self, app, machine):
        client = app.test_client()
        answers = {
            (answer.status_code, answer.data)
            for headers in NO_CREDENTIAL
            for path in PATHS
            for answer in (client.get(path, headers=headers), client.post(path, headers=headers))
        }
        assert answers == {(401, b"")}

    def test_another_s_path_is_the_same_403_whether_or_not_it_exists(self, app, machine, stranger):
        def ask(path):
            answer = app.test_client().get(path, headers={"Authorization": f"TargetToken {machine.token}"})
            return answer.status_code, answer.data

        existing = ask(stranger.base)
        assert existing[0] == 403
        for other in (
            "/ddi/globex/controller/v1/none",
            "/ddi/acme/controller/v1/none",
            "/ddi/none",
            "/ddi/Acme/controller/v1/acme-pc-1",
        ):
            assert ask(other) == existing

    def test_within_one_s_own_path_the_rest_is_404(self, machine):
        for path in (
            "/confirmationBase",
            "/softwaremodules/1/artifacts",
            "/nothing/at/all",
            "/deploymentBase/1",
        ):
            assert machine.ask("GET", path).status_code == 404

    def test_odd_action_ids_are_404(self, machine):
        for action in ODD_IDS:
            assert machine.ask("GET", f"/deploymentBase/{action}").status_code == 404
            assert machine.ask("GET", f"/cancelAction/{action}").status_code == 404
            machine.report(action, "closed", "success")

    def test_a_suspended_client_s_agents_are_refused(self, app, machine):
        with app.app_context(), enter(of_tenant(machine.tenant_id)):
            db.session.execute(update(Tenant).values(state="suspended"))
            db.session.commit()
        assert machine.ask("GET").status_code == 401


class TestPoll:
    def test_idle_poll_costs_two_statements_and_writes_no_row(self, app, machine, superuser):
        counted = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
        before = superuser.execute(
            "SELECT xmin, last_seen_at FROM assets WHERE last_seen_at IS NOT NULL"
        ).fetchall()
        assert machine.poll()["_links"] == {}
        assert len(counted) == 2, counted
        assert (
            superuser.execute(
                "SELECT xmin, last_seen_at FROM assets WHERE last_seen_at IS NOT NULL"
            ).fetchall()
            == before
        )
        assert app.extensions["redis"].hlen(SEEN) == 1
        with app.app_context():
            assert flush_sightings() == 1
        assert (
            superuser.execute("SELECT last_seen_at FROM assets WHERE last_seen_at IS NOT NULL").fetchone()[0]
            > before[0][1]
        )

    def test_a_poll_with_an_open_action_costs_two_statements_too(self, app, machine, rollout):
        machine.take(machine.offered())
        counted = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
        assert machine.offered()
        assert len(counted) == 2, counted

    def test_sleep_is_spread_and_in_bounds(self, machine):
        found = {machine.poll()["config"]["polling"]["sleep"] for _ in range(5)}
        assert len(found) > 1
        assert all("00:04:00" < one < "00:06:00" for one in found)

    def test_at_most_one_link_for_an_action(self, machine, rollout):
        links = machine.poll()["_links"]
        assert set(links) == {"deploymentBase"}
        href = links["deploymentBase"]["href"]
        assert href.startswith("http://portal.test/ddi/acme/controller/v1/acme-pc-1/deploymentBase/")
        assert href.endswith("?c=1")

    def test_the_same_action_is_offered_until_it_is_over(self, machine, rollout):
        action = machine.offered()
        machine.take(action)
        machine.report(action, "proceeding")
        assert machine.offered() == action

    def test_sightings_survive_redis_being_down(self, app, machine, superuser, monkeypatch):
        from redis.exceptions import ConnectionError as Down

        def refuse(*_args, **_more):
            raise Down

        monkeypatch.setattr(app.extensions["redis"], "hset", refuse)
        with time.frozen(time.now() + timedelta(minutes=5)):
            at = time.now()
            assert machine.ask("GET").status_code == 200
        app.extensions["sightings"].clear()
        assert (
            superuser.execute("SELECT last_seen_at FROM assets WHERE last_seen_at IS NOT NULL").fetchone()[0]
            == at
        )


class TestDeployment:
    def test_the_document_is_a_function_of_the_row(self, machine, rollout):
        action = machine.offered()
        first = machine.take(action)
        assert machine.take(action) == first
        assert first["id"] == action
        chunk = first["deployment"]["chunks"][0]
        assert (first["deployment"]["download"], first["deployment"]["update"], chunk["part"]) == (
            "forced",
            "forced",
            "file",
        )
        assert chunk["metadata"] == [{"key": "path", "value": "etc/motd"}]
        (file,) = chunk["artifacts"]
        assert (file["size"], len(file["hashes"]["sha1"]), len(file["hashes"]["md5"])) == (
            len(fleet.BYTES),
            40,
            32,
        )

    def test_history_on_request(self, machine, rollout):
        action = machine.offered()
        machine.take(action)
        machine.report(action, "proceeding")
        answer = machine.ask("GET", f"/deploymentBase/{action}?actionHistory=5").json
        assert answer["actionHistory"] == {"status": "running", "messages": ["proceeding: none"]}

    def test_another_s_action_is_404(self, machine, stranger, rollout):
        assert stranger.ask("GET", f"/deploymentBase/{machine.offered()}").status_code == 404

    def test_a_pause_takes_back_what_nobody_fetched(self, machine, rollout):
        action = machine.offered()
        rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
        assert machine.offered() is None
        assert machine.ask("GET", f"/deploymentBase/{action}").status_code == 404
        rollout.tick()
        rollout.act("Nadia", services.resume_campaign, reason="go on", at=time.now())
        rollout.tick()
        assert machine.poll()["_links"]["deploymentBase"]["href"].endswith(f"/{action}?c=2")

    def test_a_pause_lets_what_was_fetched_run_on(self, machine, rollout):
        action = machine.offered()
        machine.take(action)
        rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
        rollout.tick()
        assert machine.offered() == action
        machine.cycle()
        assert rollout.outcomes() == {"success": 1}

    def test_a_late_start_after_a_withdrawn_offer_is_believed(self, machine, rollout):
        action = machine.offered()
        rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
        rollout.tick()
        machine.report(action, "proceeding")
        assert rollout.outcomes() == {"running": 1}

    def test_quarantined_assets_are_offered_nothing(self, app, machine, rollout):
        with app.app_context(), enter(of_tenant(machine.tenant_id)):
            db.session.execute(update(Asset).values(state="quarantined"))
            db.session.commit()
        assert machine.offered() is None


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


def test_the_limit_is_per_credential_and_says_when_to_return(app, machine, stranger):
    answers = [machine.ask("GET") for _ in range(601)]
    assert {one.status_code for one in answers[:600]} == {200}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert stranger.ask("GET").status_code == 200
