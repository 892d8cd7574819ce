"""The windows and freezes of clients: their own, those of the terms in force, and the provider's freezes."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from contracts.terms.document import read_promise
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.promise import Promise
from msp.windows.models import Freeze, MaintenanceWindow, ProviderFreeze
from msp.windows.rules import Recurring, frozen_days, room
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.foundation.spans import Span, merged

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MIDNIGHT = 1_440


@dataclass(slots=True)
class Agreed:
    """What a client and its provider have agreed on: windows, and freezes as spans."""

    windows: list[Recurring] = field(default_factory=list)
    freezes: list[Span] = field(default_factory=list)

    def room(self, begin: datetime, end: datetime) -> list[Span]:
        """When changes may be made within `[begin, end)`."""
        return room(self.windows, self.freezes, begin, end)

    def freeze_at(self, at: datetime) -> Span | None:
        """The freeze in which a moment lies."""
        return next((one for one in merged(self.freezes) if one[0] <= at < one[1]), None)


def agreed_by(tenant_ids: Collection[int], at: datetime) -> dict[int, Agreed]:
    """What each of these tenants has agreed on for the time from `at` on, in four statements for any number of them."""
    found: dict[int, Agreed] = {tenant_id: Agreed() for tenant_id in tenant_ids}
    everywhere = [(one.begins_at, one.ends_at) for one in list_told_freezes(at)]
    for agreed in found.values():
        agreed.freezes += everywhere
    for window in db.session.scalars(_live_windows().where(among(MaintenanceWindow.tenant_id, tenant_ids))):
        found[window.tenant_id].windows.append(recurring(window))
    for freeze in db.session.scalars(_live_freezes(at).where(among(Freeze.tenant_id, tenant_ids))):
        found[freeze.tenant_id].freezes.append((freeze.begins_at, freeze.ends_at))
    for tenant_id, zone, promises in _promises(tenant_ids, at):
        for promise in promises:
            found[tenant_id].windows += weekly_windows(promise, zone)
            found[tenant_id].freezes += [
                frozen_days(one.first_on, one.last_on, zone) for one in promise.freezes
            ]
    return found


def recurring(window: MaintenanceWindow) -> Recurring:
    """A stored window as the rules take it."""
    hour, minute = window.starts_at.split(":")
    begins = time(int(hour), int(minute))
    return Recurring(window.rule, window.first_on, begins, window.minutes, window.time_zone)


def weekly_windows(promise: Promise, time_zone: str) -> Iterator[Recurring]:
    """The windows that terms name by weekday."""
    for one in promise.windows:
        opens, closes = one.hours.span
        rule = f"FREQ=WEEKLY;BYDAY={WEEKDAYS[one.weekday]}"
        # A Monday long before any contract, so that every week is counted.
        first_on = datetime(2001, 1, 1, tzinfo=ZoneInfo(time_zone)).date()
        yield Recurring(rule, first_on, time(opens // 60, opens % 60), closes - opens, time_zone)


def list_promises(tenant_ids: Collection[int], at: datetime) -> list[tuple[int, str, Promise]]:
    """Tenant, zone and promise of the contract terms in force: their windows and freezes count too, read-only here."""
    return [(one, zone, promise) for one, zone, found in _promises(tenant_ids, at) for promise in found]


def _promises(tenant_ids: Collection[int], at: datetime) -> Iterator[tuple[int, str, list[Promise]]]:
    """Each tenant's promise in force, of the contract that measures its tickets."""
    today = func.timezone(Contract.time_zone, at)
    asked = (
        select(ContractVersion.tenant_id, Contract.time_zone, ContractVersion.terms)
        .join(
            Contract,
            and_(Contract.tenant_id == ContractVersion.tenant_id, Contract.id == ContractVersion.contract_id),
        )
        .where(
            among(ContractVersion.tenant_id, tenant_ids),
            ContractVersion.in_force_from <= at,
            or_(Contract.ends_on.is_(None), Contract.ends_on >= func.date(today)),
        )
        .ext(distinct_on(ContractVersion.tenant_id))
        .order_by(ContractVersion.tenant_id, ContractVersion.in_force_from.desc(), ContractVersion.id.desc())
    )
    by_tenant: dict[tuple[int, str], list[Promise]] = defaultdict(list)
    for tenant_id, zone, terms in db.session.execute(asked):
        by_tenant[tenant_id, zone].append(read_promise(terms))
    for (tenant_id, zone), promises in by_tenant.items():
        yield tenant_id, zone, promises


def _live_windows() -> Select[MaintenanceWindow]:
    return (
        select(MaintenanceWindow).where(MaintenanceWindow.ended_at.is_(None)).order_by(MaintenanceWindow.id)
    )


def _live_freezes(at: datetime) -> Select[Freeze]:
    return select(Freeze).where(Freeze.lifted_at.is_(None), Freeze.ends_at > at).order_by(Freeze.begins_at)


def list_windows(tenant_id: int) -> list[MaintenanceWindow]:
    """A client's own windows."""
    return list(db.session.scalars(_live_windows().where(MaintenanceWindow.tenant_id == tenant_id)))


def list_freezes(tenant_id: int, at: datetime) -> list[Freeze]:
    """A client's freezes that are not over."""
    return list(db.session.scalars(_live_freezes(at).where(Freeze.tenant_id == tenant_id)))


def list_provider_freezes(at: datetime) -> list[ProviderFreeze]:
    """Freezes of all clients that are not over."""
    live = select(ProviderFreeze).where(ProviderFreeze.lifted_at.is_(None), ProviderFreeze.ends_at > at)
    return list(db.session.scalars(live.order_by(ProviderFreeze.begins_at)))


@dataclass(frozen=True, slots=True)
class ToldFreeze:
    """What clients too may read of a freeze of all clients."""

    public_id: uuid.UUID
    name: str
    begins_at: datetime
    ends_at: datetime
    created_at: datetime


def list_told_freezes(at: datetime) -> list[ToldFreeze]:
    """Freezes of all clients that are not over, as everybody may know them."""
    told = (
        select(
            ProviderFreeze.public_id,
            ProviderFreeze.name,
            ProviderFreeze.begins_at,
            ProviderFreeze.ends_at,
            ProviderFreeze.created_at,
        )
        .where(ProviderFreeze.lifted_at.is_(None), ProviderFreeze.ends_at > at)
        .order_by(ProviderFreeze.begins_at, ProviderFreeze.public_id)
    )
    return [ToldFreeze(*row) for row in db.session.execute(told)]


def is_frozen_everywhere(at: datetime) -> bool:
    """Whether a freeze of all clients is in force."""
    live = select(ProviderFreeze.id).where(
        ProviderFreeze.lifted_at.is_(None), ProviderFreeze.begins_at <= at, ProviderFreeze.ends_at > at
    )
    return db.session.scalar(live.limit(1)) is not None


def find_window(public_id: str) -> MaintenanceWindow:
    """A live window by its public id. Raises NotFound."""
    found = db.session.scalar(_live_windows().where(MaintenanceWindow.public_id == _uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def find_freeze(public_id: str) -> Freeze:
    """A client's freeze that was not lifted. Raises NotFound."""
    live = select(Freeze).where(Freeze.public_id == _uuid(public_id), Freeze.lifted_at.is_(None))
    found = db.session.scalar(live)
    if found is None:
        raise NotFound
    return found


def find_provider_freeze(public_id: str) -> ProviderFreeze:
    """A freeze of all clients that was not lifted. Raises NotFound."""
    live = select(ProviderFreeze).where(
        ProviderFreeze.public_id == _uuid(public_id), ProviderFreeze.lifted_at.is_(None)
    )
    found = db.session.scalar(live)
    if found is None:
        raise NotFound
    return found


def _uuid(public_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
