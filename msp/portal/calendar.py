"""What is planned at the client's: its calendar, its windows and freezes, and the upkeep that comes back."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.portal.blueprint import bp
from msp.upkeep import feeds, queries
from msp.upkeep.calendar import Entry
from msp.upkeep.pieces import answer_link_form, month_page
from msp.upkeep.plan_pages import plan_parts
from msp.web import navigation
from msp.web.access import actor, require, tenant
from msp.web.errors import refuse_into_form
from msp.web.paging import asked, cut
from msp.windows.forms import FreezeForm
from msp.windows.services import add_own_freeze
from msp.windows.sheet import list_shown_freezes, sheet_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id

PLACES = (
    navigation.Place(
        _l("Calendar"),
        "portal.show_calendar",
        "calendar-event",
        Permission.DECIDE_OWN_LANES,
        staff=False,
        order=46,
    ),
)


@bp.get("/calendar")
@require(Permission.DECIDE_OWN_LANES)
def show_calendar() -> Any:
    """A month of what is planned: updates, upkeep, visits, freezes and windows."""
    return _page()


@bp.post("/calendar/link")
@require(Permission.DECIDE_OWN_LANES)
def set_calendar_link() -> Any:
    """Make, replace or end one's own secret link to the calendar."""
    return _page(answer_link_form(tenant()))


def _page(secret: str | None = None) -> str:
    found = month_page(
        [tenant()],
        find_tenant_by_id(tenant()).time_zone,
        partial(url_for, "portal.show_calendar"),
        _ways,
        windows=True,
    )
    feed = feeds.find_feed(tenant(), by=actor())
    return render_template("portal/show_calendar.html", **found, feed=feed, secret=secret)


def _ways(_entries: list[Entry]) -> Callable[[Entry], str]:
    """From each entry to its page for the client."""

    def way_to(entry: Entry) -> str:
        if entry.kind == "campaign":
            return url_for("portal.show_maintenance", part=entry.place)
        if entry.kind in ("freeze", "window"):
            return url_for("portal.list_windows")
        if entry.state == "planned":
            return url_for("portal.show_upkeep", plan=entry.place)
        return url_for("portal.show_ticket", code=entry.place) if entry.place else ""

    return way_to


@bp.get("/windows")
@require(Permission.DECIDE_OWN_LANES)
def list_windows() -> Any:
    """When changes may be made, as agreed."""
    company = find_tenant_by_id(tenant())
    now = time.now()
    return render_template(
        "portal/list_windows.html",
        sheet=sheet_of(tenant(), now),
        freezes=list_shown_freezes(tenant(), now),
        time_zone=company.time_zone,
    )


@bp.route("/windows/freeze", methods=["GET", "POST"])
@require(Permission.DECIDE_OWN_LANES)
def add_freeze() -> Any:
    """Ask that nothing be changed for some time; it holds at once."""
    form, company = FreezeForm(), find_tenant_by_id(tenant())
    if form.validate_on_submit() and _froze(form, company.time_zone):
        return redirect(url_for("portal.list_windows"))
    page = render_template("portal/add_freeze.html", form=form, time_zone=company.time_zone)
    return page, 422 if form.errors else 200


def _froze(form: FreezeForm, time_zone: str) -> bool:
    begins_at, ends_at = form.moments(time_zone)
    try:
        add_own_freeze(
            tenant_id=tenant(),
            name=form.name.data or "",
            begins_at=begins_at,
            ends_at=ends_at,
            by=actor(),
            at=time.now(),
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return False
    flash(_("Nothing will be changed in this time."), "good")
    return True


@bp.get("/upkeep")
@require(Permission.DECIDE_OWN_LANES)
def list_upkeep() -> Any:
    """Maintenance that comes back."""
    return render_template("portal/list_upkeep.html", plans=queries.list_plans([tenant()]))


@bp.get("/upkeep/<plan>")
@require(Permission.DECIDE_OWN_LANES)
def show_upkeep(plan: str) -> Any:
    """One of them: when it comes next, and what became of each time."""
    found = queries.find_plan(plan)
    if found.tenant_id != tenant():
        raise NotFound
    after, limit = asked(datetime)
    rows = queries.list_occurrences(found, by=actor(), before=after[0] if after else None, limit=limit)
    page = cut(rows, limit, lambda row: [row[0].begins_at])
    return render_template("portal/show_upkeep.html", page=page, **plan_parts(found))
