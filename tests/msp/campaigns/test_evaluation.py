"""The tick: what the clock, silence and people's acts do to a campaign that runs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.campaigns import services
from msp.campaigns.models import Action, ActionEvent, Campaign, WaveLane
from msp.campaigns.sightings import SEEN, flush_sightings
from tenants.assets.models import Asset
from tenants.audit.models import AuditEntry
from tenants.audit.queries import verify_system, verify_tenant
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet


@pytest.fixture
def rollout(app, cast, machines):
    return fleet.start(fleet.draft(app, cast))


def later(seconds):
    return time.now() + timedelta(seconds=seconds)


def heard_of(app, machines, at):
    """Every machine calls at that moment, and the calls are flushed."""
    with time.frozen(at):
        for machine in machines:
            machine.poll()
        with app.app_context():
            flush_sightings()


def pass_first(rollout, machines):
    for machine in machines:
        machine.cycle()
    rollout.tick()


def states(rollout):
    return [lane.state for lane in rollout.lanes()]


class TestClock:
    def test_nobody_takes_it_up(self, rollout):
        assert rollout.tick(at=later(601)) == "paused"
        assert rollout.outcomes() == {"unreachable": 1, "planned": 5}
        assert states(rollout)[0] == "inconclusive"

    def test_started_and_never_heard_of_again(self, rollout, machines):
        action = machines[0].offered()
        machines[0].take(action)
        machines[0].report(action, "proceeding")
        rollout.tick(at=later(301))
        assert rollout.outcomes() == {"timeout": 1, "planned": 5}
        assert rollout.state == "paused"

    def test_each_word_renews_the_step_but_not_beyond_the_whole(self, rollout, machines):
        action = machines[0].offered()
        machines[0].take(action)
        start = time.now()
        for minutes in (0, 4, 8, 12):
            with time.frozen(start + timedelta(minutes=minutes)):
                machines[0].report(action, "proceeding", details=[str(minutes)])
        rollout.tick(at=start + timedelta(minutes=13))
        assert rollout.outcomes()["running"] == 1
        rollout.tick(at=start + timedelta(minutes=16))
        assert rollout.outcomes()["timeout"] == 1

    def test_reported_and_never_proven(self, rollout, machines):
        action = machines[0].offered()
        machines[0].take(action)
        machines[0].report(action, "closed", "success")
        rollout.tick(at=later(121))
        assert rollout.outcomes() == {"indeterminate": 1, "planned": 5}

    def test_every_closed_action_has_an_event(self, app, rollout):
        rollout.tick(at=later(601))
        with app.app_context(), rollout.seen():
            closed = db.session.scalars(select(Action).where(Action.phase == "closed")).all()
            told = set(db.session.scalars(select(ActionEvent.action_id)))
        assert closed
        assert {one.id for one in closed} <= told

    def test_a_late_proof_amends_what_was_guessed_and_rewinds_nothing(self, app, rollout, machines):
        action = machines[0].offered()
        machines[0].take(action)
        machines[0].report(action, "proceeding")
        rollout.tick(at=later(301))
        machines[0].installed = f"motd/{rollout.lanes()[0].release_version}"
        with time.frozen(later(400)):
            machines[0].tell_facts()
            machines[0].report(action, "closed", "success")
        rollout.tick(at=later(410))
        assert rollout.outcomes()["success"] == 1
        assert rollout.state == "paused"
        assert [one.kind for one in rollout.decisions()].count("amend") == 1

    def test_a_late_failure_amends_too(self, rollout, machines):
        action = machines[0].offered()
        machines[0].take(action)
        rollout.tick(at=later(601))
        assert rollout.outcomes()["unreachable"] == 1
        machines[0].report(action, "closed", "failure", code=4)
        rollout.tick()
        assert rollout.outcomes()["failed"] == 1

    def test_it_begins_when_it_was_told_to(self, app, cast, machines):
        rollout = fleet.draft(app, cast)
        fleet.approve(rollout)
        rollout.act("Nadia", services.start_campaign, at=time.now(), start_at=later(3600))
        assert rollout.tick() == "scheduled"
        assert rollout.tick(at=later(3601)) == "running"


class TestSilence:
    def test_death_after_success_stops_the_next_wave_though_nobody_reported_a_failure(
        self, app, cast, machines
    ):
        gate = replace(fleet.OPEN_GATE, soak_seconds=900)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].cycle()
        rollout.tick()
        assert states(rollout)[0] == "soaking"
        heard_of(app, machines[1:], later(880))
        assert rollout.tick(at=later(901)) == "paused"
        assert states(rollout) == ["failed", "waiting", "waiting"]
        failed = next(one for one in rollout.decisions() if one.result == "failed")
        assert failed.inputs["counts"]["silent"] == 1

    def test_a_soak_is_never_shorter_than_it_takes_for_silence_to_show(self, app, cast, machines):
        gate = replace(fleet.OPEN_GATE, soak_seconds=60)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].cycle()
        rollout.tick()
        for seconds in (90, 301):
            heard_of(app, machines[1:], later(seconds - 5))
            rollout.tick(at=later(seconds))
            assert states(rollout)[1:] == ["waiting", "waiting"]
        assert rollout.tick(at=later(331)) == "paused"
        assert states(rollout) == ["failed", "waiting", "waiting"]

    def test_who_calls_again_is_alive(self, app, cast, machines):
        gate = replace(fleet.OPEN_GATE, soak_seconds=900)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].cycle()
        rollout.tick()
        heard_of(app, machines, later(880))
        rollout.tick(at=later(901))
        assert states(rollout) == ["passed", "open", "open"]

    def test_without_any_sightings_no_lane_passes(self, app, rollout, machines):
        machines[0].cycle()
        app.extensions["redis"].flushdb()
        with app.app_context():
            assert flush_sightings() == 0
        rollout.tick()
        assert states(rollout)[0] == "open"
        heard_of(app, machines[:1], time.now())
        rollout.tick()
        assert states(rollout)[0] == "passed"

    def test_planted_sightings_are_worth_little(self, app, machines):
        redis = app.extensions["redis"]
        redis.hset(
            SEEN,
            mapping={
                "nonsense": "1",
                "1:x": "2",
                "999:1": "1",
                f"{machines[0].tenant_id}:{machines[0].asset_id}": str(10**15),
            },
        )
        with app.app_context():
            flush_sightings()
            with enter(of_tenant(machines[0].tenant_id)):
                seen = db.session.scalars(
                    select(Asset.last_seen_at).where(Asset.id == machines[0].asset_id)
                ).one()
        assert seen <= time.now()

    def test_those_who_die_after_their_wave_passed_stop_the_rest(self, app, rollout, machines):
        pass_first(rollout, machines)
        assert states(rollout)[0] == "passed"
        heard_of(app, machines[1:], later(320))
        assert rollout.tick(at=later(330)) == "paused"
        with app.app_context(), rollout.seen():
            assert rollout.load().pause_reason == "wave 1 failed after it had passed"


class TestPeople:
    def test_the_plan_that_was_approved_is_the_plan_that_runs(self, app, cast, machines):
        rollout = fleet.draft(app, cast)
        rollout.act("Leo", services.submit_campaign, at=time.now())
        with app.app_context(), rollout.seen():
            row = rollout.load()
            row.plan = {**row.plan, "version": 99}
            db.session.commit()
        with pytest.raises(Conflict):
            rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())

    def test_nobody_but_the_author_changes_a_draft_and_nobody_changes_a_plan(self, app, cast, machines):
        rollout = fleet.draft(app, cast)
        for verb in (services.submit_campaign, services.withdraw_campaign):
            with pytest.raises(Conflict):
                rollout.act("Nadia", verb, at=time.now())
        rollout.act("Leo", services.submit_campaign, at=time.now())
        with pytest.raises(Conflict):
            rollout.act("Leo", services.add_assets, tenants=[cast.tenants["acme"]])
        with pytest.raises(Conflict):
            rollout.act("Leo", services.wish)

    def test_one_decides_only_over_clients_that_one_is_granted(self, app, cast, machines):
        rollout = fleet.draft(app, cast)
        rollout.act("Leo", services.submit_campaign, at=time.now())
        with pytest.raises(Forbidden):
            rollout.act("Tina", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())

    def test_assets_of_others_cannot_be_added(self, app, cast, machines):
        tina = personas.actor(app, cast, "Tina")
        by = replace(tina, permissions=personas.actor(app, cast, "Leo").permissions)
        with app.app_context(), enter(by.scope()):
            from msp.campaigns.releases import add_release

            release = add_release(
                name="a",
                version="1",
                target_path="a",
                files=[("a", __import__("io").BytesIO(b"x"))],
                by=by,
                at=time.now(),
            )
            campaign = services.draft_campaign(title="Mine", release=release, by=by, at=time.now())
            assert services.add_assets(campaign, by=by, tenants=[cast.tenants["globex"]]) == 0
            assert (
                services.add_assets(campaign, by=by, tenants=list(cast.tenants.values()), kind="server") == 3
            )
            with pytest.raises(Invalid):
                services.wish(campaign, by=by, percents=(50,))

    def test_stop_withdraws_what_nobody_fetched_and_time_stands_still(self, rollout, machines):
        assert machines[0].offered()
        rollout.act("Tina", services.pause_campaign, reason="wait", at=time.now())
        rollout.tick(at=later(100_000))
        assert rollout.outcomes() == {"eligible": 1, "planned": 5}
        assert machines[0].offered() is None
        rollout.act("Nadia", services.resume_campaign, reason="go on", at=later(100_000))
        rollout.tick(at=later(100_010))
        assert rollout.outcomes() == {"eligible": 1, "planned": 5}
        with time.frozen(later(100_020)):
            assert machines[0].offered()

    def test_abort_ends_everything_with_a_named_outcome(self, rollout, machines):
        pass_first(rollout, machines)
        action = machines[1].offered()
        machines[1].take(action)
        machines[1].report(action, "proceeding")
        assert machines[2].offered()
        rollout.act("Nadia", services.abort_campaign, reason="wrong", at=time.now())
        assert rollout.tick() == "aborting"
        machines[1].cycle()
        assert rollout.tick() == "aborted"
        assert rollout.outcomes() == {"success": 1, "cancelled": 2, "skipped": 3}
        assert set(states(rollout)) == {"passed", "skipped"}
        assert machines[3].offered() is None

    def test_pausing_twice_is_refused_with_what_is_allowed(self, rollout):
        rollout.act("Tina", services.pause_campaign, reason="", at=time.now())
        with pytest.raises(Conflict) as refused:
            rollout.act("Leo", services.pause_campaign, reason="", at=time.now())
        assert refused.value.allowed == ["resume", "abort", "retry"]

    def test_retired_assets_are_skipped_and_listed(self, app, rollout, machines):
        pass_first(rollout, machines)
        with app.app_context(), enter(of_tenant(machines[1].tenant_id)):
            db.session.execute(update(Asset).where(Asset.id == machines[1].asset_id).values(state="retired"))
            db.session.commit()
        assert machines[1].offered() is None
        rollout.tick()
        assert rollout.outcomes()["skipped"] == 1
        assert [one.kind for one in rollout.decisions()].count("skip") == 1

    def test_everything_is_audited_and_the_chains_hold(self, app, cast, rollout, machines):
        pass_first(rollout, machines)
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            lanes = db.session.scalars(
                select(AuditEntry.action).where(AuditEntry.object.startswith("lane:"))
            ).all()
            assert lanes == ["lane.open"]
            assert verify_tenant(cast.tenants["acme"]) == []
            assert verify_system() == []


class TestWaves:
    def test_no_wave_begins_before_every_client_passed_the_one_before(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast, percents=(5, 60, 100)))
        seen = []
        for _ in range(5):
            for machine in machines:
                machine.cycle()
            rollout.tick()
            by_wave = {}
            for lane in rollout.lanes():
                by_wave.setdefault(lane.ordinal, set()).add(lane.state)
            seen.append(by_wave)
            for wave in (2, 3):
                if by_wave[wave] & {"open", "soaking", "passed"}:
                    assert by_wave[wave - 1] <= {"passed", "skipped"}
        assert seen[-1] == {1: {"passed"}, 2: {"passed"}, 3: {"passed"}}

    def test_the_provider_s_own_machines_go_first(self, app, cast, rollout):
        first = rollout.lanes()[0]
        assert (first.ordinal, first.tenant_id) == (1, cast.tenants["provider"])

    def test_what_a_client_may_know_is_in_its_lane(self, app, cast, rollout):
        with app.app_context(), enter(personas.actor(app, cast, "Alice").scope()):
            (lane,) = db.session.scalars(select(WaveLane)).all()
            assert (lane.title, lane.release_name, lane.member_count) == ("Welcome", "motd", 3)
            assert len(db.session.scalars(select(Action)).all()) == 3
        with (
            app.app_context(),
            enter(personas.actor(app, cast, "Alice").scope()),
            pytest.raises(Exception, match="permission denied"),
        ):
            db.session.scalars(select(Campaign.title)).all()

    def test_a_second_campaign_waits_until_the_first_is_done_with_an_asset(
        self, app, cast, machines, rollout
    ):
        first = machines[0].offered()
        machines[0].take(first)
        other = fleet.start(fleet.draft(app, cast))
        assert machines[0].offered() == first
        assert other.outcomes() == {"eligible": 1, "planned": 5}
        machines[0].cycle()
        second = machines[0].offered()
        assert second not in (None, first)


class TestCrowd:
    def test_reports_at_the_same_moment_all_count_once(self, app, cast):
        """Many devices of one client report at once while the portal looks at the campaign."""
        agents = fleet.enrol(app, cast.tenants["acme"], "acme", [f"acme-{n}" for n in range(12)])
        gate = replace(fleet.OPEN_GATE, max_bad=100, min_sample=100, pass_pct=1)
        rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",), gate=gate))
        next(agent for agent in agents if agent.offered()).cycle()
        rollout.tick()
        with ThreadPoolExecutor(12) as pool:
            reported = [pool.submit(self.work, agent) for agent in agents]
            for _ in range(3):
                rollout.tick()
        assert [one.exception() for one in reported] == [None] * 12
        for agent in agents:
            agent.cycle()
        rollout.tick()
        assert rollout.outcomes() == {"success": 12}
        assert all(list(agent.applied.values()) == [1] for agent in agents)

    def work(self, agent):
        for _ in range(3):
            agent.cycle()
            for action, result in agent.results.items():
                agent.report(action, "closed", result, code=0)
