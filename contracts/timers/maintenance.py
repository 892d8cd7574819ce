"""Planned maintenance of a client: recording it before it begins, ending it earlier, cancelling it.

**A past interval never changes a closed month.** An interval is recorded, shortened and cancelled only before it
begins, and the table itself refuses anything else (its checks compare `from_at` with the moments of recording and of
changing). What a clock said before an interval began does not depend on it, so nothing that was decided before can
come out otherwise. Clocks that run are read anew at once: their due times know what is to come.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, or_, select

from contracts.terms.queries import terms_by_id
from contracts.timers.models import MAINTENANCE_SOURCES, MaintenanceAsset, MaintenanceInterval, TicketTimer
from contracts.timers.planned import leaves_out
from contracts.timers.services import refresh_ticket
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.tickets.models import Ticket

LONGEST_TITLE = 120
LONGEST = timedelta(days=14)
FARTHEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Work:
    """What is planned: the whole client's unless a site or assets are named.

    `source` says who plans it, `source_key` which of their plans: the same one is recorded once.
    """

    title: str
    from_at: datetime
    to_at: datetime
    source: str = "staff"
    source_key: str | None = None
    site_id: int | None = None
    asset_ids: Collection[int] = ()

    @property
    def reach(self) -> str:
        """`assets`, `site`, or `tenant` for the whole client."""
        if self.asset_ids:
            return "assets"
        return "tenant" if self.site_id is None else "site"


def record_maintenance(tenant_id: int, work: Work, *, by: Actor, at: datetime) -> MaintenanceInterval:
    """Record planned maintenance that has not begun yet; a repeat of the same source and key changes nothing.

    Raises Invalid on `title`, `from_at`, `to_at` and `assets`.
    """
    assert work.source in MAINTENANCE_SOURCES
    known = _recorded_before(tenant_id, work)
    if known is not None:
        return known
    _check(work, at)
    interval = MaintenanceInterval(
        tenant_id=tenant_id,
        title=" ".join(work.title.split()),
        source=work.source,
        source_key=work.source_key,
        reach=work.reach,
        site_id=work.site_id if work.reach == "site" else None,
        from_at=work.from_at,
        to_at=work.to_at,
        recorded_at=at,
        recorded_by=by.name[:120],
    )
    db.session.add(interval)
    db.session.flush()
    _keep_assets(interval, work)
    _note("maintenance.recorded", interval, by=by, at=at)
    _follow(interval, by=by, at=at)
    return interval


def _recorded_before(tenant_id: int, work: Work) -> MaintenanceInterval | None:
    if work.source_key is None:
        return None
    same = select(MaintenanceInterval).where(
        MaintenanceInterval.tenant_id == tenant_id,
        MaintenanceInterval.source == work.source,
        MaintenanceInterval.source_key == work.source_key,
    )
    return db.session.scalars(same).one_or_none()


def _check(work: Work, at: datetime) -> None:
    title = " ".join(work.title.split())
    if not 1 <= len(title) <= LONGEST_TITLE or not title.isprintable():
        raise Invalid("title", _l("Write one line of at most 120 characters."))
    if work.from_at < at:
        raise Invalid("from_at", _l("Maintenance is planned before it begins. Choose a time to come."))
    if work.from_at > at + FARTHEST:
        raise Invalid("from_at", _l("Choose a time within the next 400 days."))
    _check_end(work.from_at, work.to_at)


def _check_end(from_at: datetime, to_at: datetime) -> None:
    if to_at <= from_at:
        raise Invalid("to_at", _l("The end comes after the begin."))
    if to_at - from_at > LONGEST:
        raise Invalid("to_at", _l("Planned maintenance lasts at most 14 days."))


def _keep_assets(interval: MaintenanceInterval, work: Work) -> None:
    """Keep which assets it is about; those of a site as they stand there now."""
    if interval.reach == "tenant":
        return
    mine = select(Asset.id).where(Asset.tenant_id == interval.tenant_id)
    chosen = among(Asset.id, work.asset_ids) if work.asset_ids else Asset.site_id == work.site_id
    ids = db.session.scalars(mine.where(chosen)).all()
    if len(ids) < len(set(work.asset_ids)):
        raise Invalid("assets", _l("Choose assets of this client."))
    rows = [{"tenant_id": interval.tenant_id, "interval_id": interval.id, "asset_id": one} for one in ids]
    if rows:
        db.session.execute(insert(MaintenanceAsset), rows)


def cancel_maintenance(interval: MaintenanceInterval, *, by: Actor, at: datetime) -> None:
    """Take back maintenance that has not begun. Raises Conflict for what has, or was taken back before."""
    _hold(interval, at)
    interval.cancelled_at, interval.cancelled_by, interval.changed_at = at, by.name[:120], at
    db.session.flush()
    _note("maintenance.cancelled", interval, by=by, at=at)
    _follow(interval, by=by, at=at)


def shorten_maintenance(interval: MaintenanceInterval, *, to_at: datetime, by: Actor, at: datetime) -> None:
    """Let maintenance that has not begun end earlier. Raises Conflict, and Invalid on `to_at`."""
    _hold(interval, at)
    _check_end(interval.from_at, to_at)
    if to_at > interval.to_at:
        raise Invalid("to_at", _l("Planned maintenance can only be made shorter."))
    interval.to_at, interval.changed_at = to_at, at
    db.session.flush()
    _note("maintenance.shortened", interval, by=by, at=at)
    _follow(interval, by=by, at=at)


def _hold(interval: MaintenanceInterval, at: datetime) -> None:
    mine = select(MaintenanceInterval).where(
        MaintenanceInterval.tenant_id == interval.tenant_id, MaintenanceInterval.id == interval.id
    )
    db.session.execute(mine.with_for_update().execution_options(populate_existing=True)).one()
    if interval.cancelled_at is not None or interval.from_at <= at:
        raise Conflict(_l("This maintenance has begun or was cancelled already. It stays as it is."))


def _note(action: str, interval: MaintenanceInterval, *, by: Actor, at: datetime) -> None:
    audit.record(
        action,
        tenant_id=interval.tenant_id,
        by=by,
        object=f"maintenance:{interval.public_id}",
        at=at,
        detail={
            "title": interval.title,
            "reach": interval.reach,
            "from": interval.from_at.isoformat(),
            "to": interval.to_at.isoformat(),
            "source": interval.source,
        },
    )


def _follow(interval: MaintenanceInterval, *, by: Actor, at: datetime) -> None:
    """Read anew the running clocks that leave this out, so that their due times are right from now on."""
    for ticket in _running(interval):
        refresh_ticket(ticket, as_of=at, by=by)


def _running(interval: MaintenanceInterval) -> Sequence[Ticket]:
    mine = (
        select(Ticket.id, Ticket.contract_version_id)
        .where(
            Ticket.tenant_id == interval.tenant_id,
            Ticket.is_over.is_(False),
            Ticket.contract_version_id.is_not(None),
            Ticket.id.in_(
                select(TicketTimer.ticket_id).where(
                    TicketTimer.tenant_id == interval.tenant_id, TicketTimer.stopped_at.is_(None)
                )
            ),
        )
        .where(*_concerned(interval))
    )
    rows = db.session.execute(mine).all()
    terms = terms_by_id((interval.tenant_id, version or 0) for _id, version in rows)
    ids = [ticket_id for ticket_id, version in rows if leaves_out(terms[interval.tenant_id, version or 0])]
    if not ids:
        return ()
    locked = select(Ticket).where(Ticket.tenant_id == interval.tenant_id, among(Ticket.id, ids))
    return db.session.scalars(locked.order_by(Ticket.id).with_for_update(key_share=True)).all()


def _concerned(interval: MaintenanceInterval) -> tuple[Any, ...]:
    if interval.reach == "tenant":
        return ()
    assets = select(MaintenanceAsset.asset_id).where(
        MaintenanceAsset.tenant_id == interval.tenant_id, MaintenanceAsset.interval_id == interval.id
    )
    if interval.reach == "assets":
        return (Ticket.asset_id.in_(assets),)
    return (or_(Ticket.asset_id.in_(assets), Ticket.site_id == interval.site_id),)


def find_maintenance(public_id: str, *, tenant_id: int) -> MaintenanceInterval:
    """A client's planned maintenance by its public id. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    wanted = select(MaintenanceInterval).where(
        MaintenanceInterval.public_id == key, MaintenanceInterval.tenant_id == tenant_id
    )
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound
    return found


def list_coming(tenant_id: int, now: datetime, *, limit: int = 100) -> Sequence[MaintenanceInterval]:
    """What is under way or to come, the next first, without what was cancelled."""
    mine = _of(tenant_id).where(MaintenanceInterval.to_at > now)
    ordered = mine.order_by(MaintenanceInterval.from_at, MaintenanceInterval.id)
    return db.session.scalars(ordered.limit(limit)).all()


def list_past(tenant_id: int, now: datetime, *, limit: int = 25) -> Sequence[MaintenanceInterval]:
    """What is over, the latest first, without what was cancelled."""
    mine = _of(tenant_id).where(MaintenanceInterval.to_at <= now)
    ordered = mine.order_by(MaintenanceInterval.from_at.desc(), MaintenanceInterval.id.desc())
    return db.session.scalars(ordered.limit(limit)).all()


def _of(tenant_id: int) -> Any:
    return select(MaintenanceInterval).where(
        MaintenanceInterval.tenant_id == tenant_id, MaintenanceInterval.cancelled_at.is_(None)
    )


def names_of_reach(intervals: Sequence[MaintenanceInterval]) -> dict[int, list[str]]:
    """The names of the chosen assets of each interval, by its id; in one statement."""
    ids = [one.id for one in intervals if one.reach == "assets"]
    if not ids:
        return {}
    pairs = (
        select(MaintenanceAsset.interval_id, Asset.name)
        .outerjoin(
            Asset, (Asset.tenant_id == MaintenanceAsset.tenant_id) & (Asset.id == MaintenanceAsset.asset_id)
        )
        .where(MaintenanceAsset.tenant_id == intervals[0].tenant_id, among(MaintenanceAsset.interval_id, ids))
        .order_by(MaintenanceAsset.interval_id, Asset.name)
    )
    named: dict[int, list[str]] = {}
    for interval_id, name in db.session.execute(pairs):
        named.setdefault(interval_id, []).append(name)
    return named
