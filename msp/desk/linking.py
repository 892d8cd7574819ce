"""Links between tickets, incidents of a problem, merging, and taking up again what is closed for good."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.desk.around_forms import FollowUpForm, IncidentsForm, LinkForm, MergeForm
from msp.desk.blueprint import bp
from msp.desk.codes import ticket_named
from msp.desk.each import Tried, try_each
from msp.desk.states import back, form_page
from msp.intake.receiving import receive_ticket
from msp.threads.acting import acted, form_status
from msp.threads.around import BACK_WORDS, LINK_WORDS
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import follow_ups, linking, merging, queries, services
from tenants.tickets.models import Ticket


@bp.route("/tickets/<code>/links", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def list_links(code: str) -> Any:
    """The tickets that belong to this one, and a form to link another."""
    ticket, form = queries.find_ticket(code, by=actor()), LinkForm()
    if acted(form, lambda: _link(ticket, form)):
        flash(_("The tickets are linked."), "good")
        return redirect(url_for("desk.list_links", code=ticket.code))
    page = render_template(
        "desk/list_links.html",
        ticket=ticket,
        form=form,
        relations=linking.list_relations(ticket),
        words=LINK_WORDS,
        back_words=BACK_WORDS,
    )
    return page, form_status()


def _link(ticket: Ticket, form: LinkForm) -> None:
    other = ticket_named(form.other.data, "other")
    services.link_tickets(ticket, other, kind=form.kind.data, by=actor(), at=time.now())


@bp.post("/tickets/<code>/links/<link_id>/remove")
@require(Permission.WORK_TICKETS)
def remove_link(code: str, link_id: str) -> Any:
    """Take a link away from both tickets."""
    ticket = queries.find_ticket(code, by=actor())
    services.unlink_tickets(ticket, link_id, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The link is taken away."), "good")
    return redirect(url_for("desk.list_links", code=ticket.code))


@bp.route("/tickets/<code>/incidents", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def resolve_incidents(code: str) -> Any:
    """The open tickets that a problem causes, to be resolved with it: those that somebody ticks, and no others."""
    problem, form = queries.find_ticket(code, by=actor()), IncidentsForm()
    incidents = linking.open_incidents(problem)
    form.codes.choices = options((one.code, f"{one.code} · {one.subject}") for one in incidents)
    tried: list[Tried] = []
    if acted(form, lambda: tried.extend(_resolve_each(incidents, form))):
        return render_template(
            "desk/bulk_done.html", tried=tried, back_url=url_for("desk.show_ticket", code=code)
        )
    page = render_template("desk/resolve_incidents.html", ticket=problem, form=form, incidents=incidents)
    return page, form_status()


def _resolve_each(incidents: Any, form: IncidentsForm) -> list[Tried]:
    chosen = [one for one in incidents if one.code in (form.codes.data or ())]
    if not chosen:
        raise Invalid("codes", _("Tick at least one ticket."))
    solution, at = form.solution.data or "", time.now()
    return try_each(
        chosen, lambda ticket: services.resolve_ticket(ticket, solution=solution, by=actor(), at=at)
    )


@bp.route("/tickets/<code>/merge", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def merge_ticket(code: str) -> Any:
    """Choose the ticket that goes on, read what will happen, and merge."""
    source = queries.find_ticket(code, by=actor())
    form = MergeForm(data={"target": request.args.get("target", "")} if request.method == "GET" else None)
    if acted(form, lambda: _merge(source, form)):
        return back(merging.current_of(source), _("%(code)s is a part of this ticket now.", code=source.code))
    target, ahead = _ahead(source, form)
    return form_page("merge_ticket", source, form, target=target, ahead=ahead)


def _merge(source: Ticket, form: MergeForm) -> None:
    target = ticket_named(form.target.data, "target")
    services.merge_tickets(source, target, by=actor(), at=time.now(), rev=form.seen)


def _ahead(source: Ticket, form: MergeForm) -> tuple[Ticket | None, merging.LookAhead | None]:
    """What will happen, once a target is named that can be looked at."""
    if not form.target.data or form.target.errors:
        return None, None
    try:
        target = ticket_named(form.target.data, "target")
        return target, merging.look_ahead(source, target)
    except Invalid as invalid:
        form.target.errors = [invalid.message]
        return None, None


@bp.route("/tickets/<code>/follow-up", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def follow_up(code: str) -> Any:
    """Take up again what is closed for good, as another ticket."""
    first, form = queries.find_ticket(code, by=actor()), FollowUpForm()
    opened: list[Ticket] = []
    if acted(form, lambda: opened.append(_follow_up(first, form))):
        return back(opened[0], _("Ticket %(code)s carries on.", code=opened[0].code))
    page = render_template("desk/follow_up.html", ticket=first, form=form)
    return page, form_status()


def _follow_up(first: Ticket, form: FollowUpForm) -> Ticket:
    if not follow_ups.may_follow_up(first, time.now()):
        raise Conflict(_("This ticket can still be worked on or reopened. Only closed ones are followed up."))
    asked = follow_ups.follow_up_request(
        first, body=form.body.data or "", source="phone", request_key=form.request_key.data
    )
    return receive_ticket(find_tenant_by_id(first.tenant_id), asked, by=actor(), at=time.now())
