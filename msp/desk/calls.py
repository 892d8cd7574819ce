"""Calls: a form that is open when the telephone rings, and asks who it is while one listens."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length

from msp.desk.blueprint import bp
from msp.intake.calls import queries, services
from msp.intake.calls.models import Call
from msp.intake.reception import come_in
from msp.threads.acting import acted, form_status
from msp.threads.forms import IMPACTS, KINDS, URGENCIES
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.people.queries import find_member
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, list_all_tenants, names_of
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket
from tenants.tickets.opening import LONGEST_SUBJECT

TOO_LONG = _l("This text is too long.")


class CallForm(FlaskForm):
    """What is heard, and what is made of it; each button needs another part of it."""

    number = StringField(_l("Telephone number"), [Length(max=40, message=TOO_LONG)])
    caller_name = StringField(_l("Caller's name"), [Length(max=120, message=TOO_LONG)])
    company = StringField(_l("Company, as heard"), [Length(max=120, message=TOO_LONG)])
    wrong = TextAreaField(_l("What is wrong?"), [Length(max=LONGEST_BODY - 500, message=TOO_LONG)])
    subject = StringField(
        _l("Subject"),
        [Length(max=LONGEST_SUBJECT, message=_l("Write one line of at most 200 characters."))],
    )
    email = StringField(_l("E-mail address of the caller"), [Length(max=254, message=TOO_LONG)])
    kind = SelectField(_l("What is it?"), choices=options(KINDS), default="incident")
    impact = SelectField(_l("How many are affected?"), choices=options(IMPACTS), default="low")
    urgency = SelectField(_l("How urgent is it?"), choices=options(URGENCIES), default="medium")
    code = StringField(
        _l("Code of the ticket"), [Length(max=30, message=_l("A code looks like ACME-7K3Q-XP4M."))]
    )
    reason = StringField(
        _l("Why is nothing left to do?"),
        [Length(max=300, message=_l("Say in one line why there is nothing left to do."))],
    )

    @property
    def heard(self) -> services.Heard:
        """What the caller said so far."""
        return services.Heard(
            number=self.number.data or "",
            caller_name=self.caller_name.data or "",
            company=self.company.data or "",
            wrong=self.wrong.data or "",
        )


@bp.get("/calls")
@require(Permission.WORK_TICKETS)
def list_calls() -> Any:
    """One's own calls: those that are not finished first."""
    come_in(actor())
    calls = queries.list_calls(by=actor(), since=queries.today_since(time.now()))
    return render_template(
        "desk/list_calls.html", calls=calls, tenants=names_of([one.tenant_id for one in calls])
    )


@bp.get("/calls/new")
@require(Permission.WORK_TICKETS)
def begin_call() -> Any:
    """The telephone rings: the call begins now. Asked again while nothing is written yet, it is the same call."""
    own = come_in(actor())
    call = services.begin_call(own, by=actor(), at=time.now())
    db.session.commit()
    return redirect(url_for("desk.show_call", call=call.public_id))


@bp.get("/calls/<call>")
@require(Permission.WORK_TICKETS)
def show_call(call: str) -> Any:
    """The call as far as it is written down: a reload and another day find it the same."""
    come_in(actor())
    found = queries.find_call(call, by=actor())
    return _page(found, _filled(found))


def _filled(call: Call) -> CallForm:
    kept = {
        "number": call.number,
        "caller_name": call.caller_name,
        "company": call.company_heard,
        "wrong": call.wrong,
    }
    return CallForm(formdata=None, data=kept)


def _page(call: Call, form: CallForm) -> Any:
    is_open = call.state == "open"
    page = render_template(
        "desk/show_call.html",
        call=call,
        form=form,
        found=queries.look_up(call, by=actor()) if is_open else None,
        client=db.session.get(Tenant, call.tenant_id) if call.is_placed else None,
        opened=queries.list_open_tickets(call) if is_open and call.is_placed else [],
        clients=list_all_tenants() if is_open else [],
        granted=actor().tenants,
        ticket=db.session.get(Ticket, (call.tenant_id, call.ticket_id)) if call.ticket_id else None,
    )
    return page, form_status()


@bp.post("/calls/<call>/look-up")
@require(Permission.WORK_TICKETS)
def look_up_caller(call: str) -> Any:
    """Keep what is written and show who fits: by htmx while typing, by a button without it."""
    come_in(actor())
    found, form = queries.find_call(call, by=actor(), held=True), CallForm()
    kept = acted(form, lambda: _write(found, form))
    if request.headers.get("HX-Request") != "true":
        return redirect(url_for("desk.show_call", call=call)) if kept else _page(found, form)
    return render_template(
        "desk/call_found.html", call=found, found=queries.look_up(found, by=actor()), kept=kept
    )


def _write(call: Call, form: CallForm) -> None:
    services.write_down(call, form.heard, region=current_app.extensions["settings"].phone_region)


@bp.post("/calls/<call>/place")
@require(Permission.WORK_TICKETS)
def place_call(call: str) -> Any:
    """Whose call it is: a person (`client/person`), or a client (`client`) with a caller who is not known there."""
    come_in(actor())
    found, form = queries.find_call(call, by=actor(), held=True), CallForm()
    if acted(form, lambda: _place(found, form)):
        return redirect(url_for("desk.show_call", call=call))
    return _page(found, form)


def _place(call: Call, form: CallForm) -> None:
    _write(call, form)
    whose = request.form.get("whose", "")
    slug, _slash, person = (request.form.get("whose_company", "") if whose == "*" else whose).partition("/")
    if not slug:
        raise Invalid("company", _l("Choose the company."))
    tenant = find_tenant(slug)
    if tenant.id not in actor().tenants or tenant.kind != "client":
        raise NotFound
    member = find_member(tenant.id, person) if person else None
    services.place_call(call, tenant, member, by=actor(), at=time.now())


@bp.post("/calls/<call>/take-up")
@require(Permission.WORK_TICKETS)
def take_up_call(call: str) -> Any:
    """Go on with a colleague's call."""
    come_in(actor())
    services.take_up(queries.find_call(call, by=actor(), held=True), by=actor(), at=time.now())
    db.session.commit()
    return redirect(url_for("desk.show_call", call=call))


@bp.post("/calls/<call>/ticket")
@require(Permission.WORK_TICKETS)
def end_call_as_ticket(call: str) -> Any:
    """Open a ticket for the caller."""

    def end(found: Call, form: CallForm) -> Ticket:
        weighed = services.Weighed(
            subject=form.subject.data or "",
            email=form.email.data or "",
            kind=form.kind.data,
            impact=form.impact.data,
            urgency=form.urgency.data,
        )
        return services.end_as_ticket(found, weighed, by=actor(), at=time.now())

    return _end(call, end)


@bp.post("/calls/<call>/add")
@require(Permission.WORK_TICKETS)
def end_call_on_ticket(call: str) -> Any:
    """Write the call down on a ticket that is there."""
    return _end(
        call,
        lambda found, form: services.end_on_ticket(found, form.code.data or "", by=actor(), at=time.now()),
    )


def _end(public_id: str, end: Any) -> Any:
    come_in(actor())
    found, form = queries.find_call(public_id, by=actor(), held=True), CallForm()
    made: list[Ticket] = []

    def act() -> None:
        if found.state == "open":
            _write(found, form)
        made.append(end(found, form))

    if not acted(form, act):
        return _page(queries.find_call(public_id, by=actor()), form)
    code = made[0].code
    flash(_("The call is in ticket %(code)s. Tell the caller its code.", code=code), "good")
    return redirect(url_for("desk.show_ticket", code=code))


@bp.post("/calls/<call>/end")
@require(Permission.WORK_TICKETS)
def end_call(call: str) -> Any:
    """End it without a ticket, and say why."""
    come_in(actor())
    found, form = queries.find_call(call, by=actor(), held=True), CallForm()

    def act() -> None:
        _write(found, form)
        services.end_without_ticket(found, form.reason.data or "", by=actor(), at=time.now())

    if not acted(form, act):
        return _page(queries.find_call(call, by=actor()), form)
    flash(_("The call has ended without a ticket."), "good")
    return redirect(url_for("desk.list_calls"))
