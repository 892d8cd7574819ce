"""Whose turn it is, and further attempts: limits, retries, catching up, newer campaigns and rollbacks."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from msp.campaigns import services
from msp.campaigns.pacing import Limits
from msp.campaigns.releases import find_release_by_id
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import PATIENT, WIDE, cycle, each, later


class TestTurns:
    def go(self, app, cast, limits):
        rollout = fleet.draft(app, cast, gate=WIDE)
        rollout.act("Leo", services.wish, percents=(5, 100), gates=[WIDE], timing=fleet.QUICK, limits=limits)
        return fleet.start(rollout)

    def offered(self, machines):
        return [one.name for one in machines if one.offered()]

    def test_at_most_so_many_at_once_at_a_client(self, app, cast, machines):
        rollout = self.go(app, cast, Limits(per_tenant=1))
        machines[0].cycle()
        rollout.tick()
        assert len(self.offered([one for one in machines if one.slug == "acme"])) == 1
        assert len(self.offered([one for one in machines if one.slug == "globex"])) == 1
        for _ in range(6):
            each(machines)
            rollout.tick()
        assert rollout.outcomes() == {"success": 6}

    def test_a_ramp_grows_with_successes(self, app, cast, machines):
        rollout = self.go(app, cast, Limits(ramp_from=1))
        machines[0].cycle()
        rollout.tick()
        assert len(self.offered(machines)) == 2
        each(machines)
        rollout.tick()
        assert len(self.offered(machines)) == 3

    def test_one_service_is_never_taken_down_whole(self, app, cast, machines):
        pair = [one for one in machines if one.slug == "acme"][:2]
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            db.session.execute(
                update(Asset)
                .where(Asset.id.in_([one.asset_id for one in pair]))
                .values(tags=["service:directory"])
            )
            db.session.commit()
        rollout = self.go(app, cast, None)
        machines[0].cycle()
        rollout.tick()
        assert len(self.offered(pair)) == 1
        for _ in range(3):
            each(machines)
            rollout.tick()
        assert rollout.outcomes() == {"success": 6}


class TestAttempts:
    def test_a_passing_fault_is_tried_again_and_only_the_last_attempt_counts(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast))
        action = machines[0].offered()
        machines[0].take(action)
        machines[0].report(action, "closed", "failure", code=5)
        assert rollout.tick() == "running"
        assert [(one.attempt, one.outcome or one.phase) for one in rollout.actions() if not one.is_last] == [
            (1, "failed")
        ]
        assert machines[0].offered() is None
        rollout.tick(at=later(seconds=301))
        with time.frozen(later(seconds=302)):
            second = machines[0].offered()
        assert second not in (None, action)
        cycle(machines[:1], later(seconds=303))
        rollout.tick(at=later(seconds=305))
        assert rollout.outcomes()["success"] == 1

    def test_it_gives_up_after_four_attempts(self, app, cast, machines):
        rollout = fleet.start(
            fleet.draft(app, cast, timing=PATIENT, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        )
        at = time.now()
        for minutes in (0, 6, 16, 46):
            at += timedelta(minutes=minutes)
            rollout.tick(at=at)
            with time.frozen(at):
                action = machines[0].offered()
                machines[0].take(action)
                machines[0].report(action, "closed", "failure", code=5)
            rollout.tick(at=at)
        assert rollout.state == "paused"
        assert len(rollout.actions()) == 6 + 3

    def test_a_fault_of_the_release_is_never_tried_again(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast))
        machines[0].fails = True
        machines[0].cycle()
        assert rollout.tick() == "paused"

    def test_who_was_out_of_reach_gets_it_at_next_contact(self, app, cast, machines):
        timing = replace(fleet.QUICK, catches_up=True, campaign_seconds=86400, silent_seconds=10**6)
        rollout = fleet.start(fleet.draft(app, cast, timing=timing, gate=WIDE))
        machines[0].cycle()
        rollout.tick()
        away = machines[-1]
        away.is_dead = True
        each(machines)
        rollout.tick(at=later(seconds=700))
        rollout.tick(at=later(seconds=701))
        assert rollout.state == "running"
        assert [one.is_catch_up for one in rollout.lanes() if one.tenant_id == away.tenant_id] == [
            False,
            True,
        ]
        away.is_dead = False
        cycle([away], later(seconds=5000))
        rollout.tick(at=later(seconds=5001))
        assert rollout.outcomes() == {"success": 6, "unreachable": 1}
        assert rollout.tick(at=later(seconds=5100)) == "completed"

    def test_several_clients_may_need_a_catch_up_at_the_same_moment(self, app, cast, machines):
        timing = replace(fleet.QUICK, catches_up=True, campaign_seconds=86400, silent_seconds=10**6)
        rollout = fleet.start(fleet.draft(app, cast, timing=timing, gate=WIDE))
        machines[0].cycle()
        rollout.tick()
        away = [machines[1], machines[-1]]
        for one in away:
            one.is_dead = True
        each(machines)
        rollout.tick(at=later(seconds=700))
        caught = [one for one in rollout.lanes() if one.is_catch_up]
        assert {one.tenant_id for one in caught} == {one.tenant_id for one in away}
        assert len({one.wave_id for one in caught}) == 1

    def test_a_newer_campaign_replaces_what_an_older_one_still_planned(self, app, cast, machines):
        older = fleet.start(fleet.draft(app, cast))
        newer = fleet.start(fleet.draft(app, cast))
        assert older.outcomes() == {"superseded": 6}
        assert newer.outcomes() == {"eligible": 1, "planned": 5}

    def test_people_let_what_failed_try_once_more(self, app, cast, machines):
        rollout = fleet.start(fleet.draft(app, cast))
        machines[0].fails = True
        machines[0].cycle()
        rollout.tick()
        machines[0].fails = False
        assert rollout.act("Nadia", services.retry_actions, reason="Mended by hand.", at=time.now()) == 1
        rollout.act("Nadia", services.resume_campaign, reason="Mended.", at=time.now())
        rollout.act("Owen", services.resume_campaign, reason="Agreed.", at=time.now())
        rollout.tick()
        each(machines)
        rollout.tick()
        assert [one.outcome for one in rollout.actions() if one.asset_id == machines[0].asset_id] == [
            "failed",
            "success",
        ]

    def test_a_rollback_reaches_exactly_what_was_touched(self, app, cast, machines):
        before = fleet.draft(app, cast, version="1.0")
        rollout = fleet.start(fleet.draft(app, cast, version="2.0"))
        each(machines)
        rollout.tick()
        each(machines[1:2])
        by = personas.actor(app, cast, "Leo")
        with app.app_context(), enter(by.scope()):
            earlier = find_release_by_id(before.load().release_id)
            back = services.draft_rollback(rollout.load(), release=earlier, by=by, at=time.now())
            db.session.commit()
            back = fleet.Rollout(app, cast, back.id)
        fleet.start(back)
        assert {one.asset_id for one in back.actions()} == {one.asset_id for one in machines[:2]}
        assert {one.downgrade_from for one in back.parts().values()} == {"2.0"}
        assert rollout.outcomes() == {"success": 2, "eligible": 4}
        for _ in range(2):
            each(machines[:2])
            back.tick()
        assert machines[0].installed == "motd/1.0"
        assert back.outcomes() == {"success": 2}
