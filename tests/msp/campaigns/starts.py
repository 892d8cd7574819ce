"""Places from which many short lives begin: the same few machines and campaigns, kept as rows and put back at will."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

from flask import Flask

from msp.campaigns.pacing import Limits
from msp.windows import services as windows
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import cluster, personas, snapshot
from tests.msp.campaigns import fleet

# In the evening of Jakarta, half an hour after Acme's nightly window has opened.
BEGAN = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
LATER = BEGAN + timedelta(seconds=10)
SIZES = (("provider", 1), ("acme", 2), ("globex", 2))
RESERVE = 1_800
LENIENT = fleet.replace_gate(max_bad=3, min_sample=5, pass_pct=30, max_gone_pct=80)
TIMING = replace(fleet.QUICK, reserve_seconds=RESERVE, campaign_seconds=86_400)


@dataclass(frozen=True)
class Start:
    """Where a life begins: the campaigns, and the machines with what they hold."""

    schema: str
    rollouts: tuple[int, ...]
    agents: tuple[fleet.Agent, ...]


class Starts:
    """The starts of one database, put back in a few milliseconds."""

    def __init__(self, app: Flask, cast: personas.Cast, database: str) -> None:
        self.app, self.cast, self.database = app, cast, database
        self._dsn = cluster.dsn("postgres", database)
        self._restorers: dict[str, snapshot.Restorer] = {}
        self.all = [
            self._keep("drafted", lambda _own: [self._draft()]),
            self._keep("running", lambda _own: [fleet.start(self._draft())]),
            self._keep("open", lambda own: [self._opened(fleet.start(self._draft()), own)]),
            self._keep("limited", lambda own: [self._opened(fleet.start(self._limited()), own)]),
            self._keep("two", lambda own: [self._opened(one, own) for one in self._two()]),
        ]

    def _draft(self, **more: str) -> fleet.Rollout:
        return fleet.draft(self.app, self.cast, percents=(5, 60, 100), gate=LENIENT, timing=TIMING, **more)

    def _two(self) -> list[fleet.Rollout]:
        """Of different releases, over the same machines."""
        return [fleet.start(self._draft()), fleet.start(self._draft(name="issue"))]

    def _opened(self, rollout: fleet.Rollout, own: fleet.Agent) -> fleet.Rollout:
        """The first wave, which is the provider's, has passed, and those of the clients are open."""
        for seconds in (0, 1, 2):
            with time.frozen(BEGAN + timedelta(seconds=seconds)):
                own.cycle()
                own.tell_facts()
                rollout.tick(at=time.now())
        return rollout

    def _limited(self) -> fleet.Rollout:
        timing = replace(TIMING, catches_up=True, start_seconds=1_200)
        gate = replace(LENIENT, soak_seconds=60, max_bad=2)
        limits = Limits(per_tenant=1, ramp_from=1)
        return fleet.draft(
            self.app, self.cast, percents=(5, 60, 100), gate=gate, timing=timing, limits=limits
        )

    def _keep(self, schema: str, make: Callable[[fleet.Agent], list[fleet.Rollout]]) -> Start:
        cluster.mark_dirty(self.database)
        cluster.reset(self.app, self.database)
        with time.frozen(BEGAN):
            agents = [
                agent
                for slug, count in SIZES
                for agent in fleet.enrol(
                    self.app, self.cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)]
                )
            ]
            self._agree()
            self._draft(version="0.1")  # a version to go back to
            rollouts = make(agents[0])
        snapshot.keep(self._dsn, schema)
        self._restorers[schema] = snapshot.Restorer(self._dsn, schema)
        return Start(schema, tuple(one.id for one in rollouts), tuple(agents))

    def _agree(self) -> None:
        """Acme lets changes be made at night only, 22:00 to 04:00 in Jakarta, which knows no summer time."""
        acme = self.cast.tenants["acme"]
        with self.app.app_context(), enter(of_tenant(acme)):
            windows.add_window(
                tenant_id=acme,
                name="Night",
                rule="FREQ=DAILY",
                first_on=date(2026, 11, 1),
                starts_at=wall(22),
                minutes=360,
                time_zone="Asia/Jakarta",
                by=personas.actor(self.app, self.cast, "Mia"),
                at=BEGAN,
            )
            db.session.commit()

    def restore(self, start: Start) -> None:
        """Everything as it was, in the database and in Redis."""
        self.app.extensions["redis"].flushdb()
        if not self._restorers[start.schema].restore():
            raise RuntimeError(f"{start.schema} could not be put back")

    def close(self) -> None:
        """Leave the database; the next test gets a fresh one."""
        for restorer in self._restorers.values():
            restorer.close()
        cluster.mark_torn(self.database)


@contextmanager
def kept(app: Flask, cast: personas.Cast, database: str) -> Iterator[Starts]:
    """The starts for as long as the block lasts."""
    starts = Starts(app, cast, database)
    try:
        yield starts
    finally:
        starts.close()
