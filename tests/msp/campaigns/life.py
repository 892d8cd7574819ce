"""The life of a few campaigns as a machine: people, clients, agents and faults in any order, checked after each."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import select

from msp.background.jobs import JOBS
from msp.campaigns import jobs
from tenants.foundation import time, work
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import Claimed, FenceLost, Work
from tests.msp.campaigns import fleet
from tests.msp.campaigns.course import AGENT, Course
from tests.msp.campaigns.deciding import Deciding

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


class Life(Deciding):
    """Everything that may happen to campaigns."""

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
                self._tell(agent)

    def _tell(self, agent: fleet.Agent, boot: str = "b-1") -> None:
        agent.tell_facts(boot_id=boot)

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
        Course.steps["FLUSHALL"] += 1

    @rule(expires=st.booleans(), minutes=st.sampled_from([0, 10, 3_000]))
    def run_a_job_late(self, expires, minutes):
        """A worker claims a job and stops for a while; everything goes on, and then it wakes up.

        If its lease is over and another worker was quicker, its effect is refused whole.
        """
        held = self._claim()
        if held is None:
            return
        self.all_go_round()
        self.now += timedelta(minutes=minutes)
        if expires:
            self.watcher.write(
                "UPDATE work SET lease_until = now() - interval '1 second' WHERE id = %s", held.id
            )
            quicker = self._claim(held.id)
            assert quicker is not None
            self._do("job", lambda: self._run(quicker))
            self._changes_nothing(lambda: self._run(held, is_late=True))
        else:
            self._do("late job", lambda: self._run(held))

    def _claim(self, number: int | None = None) -> Claimed | None:
        mine = Work.id == number if number else Work.state == "due"
        with self.app.app_context(), enter(sweeper()):
            asked = select(Work.tenant_id, Work.id).where(Work.kind == jobs.KIND, mine)
            row = db.session.execute(asked.order_by(Work.id.desc()).limit(1)).one_or_none()
            claimed = work.claim(db.session(), tenant_id=row[0], work_id=row[1]) if row else None
            db.session.commit()
            return claimed

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
