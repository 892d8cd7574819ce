"""What must not let a wave pass, each by its name."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from msp.campaigns import consents, services
from msp.campaigns.models import Action
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter
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
        fleet.approve(rollout)
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
        fleet.approve(rollout)
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
