"""A campaign run by real processes while somebody empties Redis, crashes PostgreSQL and kills workers and sweepers.

Clients meanwhile change their minds: consent, windows and freezes come and go, and a witness inside the database sees
every offer that is made.
"""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import time as wall
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from msp.campaigns import consents
from msp.campaigns.pacing import Limits
from msp.windows import services as windows
from msp.windows.models import Freeze, MaintenanceWindow
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.guarantees import witness
from tests.guarantees.ownportal import OwnPortal
from tests.guarantees.processes import Kept, running
from tests.msp.campaigns import fleet

FAULTS = (
    "FLUSHALL",
    "kill -9 worker",
    "kill -9 sweeper",
    "PostgreSQL crashed",
    "kill -9 both",
    "report repeated",
)
ENDED = ("completed", "completed_with_failures", "aborted", "paused")
HOUR = 3_600
# After a crash every pooled connection may fail once.
MOST_TRIES = 30
TIMING = replace(
    fleet.QUICK,
    start_seconds=HOUR,
    step_seconds=HOUR,
    hard_seconds=HOUR,
    verify_seconds=HOUR,
    silent_seconds=HOUR,
    grace_seconds=2,
    reserve_seconds=witness.RESERVE_SECONDS,
)
Done = TypeVar("Done")


@dataclass
class Chaos:
    """Campaigns one after the other over one fleet, until enough faults have happened."""

    portal: OwnPortal
    seed: int
    faults_wanted: int
    sizes: tuple[tuple[str, int], ...] = (("provider", 2), ("acme", 6), ("globex", 4))
    limits: Limits = field(default_factory=lambda: Limits(at_once=8, per_tenant=4))
    pause_seconds: tuple[float, float] = (0.7, 1.8)
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    campaigns: list[fleet.Rollout] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.app, self.cast = self.portal.app, self.portal.cast
        self.mia = personas.actor(self.app, self.cast, "Mia")
        self.closed: dict[str, Callable[[], None]] = {}
        self.crashing: Future[None] | None = None
        self.agents = [
            agent
            for slug, count in self.sizes
            for agent in fleet.enrol(
                self.app, self.cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)]
            )
        ]
        with self.portal.connect() as connection:
            witness.install(connection)

    def run(self, *, seconds: float) -> None:
        """Campaign after campaign until all faults have happened and the last one has ended."""
        end = monotonic() + seconds
        with running(self.app, ("worker", "campaigns"), ("sweeper",)) as processes:
            while not self.campaigns or self.faults.total() < self.faults_wanted:
                self._one_campaign(processes, end)

    def _one_campaign(self, processes: list[Kept], end: float) -> None:
        rollout = fleet.draft(self.app, self.cast, percents=(5, 40, 100), timing=TIMING, limits=self.limits)
        self.campaigns.append(rollout)
        fleet.release(rollout)
        next_fault = monotonic() + self.chance.uniform(*self.pause_seconds)
        while self._patiently(lambda: rollout.state) not in ENDED:
            assert monotonic() < end, (
                f"{rollout.state} {rollout.outcomes()} {dict(self.faults)} seed {self.seed}"
            )
            for agent in self.chance.sample(self.agents, min(len(self.agents), 12)):
                self._cycle(agent)
            if monotonic() > next_fault:
                self._trouble(rollout, processes)
                next_fault = monotonic() + self.chance.uniform(*self.pause_seconds)
            for process in processes:
                process.keep()
        self._wait_for_postgres()
        self._let_everybody_in()

    def _cycle(self, agent: fleet.Agent) -> None:
        """A machine whose request comes to nothing keeps its ledger and comes again."""
        try:
            agent.cycle()
        except AssertionError:
            self.unanswered += 1

    def _patiently(self, act: Callable[[], Done]) -> Done:
        """Do what needs the database, once it is there again."""
        for _ in range(MOST_TRIES):
            with suppress(DBAPIError):
                return act()
            self._wait_for_postgres()
        return act()

    def _wait_for_postgres(self) -> None:
        if self.crashing is not None:
            self.crashing.result()

    # -- clients change their minds ----------------------------------------------------------------------

    def _trouble(self, rollout: fleet.Rollout, processes: list[Kept]) -> None:
        if self.closed:
            self._let_everybody_in()
        else:
            name = self.chance.choice(("consent", "freeze", "window"))
            self._patiently(lambda: self._shut(name, rollout))
            self.changes[name] += 1
        if self.faults.total() < self.faults_wanted:
            self._fault(processes)

    def _shut(self, name: str, rollout: fleet.Rollout) -> None:
        slug, now = self.chance.choice(("acme", "globex")), time.now()
        if name == "consent":
            with suppress(Refused):
                rollout.say(slug, consents.postpone, until=now + timedelta(days=1), reason="Not now")
            self.closed[name] = lambda: self._say_yes(rollout, slug)
        elif name == "freeze":
            to = now + timedelta(hours=1)
            self._agree(slug, windows.add_freeze, name="Stock", begins_at=now, ends_at=to)
            self.closed[name] = lambda: self._lift(slug, Freeze, Freeze.lifted_at, windows.lift_freeze)
        else:
            begins = (now + timedelta(hours=2)).time()
            self._agree(
                slug,
                windows.add_window,
                name="Later",
                rule="FREQ=DAILY",
                first_on=now.date() - timedelta(days=2),
                starts_at=wall(begins.hour, begins.minute),
                minutes=60,
                time_zone="UTC",
            )
            self.closed[name] = lambda: self._lift(
                slug, MaintenanceWindow, MaintenanceWindow.ended_at, windows.end_window
            )

    def _say_yes(self, rollout: fleet.Rollout, slug: str) -> None:
        with suppress(Refused):
            rollout.say(slug, consents.consent)

    def _agree(self, slug: str, verb: Callable[..., Any], **more: Any) -> None:
        tenant_id = self.cast.tenants[slug]
        with self.app.app_context(), enter(of_tenant(tenant_id)):
            verb(tenant_id=tenant_id, by=self.mia, at=time.now(), **more)
            db.session.commit()

    def _lift(self, slug: str, model: Any, ended: Any, verb: Callable[..., None]) -> None:
        with self.app.app_context(), enter(of_tenant(self.cast.tenants[slug])):
            for one in db.session.scalars(select(model).where(ended.is_(None))):
                verb(one, by=self.mia, at=time.now())
            db.session.commit()

    def _let_everybody_in(self) -> None:
        for name, again in list(self.closed.items()):
            self._patiently(again)
            del self.closed[name]

    # -- faults ------------------------------------------------------------------------------------------

    def _fault(self, processes: list[Kept]) -> None:
        worker, sweeper = processes
        name = FAULTS[self.faults.total()] if self.faults_wanted < len(FAULTS) else self.chance.choice(FAULTS)
        self.faults[name] += 1
        if name == "FLUSHALL":
            self.app.extensions["redis"].flushall()
        if name in ("kill -9 worker", "kill -9 both"):
            worker.kill()
        if name in ("kill -9 sweeper", "kill -9 both"):
            sweeper.kill()
        if name == "PostgreSQL crashed":
            self._wait_for_postgres()
            self.crashing = self.portal.crash_postgres()
        if name == "report repeated":
            self._repeat()

    def _repeat(self) -> None:
        for agent in self.chance.sample(self.agents, min(len(self.agents), 20)):
            for action, result in agent.results.items():
                with suppress(AssertionError):
                    agent.report(action, "closed", result, code=0)

    # -- what came of it ---------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """Assets lost, applied twice, offers that were wrong; by which faults and changes."""
        actions = [action for rollout in self.campaigns for action in rollout.actions()]
        reached = sum(action.outcome == "success" for action in actions)
        with self.portal.connect() as connection:
            seen, wrong = witness.report(connection)
        return {
            "seed": self.seed,
            "faults": dict(self.faults),
            "changes": dict(self.changes),
            "unanswered": self.unanswered,
            "campaigns": len(self.campaigns),
            "states": sorted({rollout.state for rollout in self.campaigns}),
            "machines": len(self.agents),
            "actions": len(actions),
            "seen": seen,
            "lost": len(self.agents) * len(self.campaigns) - reached,
            "applied twice": sum(count > 1 for agent in self.agents for count in agent.applied.values())
            + sum(max(0, len(agent.applied) - len(self.campaigns)) for agent in self.agents),
            "offered wrongly": wrong,
        }


def check(figures: dict[str, Any]) -> None:
    """What no fault may bring about."""
    assert figures["lost"] == 0
    assert figures["applied twice"] == 0
    assert figures["offered wrongly"] == []
    assert figures["seen"]["offer"] >= figures["actions"]
    assert figures["states"] == ["completed"]
