"""What a sweep of timers costs where as many are due, but many more are open: it must not grow with what is open.

Two databases, one with a hundred times the open timers of the other; round by round the same number becomes due in
each, on tickets picked by a hash, and the sweep of the portal records it. `TIMERS` sets the larger number.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from flask import Flask

from contracts.terms.document import default_terms
from contracts.timers import sweep
from tests import cluster
from tests.benchmarks.loading import h

SMALL = 10_000
LARGE = int(os.environ.get("TIMERS", "1000000"))
DUE = 100
ROUNDS = 7
TENANTS = 50
GOAL = "1.20"


def lines(folder: Path) -> list[tuple[str, ...]]:
    """The table: milliseconds for each due timer, and how they grow. Needs the empty database of the bench."""
    small, large = (_Place(f"bench_sweep_{count}", count, folder) for count in (SMALL, LARGE))
    costs: dict[_Place, list[float]] = {small: [], large: []}
    for turn in range(-1, ROUNDS):
        for place in (small, large) if turn % 2 else (large, small):
            cost = place.sweep(turn + 1)
            if turn >= 0:
                costs[place].append(cost)
    ratio = statistics.median(b / a for a, b in zip(costs[small], costs[large], strict=True))
    return [*_table(costs), ("growth", f"{SMALL} to {LARGE}", f"{ratio:.2f}", GOAL)]


def _table(costs: "dict[_Place, list[float]]") -> Iterator[tuple[str, ...]]:
    yield "sweep", "open timers", "ms each", "goal"
    for place, measured in costs.items():
        yield f"{DUE} due", str(place.count), f"{statistics.median(measured) * 1000 / DUE:.2f}", ""


class _Place:
    """A database with so many open timers, and the portal on it."""

    def __init__(self, name: str, count: int, folder: Path) -> None:
        self.count = count
        self.dsn = cluster.dsn("postgres", name)
        cluster._run(f"CREATE DATABASE {name} TEMPLATE bench_empty")
        _load(self.dsn, count)
        self.app: Flask = cluster.make_app(name, redis_number=1, files=folder / "files")

    def sweep(self, turn: int) -> float:
        """Seconds for one sweep, after the turn's tickets became due."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE ticket_timers SET look_at = now() - interval '1 second' WHERE ticket_id = ANY(%s)",
                (self._pick(connection, turn),),
            )
            connection.execute("CHECKPOINT")
        with self.app.app_context():
            begun = time.perf_counter()
            swept = sweep.sweep_due_timers()
            spent = time.perf_counter() - begun
        if swept != DUE:
            raise RuntimeError(f"{swept} swept instead of {DUE}")
        return spent

    @staticmethod
    def _pick(connection: "psycopg.Connection[tuple[object, ...]]", turn: int) -> list[object]:
        picked = connection.execute(
            f"SELECT id FROM tickets ORDER BY {h('turn', 'id')}, id OFFSET {turn * DUE} LIMIT {DUE}"
        )
        return [row[0] for row in picked.fetchall()]


def _load(dsn: str, count: int) -> None:
    """Tickets opened five hours ago, each with a clock of eight that is next looked at some day later."""
    begun = time.perf_counter()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (*_tenants(), *_tickets(count)):
            connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE")
    print(f"{count} open timers loaded in {time.perf_counter() - begun:.0f} s", flush=True)


def _tenants() -> Iterator[str]:
    level = {"response_minutes": 480}
    levels = dict.fromkeys(("P1", "P2", "P3", "P4"), level)
    terms = json.dumps({**default_terms("Asia/Jakarta"), "calendar": "always", "service_levels": levels})
    yield (
        "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
        " SELECT gen_random_uuid(), 'client-' || i, 'C' || i, 'Client ' || i, 'client', 'active', 'Asia/Jakarta',"
        f" 'id', '', now() FROM generate_series(1, {TENANTS}) i"
    )
    yield (
        "INSERT INTO contracts (tenant_id, public_id, name, time_zone, starts_on, monthly_fee, currency, created_at)"
        " SELECT id, gen_random_uuid(), 'Managed services', 'Asia/Jakarta', '2020-01-01', 0, 'IDR', now() FROM tenants"
    )
    yield (
        "INSERT INTO contract_versions (tenant_id, contract_id, number, in_force_on, in_force_from, terms, note,"
        " created_at, created_by) SELECT tenant_id, id, 1, '2020-01-01', '2019-12-31T17:00Z',"
        f" '{terms}'::jsonb, '', now(), 'bench' FROM contracts"
    )


def _tickets(count: int) -> Iterator[str]:
    opened = "now() - interval '5 hours'"
    yield (
        "INSERT INTO tickets (tenant_id, code, kind, subject, state, impact, urgency, priority, priority_overridden,"
        " tier, rev, requester_name, source, opened_at, contract_version_id, next_due_at, next_due_kind, sla_state)"
        " SELECT v.tenant_id, 'X' || i, 'incident', 'Matter ' || i, 'new', 'low', 'low', 'P4', false, 'L1', 1, 'Bob',"
        f" 'portal', {opened}, v.id, {opened} + interval '8 hours', 'response', 'running'"
        f" FROM generate_series(1, {count}) i JOIN contract_versions v"
        f" ON v.tenant_id = (SELECT min(id) FROM tenants) + {h('tenant')} % {TENANTS}"
    )
    yield (
        "INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_name, data)"
        " SELECT tenant_id, id, 1, 'opened', opened_at, 'requester', requester_name,"
        " jsonb_build_object('priority', priority, 'source', source) FROM tickets"
    )
    yield (
        "INSERT INTO ticket_timers (tenant_id, ticket_id, contract_version_id, clock, cycle, priority, target_seconds,"
        " target_version, state, started_at, due_at, look_at)"
        " SELECT tenant_id, id, contract_version_id, 'response', 1, priority, 28800, 1, 'running', opened_at,"
        f" next_due_at, now() + interval '1 day' + {h('look', 'id')} % 2592000 * interval '1 second' FROM tickets"
    )
