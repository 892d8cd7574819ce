"""Whose turn it is: actions become ready within the limits, and stop being ready when their window has no room."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONPATH

from msp.campaigns.models import Action
from msp.campaigns.pacing import SERVICE, Candidate, Limits, UnderWay, choose
from msp.campaigns.phases import OPEN
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.foundation.db import among, db
from tenants.foundation.scope import narrowed

BATCH = 2_000
# A machine that does not call gives its turn to another one after this time, and waits as long for the next.
TURN = timedelta(minutes=15)
_PART_OF_A_SERVICE = f'$[*] ? (@ starts with "{SERVICE}")'


def give_turns(
    campaign_id: int,
    roomy: Collection[int],
    limits: Limits,
    at: datetime,
    *,
    without: Collection[int],
    successes: int,
    silent_since: datetime | None,
) -> int:
    """Make actions of lanes that have room ready, within the limits; returns how many became so.

    `without`: lanes that have none, in which something may be ready still, or offered and not fetched.
    `silent_since`: assets not heard of since then are unavailable; None while that cannot be told.
    """
    if without:
        _take_turns_back(campaign_id, without)
    if not limits.is_none:
        _end_turns(campaign_id, at)
    if not roomy:
        return 0
    given = _ready_freely(roomy, at) if limits.is_none else 0
    waiting = _list_candidates(roomy, at, services_only=limits.is_none)
    if not waiting:
        return given
    under_way = _under_way(campaign_id)
    if any(one.services for one in waiting):
        under_way.unavailable = _unavailable({one.tenant_id for one in waiting}, silent_since)
    chosen = choose(waiting, under_way, limits, successes=successes)
    return given + (_ready([one.action_id for one in chosen], at) if chosen else 0)


def _of(campaign_id: int, phase: str) -> Any:
    return and_(Action.campaign_id == campaign_id, among(Action.tenant_id, narrowed()), Action.phase == phase)


def _take_turns_back(campaign_id: int, without: Collection[int]) -> None:
    """Where there is no room any more, nothing is ready, and what nobody fetched is no longer offered."""
    ready = _of(campaign_id, "eligible") & Action.ready_at.is_not(None)
    write(update(Action).where(ready, among(Action.lane_id, without)).values(ready_at=None))
    unfetched = _of(campaign_id, "offered") & Action.retrieved_at.is_(None)
    write(
        update(Action)
        .where(unfetched, among(Action.lane_id, without))
        .values(phase="eligible", offered_at=None, ready_at=None, rev=Action.rev + 1)
    )


def _end_turns(campaign_id: int, at: datetime) -> None:
    """Machines that have not called in their turn wait for another one."""
    waited = _of(campaign_id, "eligible") & (Action.ready_at <= at - TURN)
    write(update(Action).where(waited).values(ready_at=None, not_before=at + TURN))


def _waiting(roomy: Collection[int], at: datetime) -> Any:
    return and_(
        among(Action.tenant_id, narrowed()),
        among(Action.lane_id, roomy),
        Action.phase == "eligible",
        Action.ready_at.is_(None),
        or_(Action.not_before.is_(None), Action.not_before <= at),
    )


def _in_service() -> Any:
    return func.jsonb_path_exists(Asset.tags, cast(_PART_OF_A_SERVICE, JSONPATH))


def _ready_freely(roomy: Collection[int], at: datetime) -> int:
    """Without limits, every asset that is not part of a service."""
    own = (Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id)
    shared = exists().where(*own, _in_service()).correlate(Action)
    return write(update(Action).where(_waiting(roomy, at), ~shared).values(ready_at=at, rev=Action.rev + 1))


def _ready(action_ids: Collection[int], at: datetime) -> int:
    mine = and_(
        among(Action.tenant_id, narrowed()),
        among(Action.id, action_ids),
        Action.phase == "eligible",
        Action.ready_at.is_(None),
    )
    return write(update(Action).where(mine).values(ready_at=at, rev=Action.rev + 1))


def _list_candidates(roomy: Collection[int], at: datetime, *, services_only: bool) -> list[Candidate]:
    asked = (
        select(Action.id, Action.tenant_id, Action.asset_id, Asset.site_id, Asset.tags)
        .join(Asset, and_(Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id))
        .where(_waiting(roomy, at))
        .order_by(Action.not_before.asc().nulls_first(), Action.id)
        .limit(BATCH)
    )
    if services_only:
        asked = asked.where(_in_service())
    return [
        Candidate(action_id, tenant_id, asset_id, site_id, tuple(tags))
        for action_id, tenant_id, asset_id, site_id, tags in db.session.execute(asked)
    ]


def _busy() -> Any:
    return or_(Action.phase.in_(OPEN), and_(Action.phase == "eligible", Action.ready_at.is_not(None)))


def _under_way(campaign_id: int) -> UnderWay:
    grouped = (
        select(Action.tenant_id, Asset.site_id, func.count())
        .join(Asset, and_(Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id))
        .where(Action.campaign_id == campaign_id, among(Action.tenant_id, narrowed()), _busy())
        .group_by(Action.tenant_id, Asset.site_id)
    )
    found = UnderWay()
    for tenant_id, site_id, count in db.session.execute(grouped):
        found.total += count
        found.by_tenant[tenant_id] += count
        found.by_site[tenant_id, site_id or 0] += count
    return found


def _unavailable(
    tenant_ids: Collection[int], silent_since: datetime | None
) -> dict[tuple[int, str], set[int]]:
    """The unavailable assets of each service: at work in any campaign, about to be, or silent."""
    _hold_services(tenant_ids)
    at_work = exists().where(Action.tenant_id == Asset.tenant_id, Action.asset_id == Asset.id, _busy())
    gone: list[Any] = [at_work.correlate(Asset)]
    if silent_since is not None:
        gone.append(Asset.last_seen_at < silent_since)
    asked = select(Asset.tenant_id, Asset.id, Asset.tags).where(
        among(Asset.tenant_id, tenant_ids), Asset.state == "active", _in_service(), or_(*gone)
    )
    found: dict[tuple[int, str], set[int]] = {}
    for tenant_id, asset_id, tags in db.session.execute(asked):
        for service in Candidate(0, tenant_id, asset_id, None, tuple(tags)).services:
            found.setdefault(service, set()).add(asset_id)
    return found


def _hold_services(tenant_ids: Iterable[int]) -> None:
    """Two campaigns must not take one half of a service each: they take turns at looking."""
    for tenant_id in sorted(tenant_ids):
        db.session.execute(select(func.pg_advisory_xact_lock(7_340_031, tenant_id)))
