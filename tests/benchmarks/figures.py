"""What the figures of 90 days cost: two years of tickets, answered, resolved, some reopened, handed over or repeated.

As the provider's staff see it, all clients in scope and row security on. `RESOLVED` sets how many tickets.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from msp.figures.load import list_load
from msp.figures.repeating import list_repeated
from msp.figures.resolved import By, Of, list_behind, list_lines
from msp.figures.trends import list_trends, months_until
from msp.web.periods import Period
from tenants.foundation.scope import Role, Scope, enter
from tenants.tickets.categories import read_tree
from tests import cluster
from tests.benchmarks.loading import PEOPLE, STAFF, TENANTS, _people, h

RESOLVED = int(os.environ.get("RESOLVED", "100000"))
ROUNDS = 3
NAME = "bench_figures"
ZONE = "Asia/Jakarta"
CATEGORIES = 40
QUIET = timedelta(days=14)
GOAL_MS = "1000"


def lines(folder: Path) -> list[tuple[str, ...]]:
    """The table: milliseconds of each reading, its statements together."""
    app = _place(folder)
    now = datetime.now(UTC)
    with app.test_request_context(), enter(_staff()):
        period = Period(now.date() - timedelta(days=90), now.date(), "", None, ())
        asked: list[tuple[str, Callable[[], Any]]] = [
            (f"resolved by {by}", lambda by=by: list_lines(by, period, QUIET)) for by in By
        ]
        first = list_lines(By.TECHNICIAN, period, QUIET)[0]
        if first.figures.resolved < RESOLVED // STAFF // 16:
            raise RuntimeError(f"only {first.figures.resolved} tickets of the busiest technician")
        asked += [
            ("behind a number", lambda: _behind(first.key, period)),
            ("load by hour", lambda: list_load(period, ZONE, until=now)),
            (
                "trends",
                lambda: list_trends(read_tree(), months_until(now.date()), ZONE, tenant_id=None, under=None),
            ),
            ("repeated", lambda: list_repeated(period, least=10)),
        ]
        found = [(name, str(RESOLVED), f"{_milliseconds(ask):.0f}", GOAL_MS) for name, ask in asked]
    return [("figures", "tickets", "ms", "goal"), *found]


def _behind(key: int | None, period: Period) -> Any:
    return list_behind(By.TECHNICIAN, Of.STAYED, key, period, QUIET, after=None, limit=25)


def _milliseconds(ask: Callable[[], Any]) -> float:
    spent = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def _staff() -> Scope:
    with psycopg.connect(cluster.dsn("postgres", NAME)) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM tenants").fetchall()]
    return Scope(Role.STAFF, frozenset(ids))


def _place(folder: Path) -> Flask:
    cluster._run(f"CREATE DATABASE {NAME} TEMPLATE bench_empty")
    with psycopg.connect(cluster.dsn("postgres", NAME), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (*_people(), *_tickets(), *_stories()):
            connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE")
    return cluster.make_app(NAME, redis_number=1, files=folder / "files")


def _tickets() -> Iterator[str]:
    first = "(SELECT min(id) FROM tenants)"
    yield (
        "INSERT INTO categories (public_id, name_en, name_id, is_active) SELECT gen_random_uuid(), 'Matter ' || i,"
        f" 'Perkara ' || i, true FROM generate_series(1, {CATEGORIES}) i"
    )
    yield (
        "INSERT INTO tickets (tenant_id, code, kind, subject, state, impact, urgency, priority, priority_overridden,"
        " tier, rev, requester_name, requester_user_id, source, opened_at, resolved_at, asset_id, category_id)"
        f" SELECT {first} + {h('tenant')} % {TENANTS}, 'X' || i, 'incident', 'Matter ' || i, 'resolved', 'low', 'low',"
        f" 'P3', false, 'L1', 4, 'Bob', 1 + {h('person')} % {TENANTS * PEOPLE}, 'portal', d.opened_at,"
        f" d.opened_at + interval '5 hours', CASE WHEN {h('has')} % 3 > 0 THEN {h('asset')} % 500 END,"
        f" (SELECT min(id) FROM categories) + {h('category')} % {CATEGORIES}"
        f" FROM (SELECT i, now() - interval '1 day' - {h('opened')} % 63072000 * interval '1 second' AS opened_at"
        f" FROM generate_series(1, {RESOLVED}) i) d"
    )


_HISTORY = (
    (1, "opened", "requester", 0, 1),
    (2, "assigned", "staff", 10, 1),
    (3, "message_added", "staff", 30, 1),
    (4, "resolved", "staff", 300, 1),
    (5, "reopened", "requester", 900, 12),
)


def _stories() -> Iterator[str]:
    who = f"{TENANTS * PEOPLE} + 1 + {h('solver', 'id')} % {STAFF}"
    for seq, kind, side, minutes, every in _HISTORY:
        yield (
            "INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_user_id, actor_name,"
            f" data) SELECT tenant_id, id, {seq}, '{kind}', opened_at + {minutes} * interval '1 minute', '{side}',"
            f" {who}, 'Somebody', '{{}}' FROM tickets WHERE {h('some', 'id')} % {every} = 0"
        )
    for side, minutes in (("requester", 0), ("staff", 30), ("staff", 300)):
        yield (
            "INSERT INTO messages (tenant_id, ticket_id, kind, author_kind, author_user_id, author_name, via, body,"
            f" spoke_with_caller, at) SELECT tenant_id, id, 'public', '{side}', {who}, 'Somebody', 'web',"
            f" repeat('Something was said. ', 8), false, opened_at + {minutes} * interval '1 minute' FROM tickets"
        )
    for clock, seconds in (("response", 1800), ("resolution", 18000)):
        yield (
            "INSERT INTO ticket_timers (tenant_id, ticket_id, contract_version_id, clock, cycle, priority,"
            " target_seconds, target_version, state, started_at, stopped_at, elapsed_seconds)"
            f" SELECT tenant_id, id, 1, '{clock}', 1, 'P3', 28800, 1, 'met', opened_at, resolved_at,"
            f" {seconds} * ({h(clock, 'id')} % 5) FROM tickets"
        )
    yield (
        "INSERT INTO hand_overs (tenant_id, ticket_id, from_tier, to_tier, state, symptoms, tried, evidence,"
        " suspected_cause, told_requester, made_by_user_id, made_by_name, made_at, decided_at)"
        " SELECT tenant_id, id, 'L1', 'L2', (ARRAY['accepted', 'returned'])[1 + id % 2], '', '', '', '', '',"
        f" {who}, 'Somebody', opened_at + interval '1 hour', opened_at + interval '2 hours' FROM tickets"
        f" WHERE {h('passed', 'id')} % 5 = 0"
    )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Servers of its own, to measure nothing but this."""
    from msp.embedded import start_postgres, start_valkey
    from tests.benchmarks.__main__ import build_empty

    postgres = start_postgres(folder / "postgres", durable=False)
    valkey = start_valkey(folder / "valkey", durable=False)
    try:
        for variable, role in (("TEST_POSTGRES", "postgres"), ("TEST_POSTGRES_APP", "portal_app")):
            os.environ[variable] = postgres.url(role, "{database}")
        os.environ["TEST_POSTGRES_OWNER"] = postgres.url("portal_owner", "{database}")
        os.environ["TEST_VALKEY"] = valkey.url().split("?")[0]
        build_empty()
        yield
    finally:
        valkey.stop()
        postgres.stop()
