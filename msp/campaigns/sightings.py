"""Who has called lately: noted in Redis at each call, written to the assets in one statement every few seconds.

A poll then writes no row. Losing Redis costs at most one flush of sightings; while it is down, an asset's row is
written directly, at most every 30 seconds.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from flask import current_app
from redis.exceptions import RedisError
from sqlalchemy import ARRAY, BigInteger, DateTime, cast, column, func, or_, update

from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter

SEEN, FLUSHED = "agents:seen", "agents:flushed"
FLUSH_SECONDS = 10
MARK_SECONDS = 90
STEP = timedelta(seconds=30)
TRY_REDIS_AGAIN_SECONDS = 5.0


def note_sighting(tenant_id: int, asset_id: int, at: datetime) -> None:
    """Note that the asset has called; in the scope of its agent."""
    redis, down = current_app.extensions["redis"], current_app.extensions.setdefault("sightings", {})
    if monotonic() >= down.get("until", 0.0):
        try:
            redis.hset(SEEN, f"{tenant_id}:{asset_id}", int(at.timestamp() * 1000))
            return
        except RedisError:
            down["until"] = monotonic() + TRY_REDIS_AGAIN_SECONDS
    _write_directly(tenant_id, asset_id, at)


def _write_directly(tenant_id: int, asset_id: int, at: datetime) -> None:
    stale = or_(Asset.last_seen_at.is_(None), Asset.last_seen_at < at - STEP)
    db.session.execute(
        update(Asset)
        .where(Asset.tenant_id == tenant_id, Asset.id == asset_id, stale)
        .values(last_seen_at=at)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def flush_sightings() -> int:
    """Write what was noted since the last flush; returns how many assets. Safe in two sweepers at once."""
    redis, at = current_app.extensions["redis"], time.now()
    with redis.pipeline(transaction=True) as pipe:
        noted, _ = pipe.hgetall(SEEN).delete(SEEN).execute()
    seen = [one for one in (_read(key, value, at) for key, value in noted.items()) if one is not None]
    if seen:
        _write(seen)
        redis.set(FLUSHED, int(at.timestamp()), ex=MARK_SECONDS)
    return len(seen)


def is_silence_known(at: datetime) -> bool:
    """Whether sightings have been flushed lately: without that, silence says nothing about an asset."""
    try:
        return current_app.extensions["redis"].get(FLUSHED) is not None
    except RedisError:
        return False


def _read(key: bytes, value: bytes, at: datetime) -> tuple[int, int, datetime] | None:
    """One note; whoever writes to Redis can at most invent a sighting of the past."""
    try:
        tenant, _, asset = key.decode().partition(":")
        when = datetime.fromtimestamp(int(value) / 1000, UTC)
        return int(tenant), int(asset), min(when, at)
    except (ValueError, OverflowError):
        return None


def _write(seen: list[tuple[int, int, datetime]]) -> None:
    kinds: tuple[Any, ...] = (BigInteger, BigInteger, DateTime(timezone=True))
    arrays = [cast([one[place] for one in seen], ARRAY(kind)) for place, kind in enumerate(kinds)]
    names = (column("tenant_id", kinds[0]), column("asset_id", kinds[1]), column("at", kinds[2]))
    given = func.unnest(*arrays).table_valued(*names, name="given").render_derived()
    with enter(Scope(Role.WORKER, frozenset(one[0] for one in seen))):
        db.session.execute(
            update(Asset)
            .where(Asset.tenant_id == given.c.tenant_id, Asset.id == given.c.asset_id)
            .where(or_(Asset.last_seen_at.is_(None), Asset.last_seen_at < given.c.at))
            .values(last_seen_at=given.c.at)
            .execution_options(synchronize_session=False)
        )
        db.session.commit()
