"""The wire: who gets in, what a poll says and costs, and what is offered, as real clients behave."""

from datetime import timedelta

from sqlalchemy import event, update

from msp.campaigns import services
from msp.campaigns.sightings import SEEN, flush_sightings
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Tenant
from tests.msp.campaigns import fleet

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


def test_the_limit_is_per_credential_and_says_when_to_return(app, machine, stranger):
    answers = [machine.ask("GET") for _ in range(601)]
    assert {one.status_code for one in answers[:600]} == {200}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert stranger.ask("GET").status_code == 200
