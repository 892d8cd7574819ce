"""What people and clients decide about campaigns, in any order."""

from datetime import date, timedelta
from datetime import time as wall
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import select

from msp.campaigns import consents, services
from msp.campaigns.again import earlier_releases
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.withdrawing import withdraw_release
from msp.windows import services as windows
from msp.windows.models import Freeze, MaintenanceWindow
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests.msp.campaigns import fleet
from tests.msp.campaigns.course import AGENT, CLIENT, WHICH, Course


class Deciding(Course):
    """Engineers, approvers, a client's administrators, and who agrees on windows."""

    # -- people ------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from(["Leo", "Nadia"]), number=WHICH)
    def submit(self, who, number):
        self._do("submit", lambda: self._act(who, services.submit_campaign, number))

    @rule(who=st.sampled_from(["Leo", "Nadia", "Owen"]), number=WHICH)
    def approve(self, who, number):
        seen = self._rollout(number).plan_sha256 or ""
        self._do("approve", lambda: self._act(who, services.approve_campaign, number, seen=seen))

    @rule(number=WHICH, later=st.sampled_from([0, 600]))
    def start(self, number, later):
        at = self.now + timedelta(seconds=later)
        self._do("start", lambda: self._act("Nadia", services.start_campaign, number, start_at=at))

    @rule(number=WHICH)
    def propose_and_begin(self, number):
        """The way to a start in one step, as most lives want it."""
        self.submit("Leo", number)
        self.approve("Nadia", number)
        self.decide_as_client("acme", "consent")
        self.start(number, 0)
        self.look_at_it(1, number, True)

    @rule(number=WHICH)
    def pause(self, number):
        self._shut("pause", lambda: self._act("Tina", services.pause_campaign, number, reason="wait"))

    @rule(who=st.sampled_from(["Nadia", "Owen"]), number=WHICH)
    def resume(self, who, number):
        self._do("resume", lambda: self._resume(who, number))

    def _resume(self, who: str, number: int) -> None:
        """People who have looked may let it go on, with a release that was withdrawn too."""
        if self._act(who, services.resume_campaign, number, reason="on"):
            self.world.withdrawn.discard(self._rollout(number).id)

    @rule(number=WHICH, really=st.integers(0, 3))
    def abort(self, number, really):
        if not really:
            self._shut("abort", lambda: self._act("Nadia", services.abort_campaign, number, reason="no"))

    @rule(number=WHICH)
    def retry(self, number):
        self._do("retry", lambda: self._act("Nadia", services.retry_actions, number, reason="again"))

    @rule(number=WHICH, really=st.integers(0, 3))
    def withdraw(self, number, really):
        if not really:
            self._shut("withdraw release", lambda: self._withdraw(number))

    def _withdraw(self, number: int) -> None:
        by = self.people["Nadia"]
        with self.app.app_context(), enter(by.scope()):
            campaign = self._rollout(number).load()
            release = find_release_by_id(campaign.release_id)
            withdraw_release(release, reason="bad", by=by, at=self.now)
            db.session.commit()
        same = [one for one in self.seen.campaigns.values() if one["release_id"] == release.id]
        self.world.withdrawn |= {one["id"] for one in same}

    @rule(number=WHICH)
    def roll_back(self, number):
        self._do("roll back", lambda: self._roll_back(number))

    def _roll_back(self, number: int) -> None:
        by = self.people["Leo"]
        if len(self.rollouts) > 2:
            return
        with self.app.app_context(), enter(by.scope()):
            campaign = self._rollout(number).load()
            earlier = earlier_releases(find_release_by_id(campaign.release_id))
            if earlier:
                back = services.draft_rollback(campaign, release=earlier[0], by=by, at=self.now)
                db.session.commit()
                self.rollouts.append(fleet.Rollout(self.app, self.cast, back.id))

    # -- clients -----------------------------------------------------------------------------------------

    @rule(slug=CLIENT, verb=st.sampled_from(["consent", "consent", "postpone", "decline"]))
    def decide_as_client(self, slug, verb):
        more: dict[str, Any] = {} if verb == "consent" else {"reason": "because"}
        if verb == "postpone":
            more["until"] = self.now + timedelta(hours=1)
        for number in range(len(self.rollouts)):
            rollout, say = self._rollout(number), getattr(consents, verb)
            self._do(verb, lambda r=rollout, s=say: r.say(slug, s, at=self.now, **more))
        self.poll()

    @rule(slug=CLIENT, hours=st.sampled_from([0, 1, 30]), begins=st.sampled_from([0, 1_200]))
    def freeze(self, slug, hours, begins):
        """A freeze of some hours; of none: what is frozen is let go."""
        self._shut("freeze" if hours else "lift", lambda: self._freeze(slug, hours, begins))

    def _freeze(self, slug: str, hours: int, begins: int) -> None:
        tenant_id, by = self.cast.tenants[slug], self.people["Mia"]
        from_ = self.now + timedelta(seconds=begins)
        with self.app.app_context(), enter(of_tenant(tenant_id)):
            if hours:
                to = from_ + timedelta(hours=hours)
                windows.add_freeze(
                    tenant_id=tenant_id, name="Stock", begins_at=from_, ends_at=to, by=by, at=self.now
                )
                self.world.freezes.append((tenant_id, from_, to))
            else:
                for one in db.session.scalars(select(Freeze).where(Freeze.lifted_at.is_(None))):
                    windows.lift_freeze(one, by=by, at=self.now)
                self.world.freezes = [one for one in self.world.freezes if one[0] != tenant_id]
            db.session.commit()

    @rule()
    def freeze_everywhere(self):
        def act() -> None:
            by, to = self.people["Owen"], self.now + timedelta(hours=2)
            with self.app.app_context(), enter(by.scope()):
                windows.add_provider_freeze(name="All", begins_at=self.now, ends_at=to, by=by, at=self.now)
                db.session.commit()
            self.world.freezes.append((None, self.now, to))

        self._shut("freeze everywhere", act)

    @rule()
    def change_the_window(self):
        """Acme gives its nightly window up, or agrees on it anew."""

        def act() -> None:
            acme, by = self.cast.tenants["acme"], self.people["Mia"]
            with self.app.app_context(), enter(of_tenant(acme)):
                live = db.session.scalars(
                    select(MaintenanceWindow).where(MaintenanceWindow.ended_at.is_(None))
                ).all()
                for window in live:
                    windows.end_window(window, by=by, at=self.now)
                if not live:
                    windows.add_window(
                        tenant_id=acme,
                        name="Night",
                        rule="FREQ=DAILY",
                        first_on=date(2026, 11, 1),
                        starts_at=wall(22),
                        minutes=360,
                        time_zone="Asia/Jakarta",
                        by=by,
                        at=self.now,
                    )
                db.session.commit()
                self.world.night = (acme, not live)

        self._shut("window", act)

    @rule(number=AGENT, state=st.sampled_from(["active", "active", "retired", "quarantined"]))
    def change_a_machine(self, number, state):
        agent = self.agents[number]
        self._shut(
            state,
            lambda: self.watcher.write("UPDATE assets SET state = %s WHERE id = %s", state, agent.asset_id),
        )
