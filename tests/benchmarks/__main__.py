"""`make bench`: the portal beside a yardstick on the same server, stack and roles, as one table.

SCALE=10k, 100k or 1m tickets; beyond 10k the same measures at 10k come first and show the growth. Throughput is asked
with four connections, the yardstick right before and after each measure; CPU is what the kernel counted for the web
workers and PostgreSQL, which neighbours on the machine disturb least.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import event

from msp.embedded import start_postgres, start_valkey
from tests import cluster
from tests.benchmarks import clock, figures, loading, rollouts, sweeping, what_if
from tests.benchmarks.loading import SCALES, Loaded
from tests.benchmarks.measures import Measure, count_statements, measures, warm_up
from tests.benchmarks.requests import Answers, Ask, ask_once, load
from tests.benchmarks.servers import cpu_seconds, serve

CONNECTIONS = 4
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "3"))


@dataclass
class Result:
    """A measure's figures: requests a second, milliseconds, and how they compare with the yardstick's."""

    measure: Measure
    statements: int
    latency: float = 0.0
    slow: float = 0.0
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    yard_rates: list[float] = field(default_factory=list)
    yard_costs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Of throughput to the yardstick's, round by round; the median."""
        return statistics.median(
            2 * rate / (before + after)
            for rate, before, after in zip(self.rates, self.yard_rates, self.yard_rates[1:], strict=False)
        )

    @property
    def cost_ratio(self) -> float:
        """Of the yardstick's CPU to ours: what the ratio would be if nothing but CPU mattered."""
        return statistics.median(self.yard_costs) / statistics.median(self.costs)


@dataclass(frozen=True)
class Place:
    """A served application and the processes that it costs."""

    socket: Path
    roots: list[int]

    def cost(self, asks: list[Ask], connections: int, seconds: float) -> tuple[Answers, float]:
        """Answers, and CPU milliseconds for each."""
        before = cpu_seconds(self.roots)
        answers = load(self.socket, asks, connections=connections, seconds=seconds)
        return answers, (cpu_seconds(self.roots) - before) * 1000 / max(answers.count, 1)


def say(words: str) -> None:
    """A line, at once."""
    print(words, flush=True)


def prepare(name: str, tickets: int) -> Loaded:
    """A clone of the empty database, filled."""
    begun = time.perf_counter()
    cluster._run(f"CREATE DATABASE {name} TEMPLATE bench_empty")
    loaded = loading.load(cluster.dsn("postgres", name), tickets)
    say(f"{name}: {tickets} tickets loaded in {time.perf_counter() - begun:.0f} s")
    return loaded


def build_empty() -> None:
    """Roles, tables and wall, without a row."""
    from sqlalchemy import create_engine

    from msp import database

    cluster._run("CREATE ROLE portal_owner LOGIN", "CREATE ROLE portal_app LOGIN NOINHERIT")
    cluster._run("CREATE DATABASE bench_empty OWNER portal_owner")
    cluster._run("ALTER SCHEMA public OWNER TO portal_owner", database="bench_empty")
    for role, step in (("postgres", database.create_roles), ("portal_owner", database.upgrade)):
        engine = create_engine(cluster.sqlalchemy_url(role, "bench_empty"))
        step(engine)
        engine.dispose()


def environment(name: str, folder: Path) -> dict[str, str]:
    """Settings of both applications."""
    with psycopg.connect(cluster.dsn("postgres", name)) as connection:
        row = connection.execute("SELECT array_agg(id ORDER BY id)::text FROM tenants").fetchone()
    assert row is not None
    return {
        "DATABASE_URL": cluster.sqlalchemy_url("portal_app", name),
        "REDIS_URL": f"{os.environ['TEST_VALKEY']}?db=1",
        "PUBLIC_URL": "http://bench.test",
        "SECRET_KEY": cluster.SECRET,
        "FILES_DIR": str(folder / "files"),
        "LOG_LEVEL": "ERROR",
        "LANGUAGE_DEFAULT": "en",
        "PORTAL_DEMO": "1",
        "SKELETON_TENANTS": row[0],
    }


def measure_all(name: str, loaded: Loaded, folder: Path, postgres: int) -> list[Result]:
    """Every measure on one database."""
    app = cluster.make_app(name, redis_number=1, files=folder / "files")
    settings = environment(name, folder)
    found = [Result(one, statements_of(app, one.portal[0])) for one in measures(app, loaded)]
    _dispose(app)
    portal, yard = folder / f"{name}.portal.sock", folder / f"{name}.yard.sock"
    with serve("wsgi:app", portal, settings) as ours, serve(_SKELETON, yard, settings) as theirs:
        places = Place(portal, [ours, postgres]), Place(yard, [theirs, postgres])
        for result in found:
            _measure(result, *places)
    return found


_SKELETON = "tests.benchmarks.skeleton:app"


def statements_of(app: Flask, ask: Ask) -> int:
    """Statements of one call; what sets the scope counts too."""
    from tenants.foundation.db import db

    heard: list[Callable[..., None]] = []

    def listen(hear: Callable[..., None]) -> None:
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", hear)
        heard.append(hear)

    try:
        return count_statements(app, ask, listen)
    finally:
        with app.app_context():
            for hear in heard:
                event.remove(db.engine, "before_cursor_execute", hear)


def _dispose(app: Flask) -> None:
    from tenants.foundation.db import db

    with app.app_context():
        db.engine.dispose()


def _measure(result: Result, portal: Place, yard: Place) -> None:
    ours, theirs = result.measure.portal, result.measure.skeleton
    for place, asks in ((portal, ours), (yard, theirs)):
        for ask in warm_up(asks):
            ask_once(place.socket, ask)
    _note(yard.cost(theirs, CONNECTIONS, SECONDS), result.yard_rates, result.yard_costs)
    for _ in range(ROUNDS):
        _note(portal.cost(ours, CONNECTIONS, SECONDS), result.rates, result.costs)
        _note(yard.cost(theirs, CONNECTIONS, SECONDS), result.yard_rates, result.yard_costs)
    alone = load(portal.socket, ours, connections=1, seconds=SECONDS)
    result.latency, result.slow = alone.median_ms, alone.slow_ms


def _note(measured: tuple[Answers, float], rates: list[float], costs: list[float]) -> None:
    answers, cost = measured
    rates.append(answers.per_second)
    costs.append(cost)


HEAD = (
    "scale",
    "measure",
    "req/s",
    "yardstick",
    "ratio",
    "goal",
    "p50 ms",
    "p95 ms",
    "most ms",
    "CPU ms",
    "yardstick",
    "CPU ratio",
    "stmts",
)


def table(results: dict[str, list[Result]]) -> list[tuple[str, ...]]:
    """One line for each measure and scale."""
    return [HEAD] + [
        (
            scale,
            one.measure.name,
            f"{statistics.median(one.rates):.0f}",
            f"{statistics.median(one.yard_rates):.0f}",
            f"{one.ratio:.2f}",
            "" if one.measure.goal is None else f"{one.measure.goal:.2f}",
            f"{one.latency:.1f}",
            f"{one.slow:.1f}",
            "" if one.measure.most_ms is None else f"{one.measure.most_ms:.0f}",
            f"{statistics.median(one.costs):.2f}",
            f"{statistics.median(one.yard_costs):.2f}",
            f"{one.cost_ratio:.2f}",
            str(one.statements),
        )
        for scale, found in results.items()
        for one in found
    ]


def growth(results: dict[str, list[Result]]) -> list[tuple[str, ...]]:
    """How much more each measure costs at the larger scale; empty for one scale."""
    if len(results) < 2:
        return []
    (small, before), (large, after) = list(results.items())
    lines: list[tuple[str, ...]] = [("growth", f"{small} to {large}", "p50", "CPU", "goal")]
    for one, more in zip(before, after, strict=True):
        costs = statistics.median(more.costs) / statistics.median(one.costs)
        lines.append(("", one.measure.name, f"{more.latency / one.latency:.2f}", f"{costs:.2f}", "1.20"))
    return lines


def show(lines: list[tuple[str, ...]]) -> None:
    """Columns under each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)] if lines else []
    for line in lines:
        say("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def run(scale: str, folder: Path, postgres: Any) -> dict[str, list[Result]]:
    """The smallest scale, then the one asked for."""
    build_empty()
    results = {}
    for name in dict.fromkeys(("10k", scale)):
        loaded = prepare(f"bench_{name}", SCALES[name])
        results[name] = measure_all(f"bench_{name}", loaded, folder, postgres.process.pid)
    return results


def main() -> int:
    """Start servers of its own, measure, print, and take everything away again."""
    scale = os.environ.get("SCALE", "10k")
    if scale not in SCALES:
        say(f"SCALE is one of {', '.join(SCALES)}")
        return 2
    os.environ["ARGON2_CHEAP"] = "1"
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    postgres = start_postgres(folder / "postgres", durable=False)
    valkey = start_valkey(folder / "valkey", durable=False)
    try:
        for variable, role in (("TEST_POSTGRES", "postgres"), ("TEST_POSTGRES_APP", "portal_app")):
            os.environ[variable] = postgres.url(role, "{database}")
        os.environ["TEST_POSTGRES_OWNER"] = postgres.url("portal_owner", "{database}")
        os.environ["TEST_VALKEY"] = valkey.url().split("?")[0]
        results = run(scale, folder, postgres)
        show(table(results))
        show(growth(results))
        show(sweeping.lines(folder))
        show(what_if.lines(folder))
        show(rollouts.lines(folder))
        show(figures.lines(folder))
        show(clock.table())
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
