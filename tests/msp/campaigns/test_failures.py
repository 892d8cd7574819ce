"""What goes wrong in the field: releases taken back, time, crowds, a database that is behind its machines."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

import pytest
from sqlalchemy import select

from msp.campaigns import actions, restored, services
from msp.campaigns.models import Decision
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.withdrawing import withdraw_release
from msp.windows import services as windows
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.scope import Role, Scope, enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import (
    LONG,
    PATIENT,
    WIDE,
    begin,
    cycle,
    ends,
    enrol,
    first_passes,
    later,
    look,
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
        fleet.approve(rollout)
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


class TestRaces:
    def test_a_pause_between_the_lookup_of_a_poll_and_its_offer_wins(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast))
        (action,) = (one for one in rollout.actions() if one.phase == "eligible")
        rollout.act("Tina", services.pause_campaign, reason="wait", at=time.now())
        with app.app_context(), enter(Scope(Role.AGENTS, frozenset({action.tenant_id}))):
            assert not actions.offer(action.asset_id, action.id, rollout.id, time.now())
            db.session.commit()
        assert rollout.outcomes() == {"eligible": 1, "planned": 5}


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

    def test_no_number_that_a_machine_may_know_is_given_again(
        self, app, cast, running, machines, superuser, monkeypatch
    ):
        """Actions made after the backup are gone, and the database would give their numbers once more."""
        backup = superuser.execute("SELECT last_value FROM actions_id_seq").fetchone()[0]
        known = {one.id for one in running.actions()}
        superuser.execute("SELECT setval('actions_id_seq', %s)", (backup + 50_000,))
        given_after = superuser.execute("SELECT last_value FROM actions_id_seq").fetchone()[0]

        superuser.execute("SELECT setval('actions_id_seq', %s)", (backup,))
        monkeypatch.setattr(restored, "read_epoch", lambda: "another one")
        assert [self.pause(app), self.pause(app)] == [1, 0]
        second = fleet.start(fleet.draft(app, cast, name="issue", timing=PATIENT, gate=LONG))
        fresh = {one.id for one in second.actions()}
        assert fresh
        assert not fresh & known
        assert given_after < min(fresh) <= max(fresh) < 2**31
        jumped = superuser.execute("SELECT last_value FROM actions_id_seq").fetchone()[0]
        assert jumped < backup + 2 * restored.MARGIN, "it jumps once, not at every look"

    def test_a_campaign_that_starts_before_the_portal_has_looked_is_numbered_apart_too(
        self, app, cast, running, superuser, monkeypatch
    ):
        backup = superuser.execute("SELECT last_value FROM actions_id_seq").fetchone()[0]
        monkeypatch.setattr(restored, "read_epoch", lambda: "another one")
        second = fleet.start(fleet.draft(app, cast, name="issue", timing=PATIENT, gate=LONG))
        assert min(one.id for one in second.actions()) > backup + restored.MARGIN

    def test_the_first_database_goes_on_with_its_numbers(self, app, running, superuser):
        assert max(one.id for one in running.actions()) < 100
        assert superuser.execute("SELECT count(*) FROM numberings").fetchone()[0] == 1

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
