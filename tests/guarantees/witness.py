"""Who sees every offer in the very transaction that makes it: a trigger of the tests, beside its own checks."""

from typing import Any

import psycopg

RESERVE_SECONDS = 30
WITNESS = f"""
CREATE TABLE witness (action_id bigint NOT NULL, kind text NOT NULL, wrong text NOT NULL);
CREATE FUNCTION watch_offers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  is_offer boolean := NEW.phase = 'offered' AND OLD.phase = 'eligible';
  is_fetch boolean := NEW.phase = 'offered' AND OLD.retrieved_at IS NULL AND NEW.retrieved_at IS NOT NULL;
  moment timestamptz := coalesce(NEW.retrieved_at, NEW.offered_at);
  until timestamptz := coalesce(NEW.retrieved_at, NEW.offered_at) + interval '{RESERVE_SECONDS} seconds';
BEGIN
  IF NOT (is_offer OR is_fetch) THEN RETURN NULL; END IF;
  INSERT INTO witness SELECT NEW.id, CASE WHEN is_offer THEN 'offer' ELSE 'fetch' END, concat_ws(', ',
    CASE WHEN campaigns.state <> 'running' THEN 'campaign ' || campaigns.state END,
    CASE WHEN wave_lanes.state <> 'open' THEN 'lane ' || wave_lanes.state END,
    CASE WHEN consent NOT IN ('consented', 'not_needed') THEN 'consent ' || consent END,
    CASE WHEN EXISTS (SELECT FROM freezes f WHERE f.tenant_id = NEW.tenant_id AND f.lifted_at IS NULL
      AND f.begins_at < until AND f.ends_at > moment) THEN 'freeze' END,
    CASE WHEN EXISTS (SELECT FROM maintenance_windows w WHERE w.tenant_id = NEW.tenant_id AND w.ended_at IS NULL)
      AND NOT EXISTS (SELECT FROM maintenance_windows w,
        LATERAL (SELECT date_trunc('day', moment, 'UTC') + w.starts_at::time + d * interval '1 day' AS opens
          FROM generate_series(-1, 0) d) one
        WHERE w.tenant_id = NEW.tenant_id AND w.ended_at IS NULL
        AND one.opens <= moment AND until <= one.opens + w.minutes * interval '1 minute')
      THEN 'window' END)
    FROM campaigns JOIN wave_lanes ON wave_lanes.id = NEW.lane_id
    JOIN campaign_tenants p ON p.campaign_id = campaigns.id AND p.tenant_id = NEW.tenant_id
    WHERE campaigns.id = NEW.campaign_id;
  RETURN NULL;
END $$;
CREATE TRIGGER watch_offers AFTER UPDATE ON actions FOR EACH ROW EXECUTE FUNCTION watch_offers();
"""


def install(connection: "psycopg.Connection[Any]") -> None:
    """From now on every offer and every first fetch is written down. Windows are daily ones in UTC."""
    connection.execute(WITNESS)  # type: ignore[call-overload]


def report(connection: "psycopg.Connection[Any]") -> tuple[dict[str, int], list[str]]:
    """How many offers and fetches were seen, and what was wrong with any."""
    seen = connection.execute("SELECT kind, count(*) FROM witness GROUP BY 1 ORDER BY 1").fetchall()
    wrong = connection.execute(
        "SELECT DISTINCT kind || ': ' || wrong FROM witness WHERE wrong <> ''"
    ).fetchall()
    return dict(seen), [row[0] for row in wrong]
