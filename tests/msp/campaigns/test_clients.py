"""What clients decide: consent, windows and freezes."""

from dataclasses import replace
from datetime import date, timedelta
from datetime import time as wall
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from contracts.timers.models import MaintenanceInterval
from msp.campaigns import consents, services
from msp.windows import services as windows
from msp.windows.queries import WEEKDAYS
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import PATIENT, WIDE, each, later

ZONE = "Asia/Jakarta"


def reasons(rollout, tenant_id):
    return [(one.state, one.reason) for one in rollout.lanes() if one.tenant_id == tenant_id]


class TestConsent:
    def test_nothing_starts_while_no_client_lets_it_in(self, app, cast):
        fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-1", "acme-2"])
        rollout = fleet.approved(app, cast, slugs=("acme",))
        with pytest.raises(Conflict):
            rollout.act("Nadia", services.start_campaign, at=time.now())
        rollout.let_in("acme")
        rollout.act("Nadia", services.start_campaign, at=time.now())
        assert rollout.tick() == "running"

    def test_a_client_that_has_not_answered_is_left_out_and_skipped_at_the_deadline(
        self, app, cast, machines
    ):
        timing = replace(fleet.QUICK, campaign_seconds=3600, silent_seconds=10**6)
        rollout = fleet.started(app, cast, "acme", timing=timing)
        each(machines)
        rollout.tick()
        each(machines)
        rollout.tick()
        assert reasons(rollout, cast.tenants["globex"]) == [("waiting", "consent")]
        assert not any(one.applied for one in machines if one.slug == "globex")
        assert rollout.state == "running"
        rollout.tick(at=later(seconds=3700))
        assert reasons(rollout, cast.tenants["globex"]) == [("skipped", "consent")]
        assert rollout.outcomes() == {"success": 4, "skipped": 2}
        assert rollout.tick(at=later(seconds=3800)) == "completed"

    def test_a_late_consent_still_begins_with_its_own_first_wave(self, app, cast, machines):
        rollout = fleet.started(app, cast, "acme")
        for _ in range(2):
            each(machines)
            rollout.tick()
        rollout.let_in("globex")
        rollout.tick()
        each(machines)
        rollout.tick()
        assert rollout.outcomes() == {"success": 6}

    def test_consent_taken_back_offers_nothing_more_and_lets_run_what_runs(self, app, cast, machines):
        rollout = fleet.started(app, cast, timing=PATIENT, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        each(machines[:1])
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
        rollout = fleet.started(app, cast)
        rollout.say("globex", consents.decline, reason="We do it ourselves.")
        rollout.tick()
        assert reasons(rollout, cast.tenants["globex"]) == [("skipped", "consent")]
        with pytest.raises(Conflict):
            rollout.let_in("globex")
        noted = [one for one in rollout.decisions() if one.kind == "consent" and one.result == "declined"]
        assert [one.inputs for one in noted] == [{"reason": "We do it ourselves."}]

    def test_a_refusal_names_the_field(self, app, cast, machines):
        rollout = fleet.approved(app, cast)
        with pytest.raises(Invalid) as refused:
            rollout.say("acme", consents.decline, reason=" ")
        assert refused.value.field == "reason"
        with pytest.raises(Invalid) as refused:
            rollout.say("acme", consents.postpone, until=later(days=-1), reason="x")
        assert refused.value.field == "until"

    def test_an_old_approval_expires(self, app, cast, machines):
        rollout = fleet.approved(app, cast)
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
        rollout = fleet.started(app, cast, timing=timing, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        day = self.night(12)
        each(machines)
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
        rollout = fleet.started(app, cast, timing=PATIENT, gate=fleet.replace_gate(lane_seconds=40 * 86400))
        at = self.night(22, 30)
        each(machines)
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
        rollout = fleet.started(app, cast)
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
        rollout = fleet.started(app, cast, timing=timing, gate=WIDE, slugs=("provider", "acme"))
        each(machines)
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
