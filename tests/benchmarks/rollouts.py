"""What campaigns cost: opening a lane, a tick of many campaigns at many clients, polls; and how that grows with assets.

Everything stands in databases of its own, filled by a few statements. A tick is the portal's own, in its own scope.
"""

import gc
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from msp.campaigns import moves
from msp.campaigns.evaluation import evaluate
from msp.campaigns.gates import Gate, GlobalRule
from msp.campaigns.pacing import Limits
from msp.campaigns.plans import SCHEMA, Timing
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter
from tests import cluster
from tests.benchmarks.loading import h
from tests.benchmarks.requests import Ask, ask_once, load
from tests.benchmarks.servers import serve

SCALES = (1_000, 10_000, 100_000)
TENANTS = 200
CAMPAIGNS, MEMBERS = 50, 2_000
LANE = 5_000
ROUNDS = 3
WORKERS = 2  # gunicorn's, of the measured server
CONNECTIONS, SECONDS = 4, 3.0
CHANGED = 20  # actions of each campaign that reported success before each tick
POLL_GROWTH = "1.20"


def lines(folder: Path) -> list[tuple[str, ...]]:
    """The table. Needs the empty database of the bench."""
    found = [("campaigns", "figure", "unit", "goal")]
    found += [_lane(folder), *_many(folder)]
    grown = [(scale, *_grown(scale, folder)) for scale in SCALES]
    for scale, idle, busy, tick in grown:
        found.append((f"polls, idle, {scale} assets", f"{idle:.0f}", "a second and process", ""))
        found.append((f"polls, with work, {scale} assets", f"{busy:.0f}", "a second and process", ""))
        found.append((f"tick, {scale} assets", f"{tick * 1000:.0f}", "ms", ""))
    (_, idle, busy, tick), (_, idle_large, busy_large, tick_large) = grown[0], grown[-1]
    span = f"{SCALES[0]} to {SCALES[-1]}"
    found.append((f"growth of idle polls, {span}", f"{idle / idle_large:.2f}", "times", POLL_GROWTH))
    found.append((f"growth of polls with work, {span}", f"{busy / busy_large:.2f}", "times", POLL_GROWTH))
    found.append(
        (f"growth of a tick, {span}", f"{tick_large / tick:.1f}", "times", f"{SCALES[-1] // SCALES[0]}")
    )
    return found


def _lane(folder: Path) -> tuple[str, ...]:
    """One statement that opens a lane, over a lane with so many members."""
    place = _Place(
        "bench_lane", folder, tenants=2, assets=26 * LANE // 10, campaigns=1, members=26 * LANE // 10
    )
    lane_id = place.ask("SELECT id FROM wave_lanes WHERE ordinal = 3 ORDER BY id LIMIT 1")[0][0]
    members = place.ask(f"SELECT count(*) FROM actions WHERE lane_id = {lane_id}")[0][0]
    at = datetime.now(UTC)
    with place.scope():
        begun = time.perf_counter()
        moves.make_eligible([lane_id], place.campaigns[0], at, {lane_id: at + timedelta(days=1)})
        db.session.commit()
        spent = time.perf_counter() - begun
    return (f"opening a lane of {members}", f"{spent:.2f}", "s", "2.00")


def _many(folder: Path) -> Iterator[tuple[str, ...]]:
    place = _Place(
        "bench_many",
        folder,
        tenants=TENANTS,
        assets=CAMPAIGNS * MEMBERS,
        campaigns=CAMPAIGNS,
        members=MEMBERS,
    )
    place.tick_all()
    gc.collect()
    gc.freeze()  # as the worker does
    spent, worked = [], []
    for _ in range(ROUNDS):
        place.report(CHANGED)
        begun = time.process_time()
        spent.append(place.tick_all())
        worked.append(time.process_time() - begun)
    yield ("CPU of the worker in the next line", f"{statistics.median(worked):.2f}", "s", "")
    yield (
        f"{CAMPAIGNS} campaigns at {TENANTS} clients each, a tick",
        f"{statistics.median(spent):.2f}",
        "s",
        "5.00",
    )


def _grown(scale: int, folder: Path) -> tuple[float, float, float]:
    """Polls a second and process, idle and with work; seconds of a tick of a campaign over every asset."""
    name = f"bench_rollout_{scale}"
    place = _Place(name, folder, tenants=50, assets=scale, campaigns=1, members=scale)
    place.tick_all()
    ticks = []
    for _ in range(ROUNDS):
        place.report(CHANGED)
        ticks.append(place.tick_all())
    place.close()
    settings = {**place.environment(folder)}
    socket = folder / f"{name}.sock"
    with serve("wsgi:app", socket, settings):
        idle = _rate(
            socket,
            place.polls("a.id NOT IN (SELECT asset_id FROM actions WHERE phase IN ('eligible', 'offered'))"),
        )
        busy = _rate(socket, place.polls("a.id IN (SELECT asset_id FROM actions WHERE phase = 'eligible')"))
    return idle, busy, statistics.median(ticks)


def _rate(socket: Path, asks: list[Ask]) -> float:
    for ask in asks[:20]:
        ask_once(socket, ask)
    return load(socket, asks, connections=CONNECTIONS, seconds=SECONDS).per_second / WORKERS


class _Place:
    """A database with campaigns that have passed their first wave and are in the middle of the second."""

    def __init__(
        self, name: str, folder: Path, *, tenants: int, assets: int, campaigns: int, members: int
    ) -> None:
        self.name, self.dsn = name, cluster.dsn("postgres", name)
        cluster._run(f"CREATE DATABASE {name} TEMPLATE bench_empty")
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in (*_fleet(tenants, assets), *_campaigns(campaigns, members, assets)):
                connection.execute(statement)  # type: ignore[call-overload]
            connection.execute("SET session_replication_role = origin")
            connection.execute("VACUUM ANALYZE")
        self.campaigns = [row[0] for row in self.ask("SELECT id FROM campaigns ORDER BY id")]
        self.tenants = frozenset(row[0] for row in self.ask("SELECT id FROM tenants"))
        self.app: Flask = cluster.make_app(name, redis_number=1, files=folder / "files")

    def ask(self, statement: str) -> list[Any]:
        """Rows, as a superuser."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def scope(self) -> Any:
        """The scope of a campaign's evaluation."""
        self.app.app_context().push()
        return enter(Scope(Role.WORKER, self.tenants))

    def tick_all(self) -> float:
        """Seconds for one look at every campaign."""
        at, spent = datetime.now(UTC), 0.0
        for campaign_id in self.campaigns:
            with self.app.app_context(), enter(Scope(Role.WORKER, self.tenants)):
                begun = time.perf_counter()
                if not evaluate(campaign_id, at=at):
                    raise RuntimeError("a campaign was not looked at")
                db.session.commit()
                spent += time.perf_counter() - begun
        return spent

    def report(self, count: int) -> None:
        """Some machines of each campaign have installed it and told so."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "WITH told AS (UPDATE actions SET phase = 'verifying', offered_at = now(), retrieved_at = now(),"
                " started_at = now(), reported_at = now(), deadline_at = now() + interval '1 hour'"
                " WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY campaign_id ORDER BY id) n"
                f" FROM actions WHERE phase = 'eligible') one WHERE n <= {count}) RETURNING tenant_id, asset_id)"
                " UPDATE assets SET facts_at = now() + interval '1 second', installed_release = 'tool/1'"
                " FROM told WHERE assets.tenant_id = told.tenant_id AND assets.id = told.asset_id"
            )

    def polls(self, where: str) -> list[Ask]:
        """Polls of up to 2,000 assets that fit."""
        rows = self.ask(
            "SELECT t.slug, a.controller_id FROM assets a JOIN tenants t ON t.id = a.tenant_id"
            f" WHERE {where} ORDER BY {h('asked', 'a.id')} LIMIT 2000"
        )
        return [
            Ask(
                "GET",
                f"/ddi/{slug}/controller/v1/{name}",
                {"Authorization": f"TargetToken agent token {name.removeprefix('pc-')}"},
            )
            for slug, name in rows
        ]

    def environment(self, folder: Path) -> dict[str, str]:
        """Settings of a served portal on this database."""
        from tests.benchmarks.__main__ import environment

        return environment(self.name, folder)

    def close(self) -> None:
        """Leave the database to the server under measure."""
        with self.app.app_context():
            db.engine.dispose()


def _fleet(tenants: int, assets: int) -> Iterator[str]:
    yield (
        "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
        " SELECT gen_random_uuid(), 'client-' || i, 'C' || upper(to_hex(i)), 'Client ' || i,"
        " CASE i WHEN 1 THEN 'own' ELSE 'client' END, 'active', 'Asia/Jakarta', 'id', '', now()"
        f" FROM generate_series(1, {tenants}) i"
    )
    yield (
        "INSERT INTO assets (tenant_id, public_id, name, kind, state, tags, notes, created_at, controller_id,"
        " last_seen_at, facts, facts_at, trust_level)"
        f" SELECT (SELECT min(id) FROM tenants) + i % {tenants}, gen_random_uuid(), 'pc-' || i,"
        " 'workstation', 'active', '[]', '', now(), 'pc-' || i, now(), '{}', now(), 'tls-only'"
        f" FROM generate_series(1, {assets}) i"
    )
    yield (
        "INSERT INTO agent_credentials (tenant_id, asset_id, controller_id, token_hash, slot, created_at, facts_due_at)"
        " SELECT tenant_id, id, controller_id,"
        " sha256(convert_to('agent token ' || substr(name, 4), 'UTF8')), 1, now(), now() + interval '1 day' FROM assets"
    )


def _campaigns(campaigns: int, members: int, assets: int) -> Iterator[str]:
    gate, timing = json.dumps(Gate(max_bad=None).stored()), json.dumps(asdict(Timing()))
    plan = {
        "schema": SCHEMA,
        "version": 1,
        "release": {"name": "tool"},
        "waves": [],
        "timing": asdict(Timing()),
    }
    plan |= {"stop": asdict(GlobalRule()), "limits": asdict(Limits())}
    yield (
        "INSERT INTO releases (public_id, kind, name, version, target_path, created_by, created_at)"
        " VALUES (gen_random_uuid(), 'file', 'tool', '1', 'etc/tool', 'bench', now())"
    )
    yield (
        "INSERT INTO campaigns (public_id, kind, title, release_id, state, rev, tenant_ids, wishes, plan, plan_version,"
        " created_by, created_at, decided_at, start_at, started_at, deadline_at)"
        " SELECT gen_random_uuid(), 'rollout', 'Campaign ' || i, (SELECT max(id) FROM releases), 'running', 1,"
        f" (SELECT array_agg(id ORDER BY id) FROM tenants), '{{}}', '{json.dumps(plan)}', 1, 'bench', now(), now(),"
        f" now(), now(), now() + interval '14 days' FROM generate_series(1, {campaigns}) i"
    )
    yield (
        "INSERT INTO waves (campaign_id, ordinal, name, size, gate)"
        f" SELECT c.id, w, 'Wave ' || w, 1, '{gate}' FROM campaigns c, generate_series(1, 3) w"
    )
    yield (
        "INSERT INTO campaign_tenants (tenant_id, public_id, campaign_id, title, kind, release_kind, release_name,"
        ' release_version, severity, "references", notes, asset_count, consent, asked_at, rev, noted_rev)'
        " SELECT t.id, gen_random_uuid(), c.id, c.title, 'rollout', 'file', 'tool', '1', 'medium', '[]', '', 1,"
        " 'consented', now(), 0, 0 FROM campaigns c, tenants t"
    )
    yield (
        "INSERT INTO wave_lanes (tenant_id, public_id, campaign_id, wave_id, ordinal, title, release_name,"
        " release_version, planned_at, state, opened_at, deadline_at, member_count, is_waived, timing, rev)"
        " SELECT t.id, gen_random_uuid(), w.campaign_id, w.id, w.ordinal, 'Tool', 'tool', '1', now(),"
        " (ARRAY['passed', 'open', 'waiting'])[w.ordinal], CASE WHEN w.ordinal < 3 THEN now() END,"
        f" now() + interval '1 day', 1, false, '{timing}', 0 FROM waves w, tenants t"
    )
    # Two of a hundred in the first wave, one of five in the second; the rest waits.
    place = f"{h('wave', 'a.id')} % 100"
    ordinal = f"CASE WHEN {place} < 2 THEN 1 WHEN {place} < 22 THEN 2 ELSE 3 END"
    phase = "(ARRAY['closed', 'eligible', 'planned'])[l.ordinal]"
    yield (
        "INSERT INTO actions (tenant_id, campaign_id, lane_id, asset_id, release_id, attempt, phase, outcome,"
        " is_ambiguous, has_late_failure, cannot_stop, offers, deferrals, event_count, closed_at, deadline_at,"
        " ready_at, rev)"
        f" SELECT a.tenant_id, c.id, l.id, a.id, c.release_id, 1, {phase}, CASE l.ordinal WHEN 1 THEN 'success' END,"
        " false, false, false, 0, 0, 0, CASE l.ordinal WHEN 1 THEN now() END, now() + interval '1 day',"
        " CASE l.ordinal WHEN 2 THEN now() END, 0"
        " FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, release_id FROM campaigns) c"
        f" JOIN assets a ON (a.id - (SELECT min(id) FROM assets)) / {members} = c.place %% ({assets} / {members})"
        f" JOIN wave_lanes l ON l.campaign_id = c.id AND l.tenant_id = a.tenant_id AND l.ordinal = {ordinal}"
    ).replace("%%", "%")
    yield (
        "UPDATE wave_lanes l SET member_count = n.members FROM (SELECT lane_id, count(*) AS members FROM actions"
        " GROUP BY 1) n WHERE n.lane_id = l.id"
    )
    yield (
        "UPDATE wave_lanes l SET member_count = 0, state = 'skipped', reason = 'no members'"
        " WHERE NOT EXISTS (SELECT FROM actions a WHERE a.lane_id = l.id)"
    )
