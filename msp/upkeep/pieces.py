"""What the calendar's pages for staff and for clients share: the month that is shown, and one's own secret link."""

from collections.abc import Callable, Collection
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, request, url_for

from msp.upkeep import feeds
from msp.upkeep.calendar import Entry, list_entries
from msp.upkeep.month import beside, month_span, weeks_of
from msp.upkeep.words import KIND_ICONS, KIND_WORDS, title_words
from msp.web.access import actor
from msp.web.months import chosen_month
from tenants.foundation import time
from tenants.foundation.db import db


def month_page(
    tenant_ids: Collection[int],
    time_zone: str,
    address: Callable[..., str],
    link: Callable[[list[Entry]], Callable[[Entry], str]],
    *,
    windows: bool,
) -> dict[str, Any]:
    """What the template of a month needs. `address(month=…)` is the page's own; `link` makes the ways to entries."""
    month, now = chosen_month(time_zone), time.now()
    begin, end = month_span(month, time_zone)
    entries = list_entries(tenant_ids, begin, end, by=actor(), at=now, windows=windows)
    way_to, today = link(entries), now.astimezone(ZoneInfo(time_zone)).date()
    ways = {steps: beside(month, steps) for steps in (-1, 1)}
    return {
        "month": month,
        "weeks": weeks_of(month, entries, time_zone, today),
        "time_zone": time_zone,
        "entry_count": len(entries),
        "way_to": way_to,
        "kind_words": KIND_WORDS,
        "kind_icons": KIND_ICONS,
        "title_of": title_words,
        "before": address(month=f"{ways[-1]:%Y-%m}") if ways[-1] else "",
        "after": address(month=f"{ways[1]:%Y-%m}") if ways[1] else "",
        "today_url": address(),
    }


def answer_link_form(tenant_id: int) -> str | None:
    """Carry out what was asked of one's own link: the new address, shown only this once, or None where it ended."""
    if request.form.get("what") == "end":
        feeds.revoke_feed(tenant_id, by=actor(), at=time.now())
        db.session.commit()
        return None
    token = feeds.issue_feed(tenant_id, by=actor(), at=time.now())
    db.session.commit()
    public_url: str = current_app.extensions["settings"].public_url
    return public_url + url_for("upkeep.show_feed", token=token)
