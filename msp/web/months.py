"""Choosing a month on pages of figures: `?month=2026-11`."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from tenants.foundation import time
from tenants.foundation.errors import Invalid

OFFERED = 12
FIRST = date(2000, 1, 1)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


def chosen_month(time_zone: str) -> date:
    """The month asked for, by default the present one of the zone; its first day. Raises Invalid."""
    typed = request.args.get("month")
    if not typed:
        return time.now().astimezone(ZoneInfo(time_zone)).date().replace(day=1)
    return read_month(typed)


def read_month(typed: str) -> date:
    """The first day of a month typed as `2026-11`. Raises Invalid on `month`."""
    found = _MONTH.fullmatch(typed)
    if found is None:
        raise Invalid("month", _l("Choose a month from the list."))
    return date(int(found.group(1)), int(found.group(2)), 1)


@dataclass(frozen=True)
class Months:
    """What `ui.months` draws: the chosen month, its neighbours' addresses ("" where there is none), the last twelve."""

    month: date
    links: list[tuple[date, str]]
    before: str
    after: str
    address: str
    first: date
    last: date


def month_links(month: date, time_zone: str, endpoint: str, **values: Any) -> Months:
    """The ways from a month to any other up to the zone's present one; `values` are the endpoint's own."""
    last = time.now().astimezone(ZoneInfo(time_zone)).date().replace(day=1)

    def address(day: date) -> str:
        return url_for(endpoint, month=f"{day:%Y-%m}", **values)

    offered = [_months_before(last, number) for number in range(OFFERED)]
    return Months(
        month=month,
        links=[(day, address(day)) for day in offered],
        before=address(_months_before(month, 1)) if month > FIRST else "",
        after=address(_months_before(month, -1)) if month < last else "",
        address=url_for(endpoint, **values),
        first=FIRST,
        last=last,
    )


def _months_before(day: date, count: int) -> date:
    number = day.year * 12 + day.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
