"""The calendar for staff, over all clients they are granted, and the feed that a secret link leads to."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Response, current_app, g, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from msp.upkeep import feeds
from msp.upkeep.blueprint import bp
from msp.upkeep.calendar import Entry, list_entries
from msp.upkeep.ical import MEDIA_TYPE, write_calendar
from msp.upkeep.pieces import answer_link_form, month_page
from msp.upkeep.queries import campaigns_of
from msp.web.access import actor, credential, require
from msp.web.languages import choose_time_zone
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Scope, enter, gate
from tenants.people.limits import source_of, take_at_once
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, list_tenant_names

BACK = timedelta(days=31)
AHEAD = timedelta(days=180)
READS = "60/hour"


@bp.get("/console/calendar")
@require(Permission.VIEW_CAMPAIGNS)
def show_calendar() -> Any:
    """A month of all clients one is granted, or of one of them with its windows too."""
    tenant = find_tenant(request.args["tenant"]) if request.args.get("tenant") else None
    return _page(tenant)


@bp.post("/console/calendar/link/<slug>")
@require(Permission.VIEW_CAMPAIGNS)
def set_link(slug: str) -> Any:
    """Make, replace or end one's own secret link to a client's calendar."""
    tenant = find_tenant(slug)
    return _page(tenant, answer_link_form(tenant.id))


def _page(tenant: Tenant | None, secret: str | None = None) -> str:
    names = {one.id: one for one in list_tenant_names()}
    chosen: dict[str, Any] = {"tenant": tenant.slug} if tenant else {}
    found = month_page(
        [tenant.id] if tenant else sorted(actor().tenants),
        tenant.time_zone if tenant else choose_time_zone(),
        partial(url_for, "upkeep.show_calendar", **chosen),
        lambda entries: _ways(entries, {one.id: one.slug for one in names.values()}),
        windows=tenant is not None,
    )
    return render_template(
        "upkeep/show_calendar.html",
        **found,
        names=names,
        clients=[(one.slug, one.name) for one in names.values()],
        tenant=tenant,
        feed=feeds.find_feed(tenant.id, by=actor()) if tenant else None,
        secret=secret,
    )


def _ways(entries: list[Entry], slugs: dict[int, str]) -> Callable[[Entry], str]:
    """From each entry to its page for staff."""
    campaigns = campaigns_of([one.place for one in entries if one.kind == "campaign"])

    def way_to(entry: Entry) -> str:
        if entry.kind == "campaign":
            return url_for("campaigns.show_campaign", campaign=campaigns[entry.place])
        if entry.kind in ("upkeep", "visit"):
            return _way_to_upkeep(entry)
        if entry.tenant_id is None:
            return url_for("console.list_provider_freezes")
        return url_for("console.list_windows", slug=slugs[entry.tenant_id])

    return way_to


def _way_to_upkeep(entry: Entry) -> str:
    if entry.state == "planned":
        return url_for("upkeep.show_plan", plan=entry.place)
    return url_for("desk.show_ticket", code=entry.place) if entry.place else ""


@bp.get("/calendar/<token>.ics")
@limiter.limit(READS, key_func=lambda: f"calendar:{g.feed_reader.scope.user_id}:{g.feed_reader.tenant_id}")
@credential("calendar")
def show_feed(token: str) -> Response:
    """One client's calendar as one person may see it, for programs that show calendars."""
    reader: feeds.Reader = g.feed_reader
    now, provider = time.now(), current_app.extensions["settings"]
    entries = list_entries([reader.tenant_id], now - BACK, now + AHEAD, by=reader.actor, at=now)
    with force_locale(reader.language):
        written = write_calendar(
            entries,
            name=_("%(client)s: maintenance", client=reader.name),
            time_zone=reader.time_zone,
            host=provider.public_url.partition("://")[2].partition(":")[0],
            at=now,
        )
    return Response(written, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def resolve_link() -> Scope:
    """The scope of the person whose link it is. Raises NotFound for wrong ones, and TooMany after many of them."""
    at = time.now()
    try:
        with enter(gate()):
            g.feed_reader = feeds.resolve_feed(str((request.view_args or {})["token"]), at=at)
    except NotFound:
        take_at_once(feeds.WRONG, source_of(request.remote_addr), at=at)
        raise
    reader: feeds.Reader = g.feed_reader
    return reader.scope
