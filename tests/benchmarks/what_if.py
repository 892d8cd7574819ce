"""What trying terms out costs over a client's past: a draft that changes every target, beside reading its histories.

One client with some months of closed tickets, each with a history of eight to twelve lines; the yardstick reads the
same lines in one plain statement of the driver's, right before and after. `CASES` sets how many tickets.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from contracts.statements.what_if import Period, replay_tenant
from contracts.terms.document import default_terms
from tenants.foundation.scope import enter, of_tenant
from tests import cluster
from tests.benchmarks.loading import h, pick

CASES = int(os.environ.get("CASES", "10000"))
ROUNDS = 3
NAME = "bench_what_if"
ZONE = "Asia/Jakarta"
FIRST, LAST, NOW = date(2026, 1, 1), date(2026, 3, 1), datetime(2026, 6, 1, tzinfo=UTC)
GOAL_SECONDS = "20"


def lines(folder: Path) -> list[tuple[str, ...]]:
    """The table: seconds of wall and CPU, the CPU for each ticket, and how often the plain read fits into it."""
    tenant_id, app = _place(folder)
    walls, costs, reads = [], [], [_read(tenant_id)]
    for _ in range(ROUNDS):
        wall, cost = _replay(app, tenant_id)
        walls.append(wall)
        costs.append(cost)
        reads.append(_read(tenant_id))
    ratio = statistics.median(
        2 * wall / (before + after) for wall, before, after in zip(walls, reads, reads[1:], strict=False)
    )
    wall, cost = statistics.median(walls), statistics.median(costs)
    return [
        ("what if", "tickets", "seconds", "goal", "CPU s", "CPU ms each", "times the read"),
        (
            "every target changed",
            str(CASES),
            f"{wall:.2f}",
            GOAL_SECONDS,
            f"{cost:.2f}",
            f"{cost * 1000 / CASES:.2f}",
            f"{ratio:.1f}",
        ),
    ]


def draft() -> dict[str, Any]:
    """Terms that judge every clock otherwise than those that held: shorter targets, other hours, no pauses."""
    terms = default_terms(ZONE)
    levels = {
        priority: {
            name: value // 2 if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in level.items()
        }
        for priority, level in terms["service_levels"].items()
    }
    nothing: dict[str, list[str]] = {"response": [], "update": [], "resolution": []}
    changed = terms["calendar"] | {"holidays": ["2026-02-17"]}
    return terms | {"service_levels": levels, "pause_reasons": nothing, "calendar": changed}


def _place(folder: Path) -> tuple[int, Flask]:
    cluster._run(f"CREATE DATABASE {NAME} TEMPLATE bench_empty")
    with psycopg.connect(cluster.dsn("postgres", NAME), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (*_client(), *_tickets()):
            connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT id FROM tenants").fetchone()
    assert row is not None
    return row[0], cluster.make_app(NAME, redis_number=1, files=folder / "files")


def _replay(app: Flask, tenant_id: int) -> tuple[float, float]:
    """Seconds of wall and of this process's CPU."""
    begun, used = time.perf_counter(), time.process_time()
    with app.app_context(), enter(of_tenant(tenant_id)):
        outcome, _credits, _currency = replay_tenant(tenant_id, draft(), Period.of(FIRST, LAST, ZONE, NOW))
    spent = time.perf_counter() - begun, time.process_time() - used
    if outcome.tickets != CASES or not outcome.changed:
        raise RuntimeError(f"{outcome.tickets} replayed instead of {CASES}, {outcome.changed} changed")
    return spent


def _read(tenant_id: int) -> float:
    """Seconds for every line of history, as the driver gives it."""
    begun = time.perf_counter()
    with psycopg.connect(cluster.dsn("postgres", NAME)) as connection:
        connection.execute(
            "SELECT ticket_id, kind, at, actor_name, data FROM ticket_events WHERE tenant_id = %s"
            " ORDER BY ticket_id, seq",
            (tenant_id,),
        ).fetchall()
    return time.perf_counter() - begun


def _client() -> Iterator[str]:
    yield (
        "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
        f" VALUES (gen_random_uuid(), 'client', 'CL', 'Client', 'client', 'active', '{ZONE}', 'id', '', now())"
    )
    yield (
        "INSERT INTO contracts (tenant_id, public_id, name, time_zone, starts_on, monthly_fee, currency, created_at)"
        f" SELECT id, gen_random_uuid(), 'Managed services', '{ZONE}', '2020-01-01', 0, 'IDR', now() FROM tenants"
    )
    yield (
        "INSERT INTO contract_versions (tenant_id, contract_id, number, in_force_on, in_force_from, terms, note,"
        " created_at, created_by) SELECT tenant_id, id, 1, '2020-01-01', '2019-12-31T17:00Z',"
        f" '{json.dumps(default_terms(ZONE))}'::jsonb, '', now(), 'bench' FROM contracts"
    )


# Sequence, kind, minutes after the opening (spread by a hash), who, and what the portal keeps of it.
_HISTORY = (
    (2, "assigned", 5, "staff", {"to_name": "Leo"}),
    (3, "message_added", 20, "staff", {"kind": "public", "author_kind": "staff"}),
    (4, "state_changed", 25, "staff", {"from_state": "new", "to_state": "in_progress", "reason": None}),
    (5, "message_added", 60, "staff", {"kind": "internal", "author_kind": "staff"}),
    (
        6,
        "state_changed",
        90,
        "staff",
        {"from_state": "in_progress", "to_state": "waiting", "reason": "requester"},
    ),
    (7, "message_added", 900, "requester", {"kind": "public", "author_kind": "requester"}),
    (8, "state_changed", 900, "system", {"from_state": "waiting", "to_state": "in_progress", "reason": None}),
    (9, "message_added", 1000, "staff", {"kind": "public", "author_kind": "staff"}),
    (10, "resolved", 2000, "staff", {"from_state": "in_progress", "to_state": "resolved", "reason": None}),
    (11, "closed", 6000, "system", {"from_state": "resolved", "to_state": "closed", "reason": None}),
)


def _tickets() -> Iterator[str]:
    priority = pick("priority", ["P1", "P2", "P3", "P3", "P3", "P4"])
    yield (
        "INSERT INTO tickets (tenant_id, code, kind, subject, state, impact, urgency, priority, priority_overridden,"
        " tier, rev, requester_name, source, opened_at, closed_at, contract_version_id)"
        f" SELECT v.tenant_id, 'X' || i, 'incident', 'Matter ' || i, 'closed', 'low', 'low', {priority}, false, 'L1',"
        " 1, 'Bob', 'portal', d.opened_at, d.opened_at + interval '20 days', v.id"
        f" FROM (SELECT i, timestamptz '2026-01-01' + {h('opened')} % 6912000 * interval '1 second' AS opened_at"
        f" FROM generate_series(1, {CASES}) i) d, contract_versions v"
    )
    yield (
        "INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_name, data)"
        " SELECT tenant_id, id, 1, 'opened', opened_at, 'requester', requester_name,"
        " jsonb_build_object('priority', priority, 'source', source, 'state', 'new') FROM tickets"
    )
    for seq, kind, minutes, who, data in _HISTORY:
        # The end is the same for all; of the middle each ticket has some.
        kept = "" if seq in (3, 10, 11) else f" WHERE {h(f'kept {(seq + 1) // 2}', 'id')} % 5 > 0"
        yield (
            "INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_name, data)"
            f" SELECT tenant_id, id, {seq}, '{kind}',"
            f" opened_at + {minutes} * interval '1 minute' * (0.5 + {h('pace', 'id')} % 100 / 50.0), '{who}', 'Leo',"
            f" '{json.dumps(data)}'::jsonb FROM tickets{kept}"
        )
