"""Very many machines as a few statements: they call, take up what is offered, end well or badly, or fall silent.

Only the machines are simulated: rows, rules and ticks are the portal's own.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from flask import Flask

from msp.campaigns import releases, services
from msp.campaigns.evaluation import evaluate
from msp.campaigns.gates import Gate
from msp.campaigns.plans import Timing
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tests import personas
from tests.msp.campaigns import fleet

ASSETS = """
INSERT INTO assets (tenant_id, public_id, name, kind, state, tags, notes, created_at, controller_id, last_seen_at,
  facts, facts_at, trust_level)
SELECT %s, gen_random_uuid(), 'm-' || i, 'workstation', 'active', '[]', '', %s, 'm-' || i, %s, '{}', %s, 'tls-only'
FROM generate_series(1, %s) i
"""
TAKE = """
UPDATE actions SET phase = 'verifying', offered_at = %(now)s, retrieved_at = %(now)s, started_at = %(now)s,
  reported_at = %(now)s, offers = offers + 1, deadline_at = %(now)s + interval '30 minutes', rev = rev + 1
WHERE campaign_id = %(campaign)s AND phase = 'eligible' AND ready_at <= %(now)s
  AND asset_id NOT IN (SELECT asset_id FROM crowd_dead)
RETURNING tenant_id, id, asset_id, lane_id
"""
END_BADLY = f"""
WITH taken AS ({TAKE}), told AS (
  INSERT INTO action_events (tenant_id, action_id, asset_id, source, channel, execution, finished, code, received_at,
    digest, is_terminal, body, accepted)
  SELECT tenant_id, id, asset_id, 'device', 'deployment', 'closed', 'failure', 4, %(now)s, '\\x00', true, '{{}}', true
  FROM taken)
SELECT tenant_id, id FROM taken
"""
CLOSE = """
UPDATE actions SET phase = 'closed', outcome = 'failed', reason_code = 'write', closed_at = %s, deadline_at = NULL,
  event_count = event_count + 1 WHERE id = ANY(%s)
"""
END_WELL = f"""
WITH taken AS ({TAKE})
UPDATE assets SET installed_release = release_name || '/' || release_version, facts_at = %(now)s + interval '1 second'
FROM taken JOIN wave_lanes ON wave_lanes.id = taken.lane_id
WHERE assets.tenant_id = taken.tenant_id AND assets.id = taken.asset_id
"""
DIE = """
INSERT INTO crowd_dead SELECT asset_id FROM (
  SELECT asset_id, row_number() OVER (PARTITION BY lane_id ORDER BY md5(%(seed)s || asset_id::text)) AS place
  FROM actions WHERE campaign_id = %(campaign)s AND retrieved_at = %(now)s) one WHERE place %% 10 IN (1, 4, 7)
"""


@dataclass
class Crowd:
    """Machines of several clients and one campaign over all of them."""

    app: Flask
    cast: personas.Cast
    connection: "psycopg.Connection[Any]"
    now: datetime = field(default_factory=time.now)
    ticks: int = 0

    def __post_init__(self) -> None:
        self.connection.execute("CREATE TABLE crowd_dead (asset_id bigint PRIMARY KEY)")

    def move_in(self, sizes: Mapping[str, int]) -> None:
        """So many machines at each client."""
        for slug, count in sizes.items():
            self.connection.execute(ASSETS, (self.cast.tenants[slug], self.now, self.now, self.now, count))
        self.connection.execute("ANALYZE")

    def propose(self, *slugs: str, gate: Gate, timing: Timing, percents: tuple[int, ...]) -> fleet.Rollout:
        """A campaign over every machine, approved, let in by everybody, and begun."""
        by = personas.actor(self.app, self.cast, "Leo")
        with self.app.app_context(), enter(by.scope()), time.frozen(self.now):
            release = releases.add_release(
                name="driver",
                version="291",
                target_path="etc/driver",
                files=[("driver", io.BytesIO(b"x"))],
                by=by,
                at=self.now,
            )
            campaign = services.draft_campaign(title="Driver", release=release, by=by, at=self.now)
            services.add_assets(campaign, by=by, tenants=[self.cast.tenants[one] for one in slugs])
            services.wish(campaign, by=by, percents=percents, gates=[gate], timing=timing)
            db.session.commit()
            rollout = fleet.Rollout(self.app, self.cast, campaign.id)
        with time.frozen(self.now):
            fleet.release(rollout)
        return rollout

    def pass_minutes(
        self, rollout: fleet.Rollout, *, fails: bool = False, dies: str = "", most: int = 300
    ) -> None:
        """Minute by minute, machines call and do what they are told and the portal looks, until it has ended or stands.

        `dies`: a seed by which three of ten machines of each wave fall silent once they have reported success.
        """
        for _ in range(most):
            self.tick(rollout)
            if rollout.state not in ("scheduled", "running", "completing"):
                return
            self.now += timedelta(seconds=60)
            self._call()
            self._work(rollout.id, fails, dies)

    def tick(self, rollout: fleet.Rollout) -> None:
        """The portal's own look at the campaign."""
        with self.app.app_context(), rollout.seen():
            evaluate(rollout.id, at=self.now + timedelta(seconds=2), is_silence_known=True)
            db.session.commit()
        self.ticks += 1

    def _call(self) -> None:
        alive = "UPDATE assets SET last_seen_at = %s WHERE id NOT IN (SELECT asset_id FROM crowd_dead)"
        self.connection.execute(alive, (self.now,))

    def _work(self, campaign_id: int, fails: bool, dies: str) -> None:
        known = {"now": self.now, "campaign": campaign_id}
        if fails:
            taken = self.connection.execute(END_BADLY, known).fetchall()
            self.connection.execute(CLOSE, (self.now, [row[1] for row in taken]))
        else:
            self.connection.execute(END_WELL, known)
        if dies:
            self.connection.execute(DIE, known | {"seed": dies})

    def count(self, rollout: fleet.Rollout, what: str) -> int:
        """How many of its actions fit a condition."""
        asked = f"SELECT count(*) FROM actions WHERE campaign_id = {rollout.id} AND {what}"
        row = self.connection.execute(asked).fetchone()  # type: ignore[call-overload]
        return int(row[0])
