"""What the address of a page of figures asks for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import request

from msp.figures.resolved import By
from msp.staff.figures import QUIET
from msp.web.periods import Period, asked_period

OFFERED_DAYS = (7, 14, 30)
Address = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A table: what its lines stand for, the days and the client, and for how long a solution has to hold."""

    by: By
    period: Period
    quiet: timedelta

    def address(self, **more: Any) -> Address:
        """The same as arguments of an address, with some more."""
        return {"by": self.by.value, **place_of(self.period), "days": self.quiet.days, **more}


def place_of(period: Period) -> Address:
    """The days and the client as arguments of an address."""
    found: Address = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    return {**found, "tenant": period.slug} if period.slug else found


def asked_table() -> Asked:
    """What the request asks for; words that are not known mean technicians, and 14 days."""
    days, by = request.args.get("days", ""), request.args.get("by", "")
    quiet = timedelta(days=int(days)) if days in map(str, OFFERED_DAYS) else QUIET
    return Asked(By(by) if by in tuple(By) else By.TECHNICIAN, asked_period(), quiet)
