"""The course that campaigns take by themselves: time, polls and the portal's own looks, checked after each step."""

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from msp.campaigns import queries
from msp.campaigns.evaluation import evaluate
from msp.campaigns.sightings import flush_sightings, is_silence_known
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.foundation.scope import enter
from tests.msp.campaigns import fleet, promises
from tests.msp.campaigns.starts import BEGAN, LATER, Start, Starts

SETTLED = 8
WAITED = ("eligible", *promises.OPEN)
SECONDS = st.sampled_from([0, 1, 5, 40, 130, 400, 1_300, 4_000, 20_000, 90_000])
AGENT, WHICH = st.integers(0, 4), st.integers(0, 1)
CLIENT = st.sampled_from(["acme", "globex"])


class Course(RuleBasedStateMachine):
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
        self.agents = [self._heard(one) for one in start.agents]
        self.rollouts = [fleet.Rollout(self.app, self.cast, one) for one in start.rollouts]
        self.last: tuple[fleet.Agent, tuple[Any, ...]] | None = None
        self.world = promises.World(night=(self.cast.tenants["acme"], True))
        self.seen = self.watcher.look()
        for agent in self.agents:
            done = [self._label(self.seen.actions[int(action)]) for action in agent.results]
            moments = [BEGAN + timedelta(seconds=seconds) for seconds in (0, 1, 2)]
            self.world.told += [(agent.asset_id, at, label) for label in done for at in moments]
        Course.steps[f"lives from {start.schema}"] += 1

    def _heard(self, kept: fleet.Agent) -> fleet.Agent:
        """A machine as it was at the start, of which everything that it tells from now on is noted."""
        agent = replace(kept, applied=dict(kept.applied), results=dict(kept.results))

        def tell(**facts: Any) -> None:
            self.world.told.append((agent.asset_id, time.now(), agent.installed or ""))
            fleet.Agent.tell_facts(agent, **facts)

        agent.tell_facts = tell  # type: ignore[method-assign]
        return agent

    # -- how steps are made ------------------------------------------------------------------------------

    def _do(self, verb: str, act: Any) -> None:
        """Do it at the present moment, and see that everything that was promised holds."""
        with time.frozen(self.now), contextlib.suppress(Refused):
            act()
        after = self.watcher.look()
        promises.check_step(self.seen, after, self.world, self.now)
        self.seen = after
        Course.steps[verb] += 1

    def _shut(self, verb: str, act: Any) -> None:
        """Do what closes a door; at the worst moment, before the portal looks, everybody asks."""
        self._do(verb, act)
        self.poll()

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
        """Windows and freezes begin and end by themselves, whether or not the portal has looked."""
        self.now += timedelta(seconds=seconds)
        self.poll()

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
