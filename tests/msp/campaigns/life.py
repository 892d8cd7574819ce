"""The life of a few campaigns as a machine: people, clients, agents and faults in any order, checked after each."""

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as wall
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import select

from msp.background.jobs import JOBS
from msp.campaigns import consents, jobs, queries, services
from msp.campaigns.again import earlier_releases
from msp.campaigns.evaluation import evaluate
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.sightings import flush_sightings, is_silence_known
from msp.campaigns.withdrawing import withdraw_release
from msp.windows import services as windows
from msp.windows.models import Freeze, MaintenanceWindow
from tenants.foundation import time, work
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, FenceLost, Work
from tests.msp.campaigns import fleet, promises
from tests.msp.campaigns.starts import LATER, Start, Starts

SETTLED = 8
WAITED = ("eligible", *promises.OPEN)
SECONDS = st.sampled_from([0, 1, 5, 40, 130, 400, 1_300, 4_000, 20_000, 90_000])
AGENT, WHICH = st.integers(0, 4), st.integers(0, 1)
CLIENT = st.sampled_from(["acme", "globex"])
REPORTS = st.sampled_from(
    [
        ("deploymentBase", "proceeding", "none"),
        ("deploymentBase", "closed", "success"),
        ("deploymentBase", "closed", "failure"),
        ("deploymentBase", "closed", "none"),
        ("deploymentBase", "rejected", "none"),
        ("deploymentBase", "canceled", "none"),
        ("deploymentBase", "scheduled", "none"),
        ("deploymentBase", "proceeding", "failure"),
        ("cancelAction", "canceled", "none"),
        ("cancelAction", "closed", "success"),
        ("cancelAction", "rejected", "none"),
        ("cancelAction", "closed", "failure"),
    ]
)
CODES = st.sampled_from([0, 4, 5, 10])


class Life(RuleBasedStateMachine):
    """`starts`, `watcher` and the people are given by the test; `steps` counts what was done."""

    starts: ClassVar[Starts]
    watcher: ClassVar[promises.Watcher]
    people: ClassVar[dict[str, Actor]]
    steps: ClassVar[Counter[str]] = Counter()

    @initialize(which=st.sampled_from([2, 3, 4, 0, 1, 2, 3, 4]))
    def begin(self, which):
        start: Start = self.starts.all[which]
        self.starts.restore(start)
        self.app, self.cast, self.now = self.starts.app, self.starts.cast, LATER
        self.agents = [
            replace(one, applied=dict(one.applied), results=dict(one.results)) for one in start.agents
        ]
        self.rollouts = [fleet.Rollout(self.app, self.cast, one) for one in start.rollouts]
        self.held: Claimed | None = None
        self.last: tuple[fleet.Agent, tuple[Any, ...]] | None = None
        self.world = promises.World(night=(self.cast.tenants["acme"], True))
        self.seen = self.watcher.look()
        for agent in self.agents:
            done = [self._label(self.seen.actions[int(action)]) for action in agent.results]
            self.world.told += [(agent.asset_id, LATER, label) for label in done]
        Life.steps[f"lives from {start.schema}"] += 1

    # -- how steps are made ------------------------------------------------------------------------------

    def _do(self, verb: str, act: Any) -> None:
        """Do it at the present moment, and see that everything that was promised holds."""
        with time.frozen(self.now), contextlib.suppress(Refused):
            act()
        after = self.watcher.look()
        promises.check_step(self.seen, after, self.world, self.now)
        self.seen = after
        Life.steps[verb] += 1

    def _act(self, who: str, verb: Any, number: int = 0, **more: Any) -> Any:
        """A person does something to a campaign."""
        by = self.people[who]
        with self.app.app_context(), enter(by.scope()):
            done = verb(self._rollout(number).load(), by=by, at=self.now, **more)
            db.session.commit()
            return done

    def _rollout(self, number: int) -> fleet.Rollout:
        return self.rollouts[number % len(self.rollouts)]

    def _changes_nothing(self, act: Any) -> None:
        before = self.watcher.look().told
        with time.frozen(self.now):
            act()
        assert self.watcher.look().told == before

    # -- time and the portal's own work ------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(seconds=SECONDS, number=WHICH, flushes=st.booleans())
    def look_at_it(self, seconds, number, flushes):
        self.now += timedelta(seconds=seconds)
        self._do("tick", lambda: self._tick(number, flushes))

    def _tick(self, number: int, flushes: bool) -> None:
        with self.app.app_context():
            if flushes:
                flush_sightings()
            with self._rollout(number).seen():
                evaluate(self._rollout(number).id, at=self.now, is_silence_known=is_silence_known(self.now))
                db.session.commit()

    @rule(number=WHICH)
    def look_until_nothing_moves(self, number):
        """At one moment there is an end to what follows, and looking once more changes nothing (I10)."""
        for _ in range(SETTLED):
            before = self.watcher.look().told
            self._do("tick again", lambda: self._tick(number, False))
            if self.watcher.look().told == before:
                break
        else:
            raise AssertionError("the portal does not come to rest")
        self._changes_nothing(lambda: self._tick(number, False))
        self._counts_are_derived(number)

    def _counts_are_derived(self, number: int) -> None:
        """What pages show is what the rows say (I6)."""
        rollout = self._rollout(number)
        with self.app.app_context(), rollout.seen():
            shown = queries.count_actions(rollout.id)
        for lane_id, tally in shown.items():
            mine = [one for one in self.seen.actions.values() if one["lane_id"] == lane_id and one["is_last"]]
            ends = Counter(one["outcome"] for one in mine)
            assert tally.ok == ends["success"] + ends["noop"]
            assert tally.bad == sum(ends[one] for one in ("failed", "timeout", "rejected", "indeterminate"))
            assert (tally.gone, tally.open) == (ends["unreachable"], ends[None])
            assert tally.aside == sum(ends[one] for one in ("cancelled", "skipped", "superseded"))

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
        self._do("pause", lambda: self._act("Tina", services.pause_campaign, number, reason="wait"))

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
            self._do("abort", lambda: self._act("Nadia", services.abort_campaign, number, reason="no"))

    @rule(number=WHICH)
    def retry(self, number):
        self._do("retry", lambda: self._act("Nadia", services.retry_actions, number, reason="again"))

    @rule(number=WHICH, really=st.integers(0, 3))
    def withdraw(self, number, really):
        if not really:
            self._do("withdraw release", lambda: self._withdraw(number))

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

    @rule(slug=CLIENT, hours=st.sampled_from([0, 1, 30]), begins=st.sampled_from([0, 1_200]))
    def freeze(self, slug, hours, begins):
        """A freeze of some hours; of none: what is frozen is let go."""
        self._do("freeze" if hours else "lift", lambda: self._freeze(slug, hours, begins))

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

        self._do("freeze everywhere", act)

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

        self._do("window", act)

    @rule(number=AGENT, state=st.sampled_from(["active", "active", "retired", "quarantined"]))
    def change_a_machine(self, number, state):
        agent = self.agents[number]
        self._do(
            state,
            lambda: self.watcher.write("UPDATE assets SET state = %s WHERE id = %s", state, agent.asset_id),
        )

    # -- machines ----------------------------------------------------------------------------------------

    @rule(number=AGENT, fails=st.integers(0, 4))
    def go_round(self, number, fails):
        """A machine polls and carries out what it is told, in seconds."""
        agent = self.agents[number]
        agent.fails = not fails
        self._do("round", lambda: self._round(agent))
        self.now += timedelta(seconds=1)

    @rule()
    def all_go_round(self):
        """What is offered to anybody is carried out, and looked at a second later."""
        for agent in self._busy():
            agent.fails = False
        self._do("all", lambda: [self._round(agent) for agent in self._busy()])
        self.now += timedelta(seconds=1)
        self._do("tick", lambda: self._tick(0, True))

    def _round(self, agent: fleet.Agent) -> None:
        """The facts come in the same moment as the start here: what proves it is told a second later."""
        before = len(agent.applied)
        agent.cycle()
        with time.frozen(self.now + timedelta(seconds=1)):
            if len(agent.applied) > before:
                self._tell(agent, at=self.now + timedelta(seconds=1))

    def _tell(self, agent: fleet.Agent, boot: str = "b-1", at: datetime | None = None) -> None:
        self.world.told.append((agent.asset_id, at or self.now, agent.installed or ""))
        agent.tell_facts(boot_id=boot)

    @rule()
    def poll(self):
        """Everybody for whom there is anything asks what to do, and does nothing yet."""
        self._do("poll", lambda: [agent.poll() for agent in self._busy()])

    def _label(self, action: dict[str, Any]) -> str:
        lane = self.seen.lanes[action["lane_id"]]
        return f"{lane['release_name']}/{lane['release_version']}"

    def _busy(self) -> list[fleet.Agent]:
        asked = {one["asset_id"] for one in self.seen.actions.values() if one["phase"] in WAITED}
        return [agent for agent in self.agents if agent.asset_id in asked]

    @rule(number=AGENT)
    def fetch_only(self, number):
        agent = self.agents[number]
        self._do("fetch", lambda: self._fetch(agent))

    def _fetch(self, agent: fleet.Agent) -> None:
        for one in self.seen.actions.values():
            if one["asset_id"] == agent.asset_id and one["phase"] != "closed":
                assert agent.ask("GET", f"/deploymentBase/{one['id']}").status_code in (200, 404)

    @rule(number=AGENT, about=st.integers(0, 9), said=REPORTS, code=CODES)
    def say_anything(self, number, about, said, code):
        """A machine reports about any action, its own or not, at any time."""
        agent, ids = self.agents[number], sorted(self.seen.actions)
        mine = [one for one in ids if self.seen.actions[one]["asset_id"] == agent.asset_id]
        pool = ids if about > 8 else mine
        if pool:
            self.last = agent, (pool[about % len(pool)], *said, code)
            self._do(f"said {said[1]}", lambda: self._say(agent, *self.last[1]))

    def _say(
        self, agent: fleet.Agent, action: int, channel: str, execution: str, finished: str, code: int
    ) -> None:
        agent.report(str(action), execution, finished, channel=channel, code=code)

    @rule()
    def say_it_again(self):
        """An end that was told once more changes nothing (I10)."""
        if self.last is not None and self.last[1][2] in ("closed", "canceled"):
            agent, words = self.last
            self._do("said again", lambda: self._say(agent, *words))
            self._changes_nothing(lambda: self._say(agent, *words))

    @rule(number=AGENT, boot=st.integers(1, 4), knows=st.booleans())
    def tell_facts(self, number, boot, knows):
        """A machine tells what it holds: what it was to hold, or whatever it held before; it may have restarted."""
        agent = self.agents[number]
        if knows:
            mine = [one for one in self.seen.actions.values() if one["asset_id"] == agent.asset_id]
            for one in mine:
                agent.installed = self._label(one)
        self._do("facts", lambda: self._tell(agent, f"b-{boot}"))

    # -- faults ------------------------------------------------------------------------------------------

    @rule()
    def empty_redis(self):
        self._changes_nothing(self.app.extensions["redis"].flushdb)
        Life.steps["FLUSHALL"] += 1

    @rule()
    def claim_a_job(self):
        """A worker takes a job and stops for a while."""
        with self.app.app_context(), enter(sweeper()):
            rows = db.session.execute(
                select(Work.tenant_id, Work.id).where(Work.kind == jobs.KIND, Work.state == "due")
            ).all()
            if rows and self.held is None:
                self.held = work.claim(db.session(), tenant_id=rows[-1][0], work_id=rows[-1][1])
            db.session.commit()

    @rule(expires=st.booleans())
    def run_the_held_job(self, expires):
        """The worker wakes up; if its lease is over and another one was quicker, its effect is refused whole."""
        if self.held is None:
            return
        held, self.held = self.held, None
        if expires:
            self.watcher.write(
                "UPDATE work SET lease_until = now() - interval '1 second' WHERE id = %s", held.id
            )
            with self.app.app_context(), enter(sweeper()):
                quicker = work.claim(db.session(), tenant_id=held.tenant_id, work_id=held.id)
                db.session.commit()
            assert quicker is not None
            self._do("job", lambda: self._run(quicker))
            self._changes_nothing(lambda: self._run(held, is_late=True))
        else:
            self._do("late job", lambda: self._run(held))

    def _run(self, claimed: Claimed, *, is_late: bool = False) -> None:
        job = JOBS[claimed.kind]
        with self.app.app_context(), enter(job.scope(claimed)):
            job.handler(claimed)
            db.session.flush()
            try:
                work.finish(db.session(), claimed)
                db.session.commit()
            except FenceLost:
                db.session.rollback()
                assert is_late
            else:
                assert not is_late


def at_rest(life: Life) -> datetime:
    """The clock runs out for everybody; returns when."""
    for number in range(len(life.rollouts)):
        for _ in range(6):
            life.look_at_it(20_000, number, True)
    return life.now
