"""Where it burns: what is open, due, missed, waiting, silent and rolling out, client by client."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from msp.campaigns.models import WaveLane
from tenants.assets.queries import count_silent
from tenants.foundation.db import db
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import list_all_tenants
from tenants.tickets.models import Ticket

SOON = timedelta(hours=1)
# The first of these that a client's lanes are in is what its line says.
LANE_ORDER = ("failed", "inconclusive", "open", "soaking", "waiting")


@dataclass(frozen=True, slots=True)
class Line:
    """One client's line: numbers of tickets and assets, and the campaign that asks for attention most."""

    tenant: Tenant
    open: int = 0
    due_soon: int = 0
    missed: int = 0
    waiting: int = 0
    silent: int = 0
    lane: WaveLane | None = None

    @property
    def heat(self) -> tuple[int, int, int, str]:
        """What sorts the lines: missed first, then what runs out within the hour, then silence, then the name."""
        return -self.missed, -self.due_soon, -self.silent, self.tenant.name


def list_lines(at: datetime) -> list[Line]:
    """A line per client in scope, the hottest first: four statements, however many clients and tickets."""
    counts, silent, lanes = _count_tickets(at), count_silent(at), _lanes()
    lines = [
        Line(tenant, *counts.get(tenant.id, (0, 0, 0, 0)), silent.get(tenant.id, 0), lanes.get(tenant.id))
        for tenant in list_all_tenants()
    ]
    return sorted(lines, key=lambda line: line.heat)


def _count_tickets(at: datetime) -> dict[int, tuple[int, int, int, int]]:
    """Open tickets per client: all, due within the hour, past their time, and waiting."""
    running = Ticket.sla_paused_since.is_(None)
    counted = (
        select(
            Ticket.tenant_id,
            func.count(),
            func.count().filter(and_(running, Ticket.next_due_at >= at, Ticket.next_due_at < at + SOON)),
            func.count().filter(and_(running, Ticket.next_due_at < at)),
            func.count().filter(Ticket.state == "waiting"),
        )
        .where(Ticket.is_open)
        .group_by(Ticket.tenant_id)
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in db.session.execute(counted)}


def _lanes() -> dict[int, WaveLane]:
    lanes = db.session.scalars(
        select(WaveLane)
        .where(WaveLane.state.in_(LANE_ORDER), WaveLane.is_waived.is_(False))
        .order_by(WaveLane.id.desc())
    )
    return _foremost(lanes)


def _foremost(lanes: Iterable[WaveLane]) -> dict[int, WaveLane]:
    """The lane to show for each client: the most pressing state, the newest among equals."""
    found: dict[int, WaveLane] = {}
    for lane in sorted(lanes, key=lambda one: LANE_ORDER.index(one.state)):
        found.setdefault(lane.tenant_id, lane)
    return found
