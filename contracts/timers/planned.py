"""Finding the planned maintenance that a ticket's clocks have to do with."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import func, or_, select

from contracts.clock.history import ClockKind, Terms
from contracts.clock.maintenance import Planned
from contracts.timers.models import MaintenanceAsset, MaintenanceInterval
from tenants.foundation.db import among, db

Key = tuple[int, int]


class About(Protocol):
    """What a ticket is about, as rows and columns both have it."""

    @property
    def id(self) -> int: ...
    @property
    def asset_id(self) -> int | None: ...
    @property
    def site_id(self) -> int | None: ...
    @property
    def opened_at(self) -> datetime: ...


class Found(NamedTuple):
    """An interval with those of the asked assets that it is about."""

    planned: Planned
    tenant_id: int
    reach: str
    site_id: int | None
    assets: frozenset[int]

    def concerns(self, tenant_id: int, ticket: About) -> bool:
        """Whether a ticket's clocks have to do with it."""
        if tenant_id != self.tenant_id or ticket.opened_at >= self.planned.to_at:
            return False
        if self.reach == "tenant" or (ticket.asset_id is not None and ticket.asset_id in self.assets):
            return True
        return self.reach == "site" and ticket.site_id is not None and ticket.site_id == self.site_id


def leaves_out(terms: Terms | None) -> bool:
    """Whether terms take planned maintenance from any clock: else what is stored does not depend on it."""
    return terms is not None and any(terms.of(kind).maintenance.is_excluded for kind in ClockKind)


def planned_for(tenant_id: int, tickets: Sequence[About]) -> Mapping[int, Sequence[Planned]]:
    """The maintenance that concerns each of a client's tickets, by the ticket's id; one statement."""
    found = list_planned_for([(tenant_id, one) for one in tickets])
    return {ticket_id: planned for (_tenant, ticket_id), planned in found.items()}


def list_planned_for(tickets: Iterable[tuple[int, About]]) -> dict[Key, Sequence[Planned]]:
    """The maintenance that concerns each of these tickets, by `(tenant_id, id)`; at most one statement."""
    wanted = list(tickets)
    if not wanted:
        return {}
    since = min(one.opened_at for _tenant, one in wanted)
    assets = {one.asset_id for _tenant, one in wanted if one.asset_id is not None}
    found = _intervals({tenant for tenant, _one in wanted}, assets, since)
    mine = {
        (tenant, one.id): [each.planned for each in found if each.concerns(tenant, one)]
        for tenant, one in wanted
    }
    return {key: planned for key, planned in mine.items() if planned}


def _intervals(tenants: Iterable[int], assets: Iterable[int], since: datetime) -> Sequence[Found]:
    about = (
        select(func.array_agg(MaintenanceAsset.asset_id))
        .where(
            MaintenanceAsset.tenant_id == MaintenanceInterval.tenant_id,
            MaintenanceAsset.interval_id == MaintenanceInterval.id,
            among(MaintenanceAsset.asset_id, assets),
        )
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        MaintenanceInterval.tenant_id,
        MaintenanceInterval.from_at,
        MaintenanceInterval.to_at,
        MaintenanceInterval.title,
        MaintenanceInterval.reach,
        MaintenanceInterval.site_id,
        about,
    )
    asked = select(*columns).where(
        among(MaintenanceInterval.tenant_id, tenants),
        MaintenanceInterval.to_at > since,
        MaintenanceInterval.cancelled_at.is_(None),
        or_(MaintenanceInterval.reach != "assets", about.is_not(None)),
    )
    rows = db.session.execute(asked.order_by(MaintenanceInterval.from_at, MaintenanceInterval.id))
    return [
        Found(Planned(begin, end, title), tenant, reach, site, frozenset(ids or ()))
        for tenant, begin, end, title, reach, site, ids in rows
    ]
