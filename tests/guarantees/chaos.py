"""A campaign run by real processes while somebody empties Redis and kills workers and sweepers."""

import random
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from flask import Flask

from msp.background import doorbell
from msp.embedded import start_valkey
from tests.guarantees.processes import Kept, running
from tests.msp.campaigns import fleet
from tests.personas import Cast

FAULTS = ("FLUSHALL", "kill -9 worker", "kill -9 sweeper", "kill -9 both", "report repeated", "agent forgets")
TIMING = replace(fleet.QUICK, grace_seconds=2)
SIZES = (("provider", 2), ("acme", 5), ("globex", 3))


@contextmanager
def own_redis(app: Flask) -> Iterator[None]:
    """A Valkey of this test's own, so that FLUSHALL disturbs nobody else's tests."""
    folder = Path(tempfile.mkdtemp(prefix="portal-chaos-"))
    server = start_valkey(folder, durable=False)
    before = app.extensions["redis"], app.extensions["settings"]
    url = server.url()
    app.extensions["redis"] = doorbell.connect(url)
    app.extensions["settings"] = replace(before[1], redis_url=url)
    try:
        yield
    finally:
        app.extensions["redis"].close()
        app.extensions["redis"], app.extensions["settings"] = before
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Chaos:
    """Campaigns one after the other over one fleet, until enough faults have happened."""

    app: Flask
    cast: Cast
    seed: int
    faults_wanted: int
    pause_seconds: tuple[float, float] = (1.0, 3.0)
    faults: Counter[str] = field(default_factory=Counter)
    campaigns: list[fleet.Rollout] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.agents = [
            agent
            for slug, count in SIZES
            for agent in fleet.enrol(
                self.app, self.cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)]
            )
        ]

    def run(self, *, seconds: float) -> None:
        """Campaign after campaign until all faults have happened and the last one has ended."""
        end = monotonic() + seconds
        with own_redis(self.app), running(self.app, ("worker", "campaigns"), ("sweeper",)) as processes:
            while not self.campaigns or self.faults.total() < self.faults_wanted:
                self._one_campaign(processes, end)

    def _one_campaign(self, processes: list[Kept], end: float) -> None:
        rollout = fleet.draft(self.app, self.cast, percents=(5, 40, 100), timing=TIMING)
        self.campaigns.append(rollout)
        fleet.release(rollout)
        next_fault = monotonic() + self.chance.uniform(*self.pause_seconds)
        while rollout.state not in ("completed", "completed_with_failures", "aborted", "paused"):
            assert monotonic() < end, (
                f"{rollout.state} {rollout.outcomes()} {dict(self.faults)} seed {self.seed}"
            )
            for agent in self.chance.sample(self.agents, 3):
                agent.cycle()
            if monotonic() > next_fault and self.faults.total() < self.faults_wanted:
                self._fault(processes)
                next_fault = monotonic() + self.chance.uniform(*self.pause_seconds)
            for process in processes:
                process.keep()
            threading.Event().wait(0.05)

    def _fault(self, processes: list[Kept]) -> None:
        worker, sweeper = processes
        name = (
            FAULTS[self.faults.total() % 3]
            if self.faults_wanted < len(FAULTS)
            else self.chance.choice(FAULTS)
        )
        self.faults[name] += 1
        if name == "FLUSHALL":
            self.app.extensions["redis"].flushall()
        if name in ("kill -9 worker", "kill -9 both"):
            worker.kill()
        if name in ("kill -9 sweeper", "kill -9 both"):
            sweeper.kill()
        if name == "report repeated":
            self._repeat()
        if name == "agent forgets":
            # The device lost the answer to its report, not its ledger: it reports the end again when it is asked.
            self.chance.choice(self.agents).installed = None

    def _repeat(self) -> None:
        for agent in self.agents:
            for action, result in agent.results.items():
                agent.report(action, "closed", result, code=0)

    def figures(self) -> dict[str, object]:
        """What came of it: assets lost, applied twice, and by which faults."""
        actions = [action for rollout in self.campaigns for action in rollout.actions()]
        reached = sum(action.outcome == "success" for action in actions)
        return {
            "seed": self.seed,
            "faults": dict(self.faults),
            "campaigns": len(self.campaigns),
            "states": [rollout.state for rollout in self.campaigns],
            "actions": len(actions),
            "lost": len(self.agents) * len(self.campaigns) - reached,
            "applied twice": sum(count > 1 for agent in self.agents for count in agent.applied.values())
            + sum(max(0, len(agent.applied) - len(self.campaigns)) for agent in self.agents),
        }
