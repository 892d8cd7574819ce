"""Visits on site: planning, moving, beginning, writing down what came of them, and the week ahead of everybody."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length, Optional

from msp.desk.blueprint import bp
from msp.desk.states import back, form_page
from msp.staff.checks import check_year
from msp.threads.acting import acted
from msp.threads.forms import ActForm, words
from msp.web.access import actor, require
from msp.web.fields import options
from msp.web.formats import moment
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Site
from tenants.tenancy.queries import find_tenant_by_id, list_sites
from tenants.tickets import queries, services, visits
from tenants.tickets.models import Ticket
from tenants.tickets.visit_models import Visit

ROWS = range(1, 5)
OUTCOMES = (
    ("solved", _l("It works again")),
    ("partly", _l("Partly: something remains")),
    ("not_solved", _l("Not solved")),
    ("nobody_there", _l("Nobody was there")),
)


class VisitForm(ActForm):
    """When, where and who."""

    on = DateField(_l("Day"), [InputRequired(_l("Enter a day."))])
    starts_at = TimeField(_l("Begins at"), [InputRequired(_l("Enter a time, such as 22:00."))])
    minutes = IntegerField(_l("Lasts, in minutes"), [InputRequired(_l("Enter a number."))], default=60)
    site = SelectField(_l("Site"), choices=[], default="")
    address = StringField(
        _l("Address, if it is another one"),
        [Optional(), Length(max=300, message=_l("Write one line of at most 300 characters."))],
    )
    technician = SelectField(_l("Who goes there?"), choices=[], default="")


class ReportForm(ActForm):
    """What came of it."""

    outcome = RadioField(
        _l("What came of it?"), [InputRequired(_l("Choose what came of it."))], choices=options(OUTCOMES)
    )
    done = words(_l("What was done?"), _l("Say what was done, in at most 5,000 characters."))

    @property
    def report(self) -> visits.Report:
        """What was typed, without empty rows of parts."""
        typed = [[self[f"{name}_{row}"].data or "" for name in ("what", "old", "new")] for row in ROWS]
        parts = [visits.Part(*row) for row in typed if any(one.strip() for one in row)]
        return visits.Report(self.done.data or "", self.outcome.data or "", parts)


def _part_field(label: Any) -> Any:
    return StringField(label, [Optional(), Length(max=120)])


for _row in ROWS:
    setattr(ReportForm, f"what_{_row}", _part_field(_l("Part")))
    setattr(ReportForm, f"old_{_row}", _part_field(_l("Serial number of the old one")))
    setattr(ReportForm, f"new_{_row}", _part_field(_l("Serial number of the new one")))


class CallOffForm(ActForm):
    """Why nobody comes."""

    why = words(_l("Why?"), _l("Say why nobody comes: the client reads it."))


@bp.route("/tickets/<code>/visits/new", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def plan_visit(code: str) -> Any:
    """Plan a visit."""
    ticket = queries.find_ticket(code, by=actor())
    coming = visits.coming_visit(ticket) if request.method == "GET" else None
    if coming is not None and coming.state == "planned":
        return redirect(url_for("desk.move_visit", code=ticket.code, visit_id=coming.public_id))
    page, planned = _Planning(ticket, None), list[Visit]()
    if acted(page.form, lambda: planned.append(page.plan())):
        return _planned(
            ticket, planned[0], _("The visit is planned. Everybody concerned gets an invitation.")
        )
    return form_page("plan_visit", ticket, page.form, visit=None, time_zone=page.time_zone)


@bp.route("/tickets/<code>/visits/<visit_id>/move", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def move_visit(code: str, visit_id: str) -> Any:
    """Another time, place or technician."""
    ticket = queries.find_ticket(code, by=actor())
    visit = visits.find_visit(ticket, visit_id)
    page = _Planning(ticket, visit)
    if acted(page.form, lambda: page.move(visit)):
        return _planned(ticket, visit, _("The visit is moved. Everybody concerned gets a new invitation."))
    return form_page("plan_visit", ticket, page.form, visit=visit, time_zone=page.time_zone)


class _Planning:
    """The form of a visit with what can be chosen in it."""

    def __init__(self, ticket: Ticket, visit: Visit | None) -> None:
        self.ticket = ticket
        self.time_zone = find_tenant_by_id(ticket.tenant_id).time_zone
        self.people = services.list_engineers(ticket.tenant_id, ticket.tier)
        self.sites = list_sites(ticket.tenant_id)
        self.form = VisitForm(obj=None, data=self._shown(visit))
        self.form.site.choices = options(
            [("", _("No site")), *((str(one.public_id), one.name) for one in self.sites)]
        )
        named = [(str(one.public_id), f"{one.name} ({one.tier})") for one in self.people]
        self.form.technician.choices = options([("", _("Not named yet")), *named])

    def _shown(self, visit: Visit | None) -> dict[str, Any]:
        if visit is None:
            person = self.ticket.assignee_user_id
            return {"site": self._site_key(self.ticket.site_id), "technician": self._person_key(person)}
        begins_at = visit.begins_at.astimezone(self._zone(visit.site_id))
        own = next((one for one in self.sites if one.id == visit.site_id), None)
        kept = own is not None and own.address.strip() and own.address.strip() in visit.address
        return {
            "on": begins_at.date(),
            "starts_at": begins_at.time(),
            "minutes": round((visit.ends_at - visit.begins_at).total_seconds() / 60),
            "site": self._site_key(visit.site_id),
            "address": "" if kept else visit.address,
            "technician": self._person_key(visit.technician_user_id),
        }

    def _site_key(self, site_id: int | None) -> str:
        return next((str(one.public_id) for one in self.sites if one.id == site_id), "")

    def _person_key(self, user_id: int | None) -> str:
        return next((str(one.public_id) for one in self.people if one.user_id == user_id), "")

    def _zone(self, site_id: int | None) -> ZoneInfo:
        site = next((one for one in self.sites if one.id == site_id), None)
        return ZoneInfo((site.time_zone if site else None) or self.time_zone)

    def _typed(self) -> visits.Plan:
        form = self.form
        site: Site | None = next((one for one in self.sites if str(one.public_id) == form.site.data), None)
        person = next((one for one in self.people if str(one.public_id) == form.technician.data), None)
        site_id = site.id if site else None
        check_year(form.on.data.year, "on")
        begins_at = datetime.combine(form.on.data, form.starts_at.data, self._zone(site_id))
        minutes = min(max(form.minutes.data, 0), 100_000)
        return visits.Plan(
            begins_at,
            begins_at + timedelta(minutes=minutes),
            technician_user_id=person.user_id if person else None,
            site_id=site_id,
            address=form.address.data or "",
        )

    def plan(self) -> Visit:
        return visits.plan_visit(self.ticket, self._typed(), by=actor(), at=time.now(), rev=self.form.seen)

    def move(self, visit: Visit) -> None:
        visits.move_visit(self.ticket, visit, self._typed(), by=actor(), at=time.now(), rev=self.form.seen)


def _planned(ticket: Ticket, visit: Visit, said: str) -> Any:
    """Back to the ticket, with a warning of what the same technician does at that time."""
    for other in visits.list_clashes(visit)[:3]:
        flash(
            _(
                "%(name)s has another visit from %(begin)s until %(end)s. Both stay planned; move one if need be.",
                name=visit.technician_name,
                begin=moment(other.begins_at),
                end=moment(other.ends_at),
            ),
            "risk",
        )
    return back(ticket, said)


@bp.post("/tickets/<code>/visits/<visit_id>/begin")
@require(Permission.WORK_TICKETS)
def begin_visit(code: str, visit_id: str) -> Any:
    """I am there."""
    ticket = queries.find_ticket(code, by=actor())
    visits.begin_visit(ticket, visits.find_visit(ticket, visit_id), by=actor(), at=time.now())
    db.session.commit()
    return back(ticket, _("The visit has begun: the ticket waits no more."))


@bp.route("/tickets/<code>/visits/<visit_id>/done", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def finish_visit(code: str, visit_id: str) -> Any:
    """Write down what came of it."""
    ticket = queries.find_ticket(code, by=actor())
    visit, form = visits.find_visit(ticket, visit_id), ReportForm()
    if acted(form, lambda: _finish(ticket, visit, form)):
        return back(ticket, _("The visit is done. Its report stands on the ticket."))
    return form_page("finish_visit", ticket, form, visit=visit, rows=ROWS)


def _finish(ticket: Ticket, visit: Visit, form: ReportForm) -> None:
    """What is wrong with the parts is said at their first row."""
    try:
        visits.finish_visit(ticket, visit, form.report, by=actor(), at=time.now(), rev=form.seen)
    except Invalid as refused:
        named = [("what_1" if field == "parts" else field, said) for field, said in refused.errors]
        raise InvalidMany(named) from refused


@bp.route("/tickets/<code>/visits/<visit_id>/cancel", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def cancel_visit(code: str, visit_id: str) -> Any:
    """Nobody goes there."""
    ticket = queries.find_ticket(code, by=actor())
    visit, form = visits.find_visit(ticket, visit_id), CallOffForm()
    if acted(
        form,
        lambda: visits.cancel_visit(
            ticket, visit, why=form.why.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        return back(ticket, _("The visit is cancelled. Everybody concerned is told."))
    return form_page("cancel_visit", ticket, form, visit=visit)
