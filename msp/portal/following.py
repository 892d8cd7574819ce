"""Watching a ticket of one's company, and taking up again what is closed for good."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.intake.receiving import receive_ticket
from msp.portal.blueprint import bp
from msp.portal.forms import FollowUpForm
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import follow_ups, queries, watching
from tenants.tickets.models import Ticket


@bp.post("/tickets/<code>/watch")
@require(Permission.OPEN_OWN_TICKETS)
def watch_ticket(code: str) -> Any:
    """Be told of every reply."""
    ticket = queries.find_ticket(code, by=actor())
    person = queries.find_member(ticket.tenant_id, actor().id)
    if person is None:
        raise NotFound
    watching.watch_as(ticket, person, by=actor(), at=time.now())
    db.session.commit()
    flash(_("You watch this ticket now."), "good")
    return redirect(url_for("portal.show_ticket", code=ticket.code))


@bp.post("/tickets/<code>/unwatch")
@require(Permission.OPEN_OWN_TICKETS)
def unwatch_ticket(code: str) -> Any:
    """Be told no more; a ticket that one saw only by watching is out of sight then."""
    ticket = queries.find_ticket(code, by=actor())
    mine = [one for one in watching.list_watchers(ticket) if one.user_id == actor().id]
    for watcher in mine:
        watching.unwatch(ticket, watcher, by=actor(), at=time.now())
    db.session.commit()
    flash(_("You do not watch %(code)s any more.", code=ticket.code), "good")
    return redirect(url_for("portal.list_tickets"))


@bp.route("/tickets/<code>/follow-up", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def follow_up(code: str) -> Any:
    """Say what is wrong again with something that cannot be reopened any more."""
    first, form = queries.find_ticket(code, by=actor()), FollowUpForm()
    opened: list[Ticket] = []
    if acted(form, lambda: opened.append(_follow_up(first, form))):
        flash(
            _("Thank you. Your ticket is %(code)s; we answer here and by mail.", code=opened[0].code), "good"
        )
        return redirect(url_for("portal.show_ticket", code=opened[0].code))
    return render_template("portal/follow_up.html", ticket=first, form=form), form_status()


def _follow_up(first: Ticket, form: FollowUpForm) -> Ticket:
    requester = queries.find_requester(first.tenant_id, actor().id)
    if requester is None:
        raise NotFound
    if not follow_ups.may_follow_up(first, time.now()):
        raise Conflict(_("This ticket is not closed for good. Answer on it, or reopen it."))
    asked = follow_ups.follow_up_request(
        first,
        body=form.body.data or "",
        source="portal",
        requester=requester,
        request_key=form.request_key.data,
    )
    return receive_ticket(find_tenant_by_id(first.tenant_id), asked, by=actor(), at=time.now())
