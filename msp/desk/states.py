"""Moving a ticket on: take, wait, resume, resolve, reopen, close, cancel, assign, weigh."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.desk.blueprint import bp
from msp.desk.codes import ticket_named
from msp.desk.forms import AssignForm, CancelForm, PriorityForm, ReopenForm, ResolveForm, WaitForm
from msp.staff.skills import list_skills, name_of_skill
from msp.staff.suggesting import suggest_for
from msp.staff.words import reason_words
from msp.threads.acting import acted, form_status
from msp.threads.forms import ActForm
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.people.models import StaffMember
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import queries, services
from tenants.tickets.checklists import list_unfinished
from tenants.tickets.linking import open_incidents
from tenants.tickets.models import Ticket


def form_page(name: str, ticket: Ticket, form: ActForm, **context: Any) -> Any:
    """A form about a ticket; a stale one is shown again with the ticket as it is now."""
    form.rev.data = str(ticket.rev)
    page = render_template(f"desk/{name}.html", ticket=ticket, form=form, **context)
    return page, form_status()


def back(ticket: Ticket, said: str) -> Any:
    """Back to the ticket, saying what was done."""
    flash(said, "good")
    return redirect(url_for("desk.show_ticket", code=ticket.code))


def simple_act(code: str, act: Callable[..., Any], said: str, **given: Any) -> Any:
    """An act that needs nothing but the ticket; a refusal becomes a page of its own."""
    ticket, form = queries.find_ticket(code, by=actor()), ActForm()
    act(ticket, by=actor(), at=time.now(), rev=form.seen if form.validate() else -1, **given)
    db.session.commit()
    return back(ticket, said)


@bp.post("/tickets/<code>/take")
@require(Permission.WORK_TICKETS)
def take_ticket(code: str) -> Any:
    """Take it oneself."""
    return simple_act(code, services.take_ticket, _("The ticket is yours."))


@bp.post("/tickets/<code>/resume")
@require(Permission.WORK_TICKETS)
def resume_ticket(code: str) -> Any:
    """Work on it (again)."""
    return simple_act(code, services.change_state, _("Work goes on."), to="in_progress")


@bp.post("/tickets/<code>/close")
@require(Permission.WORK_TICKETS)
def close_ticket(code: str) -> Any:
    """The requester confirmed it by other means."""
    return simple_act(code, services.close_ticket, _("The ticket is closed."))


@bp.route("/tickets/<code>/wait", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def pause_ticket(code: str) -> Any:
    """Wait, and say for what."""
    ticket, form = queries.find_ticket(code, by=actor()), WaitForm()
    if acted(form, lambda: _wait(ticket, form)):
        return back(ticket, _("The ticket waits."))
    return form_page("pause_ticket", ticket, form)


def _wait(ticket: Ticket, form: WaitForm) -> None:
    acting: dict[str, Any] = {"by": actor(), "at": time.now(), "rev": form.seen}
    if form.reason.data == "change" and (form.change.data or "").strip():
        services.wait_for_change(ticket, ticket_named(form.change.data, "change"), **acting)
        return
    if form.reason.data == "vendor":
        services.wait_for_vendor(ticket, form.ask, **acting)
        return
    services.change_state(ticket, to="waiting", reason=form.reason.data, **acting)


@bp.route("/tickets/<code>/resolve", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def resolve_ticket(code: str) -> Any:
    """Say what was done."""
    ticket, form = queries.find_ticket(code, by=actor()), ResolveForm()
    if acted(
        form,
        lambda: services.resolve_ticket(
            ticket, solution=form.solution.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        said = _("The ticket is resolved. The requester is asked to confirm it.")
        return _offer_incidents(ticket, said) if open_incidents(ticket) else back(ticket, said)
    return form_page("resolve_ticket", ticket, form, unfinished=list_unfinished(ticket))


def _offer_incidents(problem: Ticket, said: str) -> Any:
    """A problem is resolved: what it caused may be resolved with it, if somebody says so."""
    flash(said, "good")
    return redirect(url_for("desk.resolve_incidents", code=problem.code))


@bp.route("/tickets/<code>/reopen", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def reopen_ticket(code: str) -> Any:
    """It was not done after all."""
    ticket, form = queries.find_ticket(code, by=actor()), ReopenForm()
    if acted(
        form,
        lambda: services.reopen_ticket(
            ticket, because=form.because.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        return back(ticket, _("The ticket is open again."))
    return form_page("reopen_ticket", ticket, form)


@bp.route("/tickets/<code>/cancel", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def cancel_ticket(code: str) -> Any:
    """Nobody wants it any more."""
    ticket, form = queries.find_ticket(code, by=actor()), CancelForm()
    if acted(
        form,
        lambda: services.cancel_ticket(
            ticket, reason=form.reason.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        return back(ticket, _("The ticket is cancelled."))
    return form_page("cancel_ticket", ticket, form)


@bp.route("/tickets/<code>/assign", methods=["GET", "POST"])
@require(Permission.ASSIGN_TICKETS)
def assign_ticket(code: str) -> Any:
    """Give it to somebody with the tier and the grant for it, or back to the queue."""
    ticket, form = queries.find_ticket(code, by=actor()), AssignForm()
    people = services.list_engineers(ticket.tenant_id, ticket.tier)
    named = [(str(one.public_id), f"{one.name} ({one.tier})") for one in people]
    form.to.choices = options([("", _("Nobody: back into the queue")), *named])
    chosen = next((one.user_id for one in people if str(one.public_id) == form.to.data), None)
    if acted(
        form,
        lambda: services.assign_ticket(ticket, to_user_id=chosen, by=actor(), at=time.now(), rev=form.seen),
    ):
        return back(ticket, _("The ticket is assigned."))
    return form_page("assign_ticket", ticket, form, suggestions=_suggested(ticket, people))


def _suggested(ticket: Ticket, people: Sequence[StaffMember]) -> list[tuple[StaffMember, list[str]]]:
    """Who fits best, with the reasons in words; whoever holds the ticket already is left out."""
    by_id = {one.user_id: one for one in people if one.user_id != ticket.assignee_user_id}
    names = {one.id: name_of_skill(one) for one in list_skills(retired=True)}
    return [
        (by_id[one.candidate.user_id], [reason_words(reason, names) for reason in one.reasons])
        for one in suggest_for(ticket, at=time.now())
        if one.candidate.user_id in by_id
    ]


@bp.route("/tickets/<code>/priority", methods=["GET", "POST"])
@require(Permission.SET_PRIORITY)
def set_priority(code: str) -> Any:
    """Weigh it anew."""
    ticket = queries.find_ticket(code, by=actor())
    form = PriorityForm(obj=None, impact=ticket.impact, urgency=ticket.urgency)
    if acted(form, lambda: _weigh(ticket, form)):
        return back(ticket, _("The priority is %(priority)s.", priority=ticket.priority))
    return form_page("set_priority", ticket, form)


def _weigh(ticket: Ticket, form: PriorityForm) -> None:
    acting: dict[str, Any] = {"by": actor(), "at": time.now(), "rev": form.seen}
    if form.priority.data:
        reason = form.reason.data or ""
        services.set_priority(ticket, priority=form.priority.data, reason=reason, **acting)
        return
    services.reassess(
        ticket,
        impact=form.impact.data,
        urgency=form.urgency.data,
        tenant=find_tenant_by_id(ticket.tenant_id),
        **acting,
    )
