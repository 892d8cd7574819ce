"""The patch promise of a month: critical releases on a client's machines, within the days promised or not.

A machine belongs to the month in which it was decided: when it showed the release in time, or when its days ran out.
Days count from the release's publication, or from when the machine or the contract began where that is later. Only what
was known by the month's end counts, so gathering it later gives the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select

from contracts.statements.evidence import Period, instant
from contracts.terms.models import Contract
from msp.campaigns.models import Action, Campaign, Release
from tenants.assets.models import Asset
from tenants.foundation.db import db

SUCCESSES = ("success", "noop")
# Attempts that nobody expects anything of any more: the machine left, or another release took this one's place.
DROPPED = ("skipped", "superseded")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An action with what its promise depends on; `known_at` is when its campaign was approved."""

    asset_id: int
    asset: str
    release_id: int
    release: str
    published_at: datetime
    asset_since: datetime
    known_at: datetime
    outcome: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A machine and a release: shown in time, or late; `done_at` None while it was still open at the month's end."""

    asset: str
    release: str
    published_at: datetime
    begun_at: datetime
    due_at: datetime
    decided_at: datetime
    done_at: datetime | None
    is_kept: bool


def gather_patches(contract: Contract, period: Period, days: int) -> dict[str, Any]:
    """The month's figure with every machine behind it, as the statement keeps it."""
    found = decide(_attempts(contract.tenant_id, period), contract_begin(contract), period, days)
    decided = sorted(found, key=lambda one: (one.published_at, one.release, one.asset))
    return {
        "kept": sum(one.is_kept for one in decided),
        "due": len(decided),
        "releases": [
            {
                "release": release,
                "published_at": instant(published_at),
                "machines": [_machine(one) for one in machines],
            }
            for (release, published_at), machines in groupby(decided, attrgetter("release", "published_at"))
        ],
    }


def contract_begin(contract: Contract) -> datetime:
    """The first moment of a contract, in its zone."""
    first = contract.starts_on
    return datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(contract.time_zone))


def _machine(one: Decided) -> dict[str, Any]:
    return {
        "asset": one.asset,
        "from": instant(one.begun_at),
        "due_at": instant(one.due_at),
        "done_at": instant(one.done_at),
        "days": None if one.done_at is None else round((one.done_at - one.begun_at) / DAY, 1),
        "kept": one.is_kept,
    }


def _attempts(tenant_id: int, period: Period) -> Iterator[Attempt]:
    """Every action of critical releases at a client, approved before the month's end; rollbacks promise nothing."""
    columns = (
        Action.asset_id,
        Asset.name,
        Action.release_id,
        Release.name,
        Release.version,
        func.coalesce(Release.published_at, Release.created_at),
        Asset.created_at,
        func.coalesce(Campaign.decided_at, Campaign.created_at),
        Action.outcome,
        func.coalesce(Action.verified_at, Action.closed_at),
    )
    asked = (
        select(*columns)
        .select_from(Action)
        .outerjoin(Release, Release.id == Action.release_id)
        .outerjoin(Campaign, Campaign.id == Action.campaign_id)
        .outerjoin(Asset, and_(Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id))
        .where(
            Action.tenant_id == tenant_id,
            Release.severity == "critical",
            Campaign.kind == "rollout",
            func.coalesce(Campaign.decided_at, Campaign.created_at) < period.end,
        )
        .order_by(Action.asset_id, Action.release_id, Action.id)
    )
    for asset_id, asset, release_id, name, version, *rest in db.session.execute(asked):
        yield Attempt(asset_id, asset, release_id, f"{name}/{version}", *rest)


def decide(attempts: Iterable[Attempt], begin: datetime, period: Period, days: int) -> Iterator[Decided]:
    """Yield each machine and release that was decided in the month. Pure; attempts come by machine and release."""
    for _pair, group in groupby(attempts, attrgetter("asset_id", "release_id")):
        found = _decided(list(group), begin, period, timedelta(days=days))
        if found is not None and period.begin <= found.decided_at < period.end:
            yield found


def _decided(group: list[Attempt], begin: datetime, period: Period, allowed: timedelta) -> Decided | None:
    first = group[0]
    begun_at = max(first.published_at, first.asset_since, begin)
    due_at = begun_at + allowed
    expected = [one for one in group if not _is_dropped(one, due_at)]
    done_at = min(_done(group, period), default=None)
    is_kept = done_at is not None and done_at <= due_at
    if not expected or (not is_kept and due_at >= period.end):
        return None
    known_at = min(one.known_at for one in expected)
    decided_at = done_at if is_kept and done_at else due_at
    return Decided(
        first.asset,
        first.release,
        first.published_at,
        begun_at,
        due_at,
        max(decided_at, known_at),
        done_at,
        is_kept,
    )


def _done(group: Iterable[Attempt], period: Period) -> Iterator[datetime]:
    for one in group:
        if one.outcome in SUCCESSES and one.done_at is not None and one.done_at < period.end:
            yield one.done_at


def _is_dropped(one: Attempt, due_at: datetime) -> bool:
    """Whether nobody expected it any more before its days ran out."""
    return one.outcome in DROPPED and one.done_at is not None and one.done_at <= max(due_at, one.known_at)
