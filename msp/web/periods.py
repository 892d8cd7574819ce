"""The span of days that figures are about, and the client, as an address says them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import request

from msp.web.formats import zone_of
from tenants.foundation import time
from tenants.tenancy.queries import TenantName, list_tenant_names

USUAL = timedelta(days=90)
LONGEST = timedelta(days=1100)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included; by the reader's clock. `tenant_id` None means all clients."""

    first: date
    last: date
    slug: str
    tenant_id: int | None
    tenants: Sequence[TenantName]

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, datetime.min.time(), zone_of(None))

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), zone_of(None))


def asked_period() -> Period:
    """What the address asks for; days that are none, or the wrong way round, mean the last 90 days."""
    today = time.now().astimezone(zone_of(None)).date()
    first, last = _day("from"), _day("to")
    last = last or today
    first = first or last - USUAL
    if not timedelta() <= last - first <= LONGEST:
        first, last = today - USUAL, today
    tenants = list_tenant_names()
    slug = request.args.get("tenant", "")
    # A client that nobody may see finds nothing.
    chosen = next((one.id for one in tenants if one.slug == slug), -1) if slug else None
    return Period(first, last, slug, chosen, tenants)


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2999 else None
