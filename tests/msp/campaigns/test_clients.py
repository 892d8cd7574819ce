"""What clients decide: consent, windows, freezes; and what limits, retries and newer campaigns do."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from datetime import time as wall
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from contracts.timers.models import MaintenanceInterval
from msp.campaigns import consents, services
from msp.campaigns.pacing import Limits
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.tickets import find_lane_of_ticket, list_tickets_of
from msp.windows import services as windows
from msp.windows.queries import WEEKDAYS
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets.messages import Requester
from tenants.tickets.models import Ticket
from tenants.tickets.opening import Request, open_ticket
from tests import personas
from tests.msp.campaigns import fleet

ZONE = "Asia/Jakarta"
PATIENT = replace(fleet.QUICK, start_seconds=30 * 86400, silent_seconds=10**7)
WIDE = fleet.replace_gate(max_bad=50, min_sample=50, pass_pct=1, max_gone_pct=100)


@pytest.fixture
def machines(app, cast):
    agents = []
    for slug, count in (("provider", 1), ("acme", 3), ("globex", 2)):
        agents += fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)])
    return agents


def approved(app, cast, **more):
    rollout = fleet.draft(app, cast, **more)
    rollout.act("Leo", services.submit_campaign, at=time.now())
    rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
    return rollout


def started(app, cast, *let_in, **more):
    rollout = approved(app, cast, **more)
    rollout.let_in(*let_in)
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    return rollout


def reasons(rollout, tenant_id):
    return [(one.state, one.reason) for one in rollout.lanes() if one.tenant_id == tenant_id]


def later(**more):
    return time.now() + timedelta(**more)


def cycle(app, machines, at=None):
    """Every machine does what it is told, and a second later tells what it holds."""
    moments = [at, at + timedelta(seconds=1)] if at else [None]
    for moment in moments:
        with time.frozen(moment) if moment else nullcontext():
            for machine in machines:
                machine.cycle()


class TestConsent:
    def test_nothing_starts_while_no_client_lets_it_in(self, app, cast):
        fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-1", "acme-2"])
        rollout = approved(app, cast, slugs=("acme",))
        with pytest.raises(Conflict):
            rollout.act("Nadia", services.start_campaign, at=time.now())
        rollout.let_in("acme")
        rollout.act("Nadia", services.start_campaign, at=time.now())
        assert rollout.tick() == "running"

    def test_a_client_that_has_not_answered_is_left_out_and_skipped_at_the_deadline(
        self, app, cast, machines
    ):
        timing = replace(fleet.QUICK, campaign_seconds=3600, silent_seconds=10**6)
        rollout = started(app, cast, "acme", timing=timing)
        cycle(app, machines)
        rollout.tick()
        cycle(app, machines)
        rollout.tick()
        assert reasons(rollout, cast.tenants["globex"]) == [("waiting", "consent")]
        assert not any(one.applied for one in machines if one.slug == "globex")
        assert rollout.state == "running"
        rollout.tick(at=later(seconds=3700))
        assert reasons(rollout, cast.tenants["globex"]) == [("skipped", "consent")]
        assert rollout.outcomes() == {"success": 4, "skipped": 2}
        assert rollout.tick(at=later(seconds=3800)) == "completed"

    def test_a_late_consent_still_begins_with_its_own_first_wave(self, app, cast, machines):
        rollout = started(app, cast, "acme")
        for _ in range(2):
            cycle(app, machines)
            rollout.tick()
        rollout.let_in("globex")
        rollout.tick()
        cycle(app, machines)
        rollout.tick()
        assert rollout.outcomes() == {"success": 6}

    def test_consent_taken_back_offers_nothing_more_and_lets_run_what_runs(self, app, cast, machines):
        rollout = started(app, cast, timing=PATIENT, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        cycle(app, machines[:1])
        rollout.tick()
        first, second, _third = (one for one in machines if one.slug == "acme")
        running = first.offered()
        first.take(running)
        offered = second.offered()
        assert offered is not None
        rollout.say("acme", consents.postpone, until=later(days=3), reason="Year end")
        assert second.ask("GET", f"/deploymentBase/{offered}").status_code == 404
        assert rollout.tick() == "running"
        assert second.offered() is None
        assert reasons(rollout, cast.tenants["acme"]) == [("waiting", "consent")]
        first.cycle()
        rollout.tick(at=later(days=2))
        mine = [one.outcome for one in rollout.actions() if one.tenant_id == first.tenant_id]
        assert sorted(map(str, mine)) == ["None", "None", "success"]
        rollout.let_in("acme")
        rollout.tick(at=later(days=2))
        with time.frozen(later(days=2)):
            assert second.offered() is not None

    def test_a_declined_part_ends_at_once(self, app, cast, machines):
        rollout = started(app, cast)
        rollout.say("globex", consents.decline, reason="We do it ourselves.")
        rollout.tick()
        assert reasons(rollout, cast.tenants["globex"]) == [("skipped", "consent")]
        with pytest.raises(Conflict):
            rollout.let_in("globex")
        noted = [one for one in rollout.decisions() if one.kind == "consent" and one.result == "declined"]
        assert [one.inputs for one in noted] == [{"reason": "We do it ourselves."}]

    def test_a_refusal_names_the_field(self, app, cast, machines):
        rollout = approved(app, cast)
        with pytest.raises(Invalid) as refused:
            rollout.say("acme", consents.decline, reason=" ")
        assert refused.value.field == "reason"
        with pytest.raises(Invalid) as refused:
            rollout.say("acme", consents.postpone, until=later(days=-1), reason="x")
        assert refused.value.field == "until"

    def test_an_old_approval_expires(self, app, cast, machines):
        rollout = approved(app, cast)
        assert rollout.tick(at=later(days=15)) == "expired"


class TestWindows:
    @pytest.fixture
    def agreed(self, app, cast):
        """Acme agreed on one night a week, 22:00 to 04:00 in Jakarta; the next one is three days away."""
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            by = personas.actor(app, cast, "Mia")
            windows.add_window(
                tenant_id=cast.tenants["acme"],
                name="Weekly night",
                rule=f"FREQ=WEEKLY;BYDAY={WEEKDAYS[self.night(0).weekday()]}",
                first_on=date(2026, 1, 3),
                starts_at=wall(22),
                minutes=360,
                time_zone=ZONE,
                by=by,
                at=time.now(),
            )
            db.session.commit()

    def night(self, hour, minute=0):
        """A moment of the night in ten days."""
        day = time.now().astimezone(ZoneInfo(ZONE)) + timedelta(days=10)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def test_nothing_is_offered_outside_the_window_nor_where_it_could_not_end(
        self, app, cast, machines, agreed
    ):
        timing = replace(PATIENT, reserve_seconds=1800)
        rollout = started(app, cast, timing=timing, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        day = self.night(12)
        cycle(app, machines)
        rollout.tick()
        rollout.tick(at=day)
        acme = [one for one in machines if one.slug == "acme"]
        assert reasons(rollout, cast.tenants["acme"]) == [("waiting", "window")]
        inside = self.night(22, 5)
        rollout.tick(at=inside)
        with time.frozen(inside):
            assert acme[0].offered() is not None
        too_late = self.night(22) + timedelta(hours=5, minutes=31)
        with time.frozen(too_late):
            assert acme[1].offered() is None
        rollout.tick(at=too_late)
        mine = [one.phase for one in rollout.actions() if one.tenant_id == cast.tenants["acme"]]
        assert mine == ["eligible"] * 3

    def test_a_freeze_closes_an_open_window_at_once(self, app, cast, machines, agreed):
        rollout = started(app, cast, timing=PATIENT, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        at = self.night(22, 30)
        cycle(app, machines)
        rollout.tick(at=at)
        acme = [one for one in machines if one.slug == "acme"]
        with time.frozen(at):
            assert acme[0].offered() is not None
            with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
                windows.add_freeze(
                    tenant_id=cast.tenants["acme"],
                    name="Stock take",
                    begins_at=at,
                    ends_at=at + timedelta(days=1),
                    by=personas.actor(app, cast, "Mia"),
                    at=at,
                )
                db.session.commit()
            assert acme[1].offered() is None

    def test_the_provider_s_freeze_holds_everywhere_before_any_tick(self, app, cast, machines):
        rollout = started(app, cast)
        with app.app_context(), enter(personas.actor(app, cast, "Owen").scope()):
            by = personas.actor(app, cast, "Owen")
            windows.add_provider_freeze(
                name="Holidays", begins_at=time.now(), ends_at=later(days=2), by=by, at=time.now()
            )
            db.session.commit()
        assert all(machine.offered() is None for machine in machines)
        assert rollout.state == "running"

    def test_machines_get_the_whole_window_before_they_count_as_out_of_reach(
        self, app, cast, machines, agreed
    ):
        timing = replace(fleet.QUICK, silent_seconds=10**7, start_seconds=86400)
        rollout = started(app, cast, timing=timing, gate=WIDE, slugs=("provider", "acme"))
        cycle(app, machines)
        rollout.tick()
        opening = self.night(22, 5)
        rollout.tick(at=opening)
        lane = next(one for one in rollout.lanes() if one.tenant_id == cast.tenants["acme"])
        assert lane.state == "open"
        waiting = [one for one in rollout.actions() if one.tenant_id == cast.tenants["acme"]]
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            asked = select(MaintenanceInterval).order_by(MaintenanceInterval.from_at)
            planned = list(db.session.scalars(asked))
        begin = self.night(22)
        assert [(one.from_at, one.to_at) for one in planned] == [
            (opening, begin + timedelta(hours=6)),
            (begin + timedelta(days=7), begin + timedelta(days=7, hours=6)),
        ]
        # A day later the window is closed: there is the whole next one.
        assert {one.deadline_at for one in waiting} == {self.night(22) + timedelta(days=7, hours=6)}


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
            cycle(app, machines)
            rollout.tick()
        assert rollout.outcomes() == {"success": 6}

    def test_a_ramp_grows_with_successes(self, app, cast, machines):
        rollout = self.go(app, cast, Limits(ramp_from=1))
        machines[0].cycle()
        rollout.tick()
        assert len(self.offered(machines)) == 2
        cycle(app, machines)
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
            cycle(app, machines)
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
        cycle(app, machines[:1], later(seconds=303))
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
        cycle(app, machines)
        rollout.tick(at=later(seconds=700))
        rollout.tick(at=later(seconds=701))
        assert rollout.state == "running"
        assert [one.is_catch_up for one in rollout.lanes() if one.tenant_id == away.tenant_id] == [
            False,
            True,
        ]
        away.is_dead = False
        cycle(app, [away], later(seconds=5000))
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
        cycle(app, machines)
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
        cycle(app, machines)
        rollout.tick()
        assert [one.outcome for one in rollout.actions() if one.asset_id == machines[0].asset_id] == [
            "failed",
            "success",
        ]

    def test_a_rollback_reaches_exactly_what_was_touched(self, app, cast, machines):
        before = fleet.draft(app, cast, version="1.0")
        rollout = fleet.start(fleet.draft(app, cast, version="2.0"))
        cycle(app, machines)
        rollout.tick()
        cycle(app, machines[1:2])
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
            cycle(app, machines[:2])
            back.tick()
        assert machines[0].installed == "motd/1.0"
        assert back.outcomes() == {"success": 2}


class TestTickets:
    def tickets(self, app, tenant_id):
        with app.app_context(), enter(of_tenant(tenant_id)):
            return [
                (one.request_key, one.source)
                for one in db.session.scalars(select(Ticket))
                if one.source == "campaign"
            ]

    def test_a_failure_opens_one_ticket_for_each_client_and_cause(self, app, cast, machines, sign_in):
        rollout = fleet.start(fleet.draft(app, cast, gate=fleet.replace_gate(max_bad=2)))
        machines[0].cycle()
        rollout.tick()
        for machine in machines[1:]:
            machine.fails = True
            machine.cycle()
        assert rollout.tick() == "paused"
        rollout.tick()
        key = f"campaign:{rollout.id}:write"
        assert self.tickets(app, cast.tenants["acme"]) == [(key, "campaign")]
        assert self.tickets(app, cast.tenants["globex"]) == [(key, "campaign")]
        assert self.tickets(app, cast.tenants["provider"]) == []
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            ((link, ticket),) = list_tickets_of(rollout.id)
            assert find_lane_of_ticket(ticket).id == link.lane_id
        assert "/console/campaigns/" in sign_in("Leo").get(f"/desk/tickets/{ticket.code}").text
        assert "/portal/maintenance/" in sign_in("Alice").get(f"/portal/tickets/{ticket.code}").text

    def test_its_own_tickets_do_not_veto_a_wave_and_people_s_urgent_ones_do(self, app, cast, machines):
        gate = replace(WIDE, soak_seconds=600)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].cycle()
        assert rollout.tick() == "running"
        own = cast.tenants["provider"]
        with app.app_context(), enter(of_tenant(own)):
            asset = db.session.get_one(Asset, (own, machines[0].asset_id))
            request = Request(
                subject="It is gone",
                body="Since the update nothing works.",
                impact="high",
                urgency="high",
                requester=Requester(name="Tina", user_id=None, email=None),
                source="phone",
                asset=asset,
            )
            open_ticket(find_tenant_by_id(own), request, by=personas.actor(app, cast, "Tina"), at=time.now())
            db.session.commit()
        assert rollout.tick() == "paused"
        assert [one.reason for one in rollout.lanes() if one.state == "failed"] == ["veto: new tickets"]


def test_machines_whose_client_cannot_take_the_release_are_left_out(app, cast, machines):
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(
            update(Asset)
            .where(Asset.id == machines[1].asset_id)
            .values(capabilities={"client": "mender"})
            .execution_options(synchronize_session=False)
        )
        db.session.commit()
    rollout = fleet.start(fleet.draft(app, cast))
    assert machines[1].asset_id not in {one.asset_id for one in rollout.actions()}
    submitted = next(one for one in rollout.decisions() if one.kind == "submit")
    assert submitted.inputs["left_out"] == 1
