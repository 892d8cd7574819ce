"""What goes wrong in the field, each by its name: gates, time, crowds, and a database that is behind its machines."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

import pytest
from sqlalchemy import select

from msp.campaigns import consents, restored, services
from msp.campaigns.models import Action, Decision
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.withdrawing import withdraw_release
from msp.windows import services as windows
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet

PATIENT = replace(fleet.QUICK, start_seconds=30 * 86400, silent_seconds=10**7)
LONG = fleet.replace_gate(lane_seconds=40 * 86400)
WIDE = fleet.replace_gate(max_bad=50, min_sample=50, pass_pct=1, max_gone_pct=100)


def enrol(app, cast, **counts):
    return [
        agent
        for slug, count in counts.items()
        for agent in fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)])
    ]


@pytest.fixture
def machines(app, cast):
    return enrol(app, cast, provider=1, acme=3, globex=2)


def later(**more):
    return time.now() + timedelta(**more)


def cycle(machines, at=None):
    """Every machine does what it is told, and a second later tells what it holds."""
    begun = at or time.now()
    for moment in (begun, begun + timedelta(seconds=1)):
        with time.frozen(moment):
            for machine in machines:
                machine.cycle()


def look(rollout):
    """The portal looks, after all that `cycle` told has arrived."""
    return rollout.tick(at=later(seconds=2))


def first_passes(rollout, machines):
    machines[0].cycle()
    assert rollout.tick() == "running"


def ends(rollout, tenant_id=None):
    return [
        (one.state, one.reason) for one in rollout.lanes() if tenant_id is None or one.tenant_id == tenant_id
    ]


def begin(machine):
    """The machine takes up what it is offered, and goes no further."""
    action = machine.offered()
    machine.take(action)
    machine.report(action, "proceeding")
    return action


class TestGates:
    def test_a_canary_of_one_decides_alone(self, app, cast):
        machines = enrol(app, cast, acme=30)
        rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",)))
        assert [(one.ordinal, one.member_count) for one in rollout.lanes()] == [(1, 1), (2, 29)]
        for machine in machines:
            machine.fails = True
            machine.cycle()
        assert rollout.tick() == "paused"
        assert rollout.outcomes() == {"failed": 1, "planned": 29}

    def test_a_canary_whose_only_machine_is_gone_proves_nothing(self, app, cast, machines, superuser):
        """Of size 0, once its only machine was retired between the plan and the start."""
        rollout = fleet.draft(app, cast)
        rollout.act("Leo", services.submit_campaign, at=time.now())
        rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
        rollout.let_in()
        superuser.execute("UPDATE assets SET state = 'retired' WHERE id = %s", (machines[0].asset_id,))
        rollout.act("Nadia", services.start_campaign, at=time.now())
        rollout.tick()
        assert rollout.tick() == "paused"
        assert ends(rollout)[0] == ("skipped", "no members")
        assert rollout.outcomes() == {"skipped": 1, "planned": 5}

    def test_all_unreachable_is_no_pass(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, gate=WIDE))
        first_passes(rollout, machines)
        assert rollout.tick(at=later(seconds=700)) == "paused"
        assert {one.state for one in rollout.lanes()[1:]} == {"inconclusive"}
        assert rollout.outcomes() == {"success": 1, "unreachable": 5}

    def test_all_cancelled_is_no_pass(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, gate=WIDE))
        action = begin(machines[0])
        machines[0].report(action, "canceled")
        assert rollout.tick() == "paused"
        assert (rollout.lanes()[0].state, rollout.outcomes()) == (
            "inconclusive",
            {"cancelled": 1, "planned": 5},
        )

    def test_all_failed_is_no_pass_though_no_rule_says_so(self, app, cast, machines):
        gate = fleet.replace_gate(max_bad=None, min_sample=1000, max_bad_pct=100, pass_pct=0)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].fails = True
        machines[0].cycle()
        assert rollout.tick() == "paused"
        assert rollout.lanes()[0].state == "inconclusive"

    @pytest.mark.parametrize(("pass_pct", "state"), [(66, "passed"), (67, "inconclusive")])
    def test_two_of_three_meet_sixty_six_percent_exactly_and_not_more(
        self, app, cast, machines, pass_pct, state
    ):
        gate = fleet.replace_gate(max_bad=2, min_sample=50, pass_pct=pass_pct)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        first_passes(rollout, machines)
        machines[1].fails = True
        cycle(machines[1:4])
        look(rollout)
        assert ends(rollout, cast.tenants["acme"])[0][0] == state

    def test_a_machine_deleted_in_an_open_lane_is_listed_and_n_stays(self, app, cast, machines, superuser):
        gate = fleet.replace_gate(max_bad=1, min_sample=50, pass_pct=100)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        first_passes(rollout, machines)
        superuser.execute("UPDATE assets SET state = 'retired' WHERE id = %s", (machines[1].asset_id,))
        cycle(machines[2:])
        look(rollout)
        lane = next(one for one in rollout.lanes() if one.tenant_id == cast.tenants["acme"])
        assert (lane.state, lane.member_count) == ("inconclusive", 3)
        listed = [one.inputs for one in rollout.decisions() if one.kind == "skip"]
        assert listed == [{"lane": lane.id, "actions": 1, "because": "asset retired"}]

    def test_a_late_failure_after_the_lane_passed_stops_the_rest(self, app, cast):
        machines = enrol(app, cast, provider=2, acme=40)
        gate = fleet.replace_gate(max_bad=1, pass_pct=50, max_gone_pct=50)
        timing = replace(fleet.QUICK, silent_seconds=10**6)
        rollout = fleet.start(
            fleet.draft(
                app, cast, slugs=("provider", "acme"), percents=(5, 50, 100), gate=gate, timing=timing
            )
        )
        action = machines[1].offered()
        machines[1].take(action)
        machines[0].cycle()
        rollout.tick(at=later(seconds=605))
        assert ends(rollout)[0][0] == "passed"
        machines[1].report(action, "closed", "failure", code=4)
        assert rollout.tick(at=later(seconds=610)) == "paused"
        assert rollout.lanes()[0].state == "passed"
        with app.app_context(), rollout.seen():
            assert rollout.load().pause_reason == "wave 1 failed after it had passed"

    def test_a_late_success_after_a_timeout_needs_its_proof_and_then_counts(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, gate=WIDE))
        action = begin(machines[0])
        rollout.tick(at=later(seconds=301))
        with time.frozen(later(seconds=310)):
            machines[0].report(action, "closed", "success")
        rollout.tick(at=later(seconds=311))
        assert rollout.outcomes()["timeout"] == 1
        machines[0].installed = f"motd/{rollout.lanes()[0].release_version}"
        with time.frozen(later(seconds=320)):
            machines[0].tell_facts()
        rollout.tick(at=later(seconds=321))
        assert rollout.outcomes()["success"] == 1
        assert rollout.state == "paused"

    def test_consent_taken_back_in_mid_lane_leaves_nobody_half_done(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, timing=PATIENT, gate=LONG))
        first_passes(rollout, machines)
        acme = [one for one in machines if one.slug == "acme"]
        running = begin(acme[0])
        rollout.say("acme", consents.decline, reason="Stop.")
        rollout.tick()
        assert ends(rollout, cast.tenants["acme"]) == [("skipped", "consent")]
        acme[0].installed = f"motd/{rollout.lanes()[0].release_version}"
        with time.frozen(later(seconds=5)):
            acme[0].tell_facts()
            acme[0].report(running, "closed", "success")
        mine = [one.outcome for one in rollout.actions() if one.tenant_id == cast.tenants["acme"]]
        assert sorted(mine) == ["skipped", "skipped", "success"]


class TestManyClients:
    @pytest.fixture
    def many(self, app, cast, superuser):
        """Fifty clients with a machine each, that have all let the campaign in."""
        superuser.execute(
            "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
            " SELECT gen_random_uuid(), 'c-' || i, 'CC' || i, 'Client ' || i, 'client', 'active', 'Asia/Jakarta', 'id',"
            " '', now() FROM generate_series(1, 50) i"
        )
        cast.tenants.update(dict(superuser.execute("SELECT slug, id FROM tenants").fetchall()))
        own = fleet.enrol(app, cast.tenants["provider"], "provider", ["own-0"])
        slugs = [f"c-{n}" for n in range(1, 51)]
        return own, {slug: fleet.enrol(app, cast.tenants[slug], slug, [slug])[0] for slug in slugs}

    def begun(self, app, cast, many, **more):
        own, theirs = many
        rollout = fleet.draft(app, cast, slugs=("provider", *theirs), percents=(1, 100), **more)
        rollout.act("Leo", services.submit_campaign, at=time.now())
        rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
        rollout.let_in(*theirs)
        rollout.act("Nadia", services.start_campaign, at=time.now())
        rollout.tick()
        own[0].cycle()
        assert rollout.tick() == "running"
        return rollout

    def test_one_client_fails_while_forty_nine_pass(self, app, cast, many):
        rollout = self.begun(app, cast, many)
        theirs = list(many[1].values())
        theirs[7].fails = True
        cycle(theirs)
        assert look(rollout) == "paused"
        by_state = {}
        for lane in rollout.lanes():
            by_state.setdefault(lane.state, []).append(lane.tenant_id)
        assert by_state.pop("failed") == [theirs[7].tenant_id]
        assert {state: len(ids) for state, ids in by_state.items()} == {"passed": 50}
        for name in ("Alice", "Mallory"):
            by = personas.actor(app, cast, name)
            with app.app_context(), enter(by.scope()):
                assert db.session.scalars(select(Action)).all() == []

    def test_the_same_reason_at_three_clients_stops_everything(self, app, cast, many):
        for slug in ("c-1", "c-2", "c-3"):
            fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-too"])
        rollout = self.begun(app, cast, many, gate=WIDE)
        theirs = list(many[1].values())
        for count, machine in enumerate(theirs[:3], 1):
            machine.fails = True
            machine.cycle()
            assert rollout.tick() == ("running" if count < 3 else "paused")
        with app.app_context(), rollout.seen():
            found = rollout.load()
            assert (found.pause_cause, found.pause_reason) == (
                "global",
                "same reason at several clients: write",
            )


class TestWithdrawnRelease:
    def withdraw(self, app, cast, rollout):
        by = personas.actor(app, cast, "Nadia")
        with app.app_context(), enter(by.scope()):
            release = find_release_by_id(rollout.load().release_id)
            withdraw_release(release, reason="It is bad.", by=by, at=time.now())
            db.session.commit()

    def approved(self, app, cast):
        rollout = fleet.draft(app, cast)
        rollout.act("Leo", services.submit_campaign, at=time.now())
        rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
        rollout.let_in()
        return rollout

    def test_an_approved_campaign_cannot_be_started_any_more(self, app, cast, machines):
        rollout = self.approved(app, cast)
        self.withdraw(app, cast, rollout)
        with pytest.raises(Conflict):
            rollout.act("Nadia", services.start_campaign, at=time.now())

    def test_a_scheduled_campaign_stands_when_its_time_comes(self, app, cast, machines):
        rollout = self.approved(app, cast)
        rollout.act("Nadia", services.start_campaign, at=time.now(), start_at=later(seconds=60))
        self.withdraw(app, cast, rollout)
        assert rollout.tick(at=later(seconds=61)) == "paused"
        assert rollout.outcomes() == {"planned": 6}


class TestTime:
    @pytest.mark.parametrize(
        ("day", "opens", "closes"),
        [
            (date(2026, 3, 29), (1, 30), (3, 30)),
            (date(2026, 10, 25), (0, 30), (2, 30)),
            (date(2026, 6, 10), (0, 30), (2, 30)),
        ],
    )
    def test_a_night_window_keeps_its_length_when_the_clocks_change(
        self, app, cast, machines, day, opens, closes
    ):
        """02:30 in Berlin: left out on one Sunday of the year, there twice on another."""
        self.agree(app, cast, day)
        gate = fleet.replace_gate(lane_seconds=400 * 86400)
        timing = replace(PATIENT, start_seconds=390 * 86400, campaign_seconds=400 * 86400, reserve_seconds=1)
        rollout = self.at(day, app, cast, gate, timing)
        acme = [one for one in machines if one.slug == "acme"]
        first, last = (datetime(day.year, day.month, day.day, *hour, tzinfo=UTC) for hour in (opens, closes))
        for moment, is_open in (
            (first - timedelta(seconds=1), False),
            (first, True),
            (last - timedelta(seconds=2), True),
            (last, False),
        ):
            rollout.tick(at=moment)
            with time.frozen(moment):
                assert any(one.offered() for one in acme) == is_open, moment

    def agree(self, app, cast, day):
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            windows.add_window(
                tenant_id=cast.tenants["acme"],
                name="Sunday night",
                rule="FREQ=DAILY",
                first_on=day,
                starts_at=wall(2, 30),
                minutes=120,
                time_zone="Europe/Berlin",
                by=personas.actor(app, cast, "Mia"),
                at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            db.session.commit()

    def at(self, day, app, cast, gate, timing):
        """A campaign that began a day before, over Acme's machines."""
        before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=20)
        with time.frozen(before):
            rollout = fleet.draft(app, cast, slugs=("acme",), gate=gate, timing=timing)
            fleet.release(rollout)
        rollout.tick(at=before)
        return rollout

    def test_a_window_that_closes_between_the_get_and_the_installation(self, app, cast, machines):
        """The document says until when it may begin; a machine that is late says so, and is offered it again."""
        opens = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
        with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
            windows.add_window(
                tenant_id=cast.tenants["provider"],
                name="Daily",
                rule="FREQ=DAILY",
                first_on=opens.date() - timedelta(days=1),
                starts_at=wall(opens.hour, opens.minute),
                minutes=60,
                time_zone="UTC",
                by=personas.actor(app, cast, "Mia"),
                at=opens,
            )
            db.session.commit()
        rollout = fleet.start(fleet.draft(app, cast, timing=replace(PATIENT, reserve_seconds=600), gate=LONG))
        action = machines[0].offered()
        said = {
            one["key"]: one["value"]
            for one in machines[0].take(action)["deployment"]["chunks"][0]["metadata"]
        }
        assert said["begin_until"] == (opens + timedelta(minutes=50)).isoformat()
        with time.frozen(opens + timedelta(minutes=51)):
            machines[0].report(action, "rejected", code=15)
        rollout.tick(at=opens + timedelta(minutes=52))
        assert rollout.outcomes() == {"offered": 1, "planned": 5}
        with time.frozen(opens + timedelta(days=1, minutes=1)):
            machines[0].cycle()
        rollout.tick(at=opens + timedelta(days=1, minutes=2))
        assert machines[0].applied == {action: 1}

    def test_a_freeze_that_begins_while_lanes_are_open_takes_offers_back_and_lets_go_on(
        self, app, cast, machines
    ):
        gate = replace(WIDE, lane_seconds=40 * 86400)
        rollout = fleet.start(fleet.draft(app, cast, timing=PATIENT, gate=gate))
        first_passes(rollout, machines)
        acme = [one for one in machines if one.slug == "acme"]
        running, offered = begin(acme[0]), acme[1].offered()
        assert offered
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            by = personas.actor(app, cast, "Mia")
            windows.add_freeze(
                tenant_id=cast.tenants["acme"],
                name="Stock take",
                begins_at=time.now(),
                ends_at=later(days=2),
                by=by,
                at=time.now(),
            )
            db.session.commit()
        assert acme[1].ask("GET", f"/deploymentBase/{offered}").status_code == 404
        assert acme[2].offered() is None
        rollout.tick()
        assert acme[1].offered() is None
        acme[0].report(running, "proceeding", details=["half way"])
        assert acme[0].take(running)
        rollout.tick(at=later(days=2, seconds=5))
        with time.frozen(later(days=2, seconds=6)):
            assert acme[1].offered() == offered


class TestCrowd:
    def test_fifty_reports_of_one_lane_at_once_all_count_once(self, app, cast, superuser):
        machines = enrol(app, cast, acme=52)
        rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",), gate=WIDE))
        for machine in machines:
            machine.cycle()
        rollout.tick()
        taken = {machine.name: (machine, begin(machine)) for machine in machines if not machine.applied}
        assert len(taken) >= 50

        def report(pair):
            machine, action = pair
            for _ in range(2):
                machine.report(action, "closed", "failure", code=4)

        with ThreadPoolExecutor(16) as pool:
            done = [pool.submit(report, pair) for pair in taken.values()]
            for _ in range(3):
                rollout.tick()
        assert [one.exception() for one in done] == [None] * len(taken)
        rollout.tick()
        assert rollout.outcomes()["failed"] == len(taken)
        counted = superuser.execute(
            "SELECT count(*) FROM action_events WHERE is_terminal AND source = 'device' AND finished = 'failure'"
        ).fetchone()
        assert counted == (len(taken),)

    def test_jobs_in_any_order_and_number_change_nothing(self, app, cast, machines):
        """A job that was asked for before, and runs after, a newer one looks at the rows as they are now."""
        rollout = fleet.start(fleet.draft(app, cast))
        first_passes(rollout, machines)
        cycle(machines)
        look(rollout)
        before = rollout.outcomes(), ends(rollout), len(rollout.decisions())
        for seconds in (5, 2, 3, 4, 2):
            rollout.tick(at=later(seconds=seconds))
        assert (rollout.outcomes(), ends(rollout), len(rollout.decisions())) == before


class TestRestore:
    @pytest.fixture
    def running(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, timing=PATIENT, gate=LONG))
        first_passes(rollout, machines)
        return rollout

    def pause(self, app):
        with app.app_context():
            return restored.pause_restored()

    def test_in_its_own_database_a_campaign_runs_on(self, app, running):
        assert self.pause(app) == 0
        assert running.tick() == "running"

    def test_after_a_restore_it_stands_until_people_let_it_go_on(self, app, running, monkeypatch):
        monkeypatch.setattr(restored, "read_epoch", lambda: "another one")
        assert self.pause(app) == 1
        assert self.pause(app) == 0
        assert running.state == "paused"
        with app.app_context(), running.seen():
            found = running.load()
            assert (found.pause_cause, found.pause_reason) == ("restore", restored.REASON)
        assert running.act("Nadia", services.resume_campaign, reason="Looked at.", at=time.now())
        assert self.pause(app) == 0
        assert running.tick() == "running"

    def test_machines_that_are_ahead_of_the_database_apply_nothing_twice(
        self, app, cast, running, machines, superuser
    ):
        """Two machines are done with what the restored database has not even offered."""
        acme = [one for one in machines if one.slug == "acme"]
        done = [(one, one.offered()) for one in acme[:2]]
        for machine, action in done:
            machine.take(action)
            machine.applied[action], machine.results[action] = 1, "success"
            machine.installed = f"motd/{running.lanes()[0].release_version}"
        superuser.execute(
            "UPDATE actions SET phase = 'eligible', offered_at = NULL, retrieved_at = NULL, offers = 0"
            " WHERE id = ANY(%s)",
            ([int(action) for _machine, action in done],),
        )
        superuser.execute(
            "UPDATE decisions SET inputs = inputs || '{\"epoch\": \"before\"}' WHERE inputs ? 'epoch'"
        )
        assert self.pause(app) == 1
        for machine, action in done:
            machine.report(action, "closed", "success")
            assert machine.offered() is None
        running.tick()
        running.act("Nadia", services.resume_campaign, reason="Looked at.", at=time.now())
        running.tick()
        for seconds in (2, 4):
            cycle(acme, later(seconds=seconds))
            running.tick(at=later(seconds=seconds + 1))
        mine = [one.outcome for one in running.actions() if one.tenant_id == cast.tenants["acme"]]
        assert mine == ["success"] * 3
        assert [sum(one.applied.values()) for one in acme] == [1, 1, 1]

    def test_the_epoch_is_that_of_the_database(self, app, cast, running, postgres_dsn):
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            first = restored.read_epoch()
            assert first == restored.read_epoch()
            assert len(first) == 16
        with app.app_context(), running.seen():
            noted = db.session.scalars(
                select(Decision.inputs["epoch"].astext).where(Decision.inputs.has_key("epoch"))
            ).all()
        assert noted == [first]
