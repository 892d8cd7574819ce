"""Choosing a month on pages of figures: `?month=2026-11`."""

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from tenants.foundation import time
from tenants.foundation.errors import Invalid

OFFERED = 12
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


def month_links(time_zone: str, endpoint: str, **values: Any) -> list[tuple[date, str]]:
    """The last twelve months of a zone with their addresses, the present one first."""
    day = time.now().astimezone(ZoneInfo(time_zone)).date().replace(day=1)
    links = []
    for _number in range(OFFERED):
        links.append((day, url_for(endpoint, month=f"{day:%Y-%m}", **values)))
        day = date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
    return links
