"""Time worked on a ticket: entering one's own, correcting it, seeing the sum."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, StringField
from wtforms.validators import InputRequired, Length

from contracts.statements.queries import is_closed
from msp.desk.blueprint import bp
from msp.threads.acting import acted, form_status
from msp.threads.forms import ActForm
from msp.web.access import actor, require
from msp.web.formats import month as month_words
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import queries, times
from tenants.tickets.models import Ticket


def _line(label: Any) -> StringField:
    return StringField(label, [Length(max=300, message=_l("Write one line of at most 300 characters."))])


class TimeForm(ActForm):
    """Time worked on a day."""

    minutes = IntegerField(_l("Minutes"), [InputRequired(_l("Give at least one minute and at most a day."))])
    on = DateField(_l("Day"), [InputRequired(_l("Choose a day."))])
    what = _line(_l("What was done"))
    is_billable = BooleanField(_l("Billable beside the contract"))

    @property
    def worked(self) -> times.Worked:
        """What was typed."""
        assert self.minutes.data is not None and self.on.data is not None
        return times.Worked(self.minutes.data, self.on.data, self.what.data or "", self.is_billable.data)


class CorrectionForm(TimeForm):
    """Other time, and why."""

    because = _line(_l("Why it is corrected"))


def _today(ticket: Ticket) -> date:
    """The client's day."""
    return time.now().astimezone(ZoneInfo(find_tenant_by_id(ticket.tenant_id).time_zone)).date()


@bp.route("/tickets/<code>/time", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def list_time(code: str) -> Any:
    """Every entry of a ticket, and a form for the next one."""
    ticket = queries.find_ticket(code, by=actor())
    today = _today(ticket)
    form = TimeForm(data={"on": today})
    if acted(form, lambda: times.record_time(ticket, form.worked, today=today, by=actor(), at=time.now())):
        return _back(ticket, form, _("The time is entered."))
    entries = times.list_time(ticket)
    page = render_template(
        "desk/list_time.html",
        ticket=ticket,
        form=form,
        entries=entries,
        by_id={one.id: one for one in entries},
        minutes=sum(one.minutes for one in entries if one.replaced_at is None),
    )
    return page, form_status()


@bp.route("/tickets/<code>/time/<entry_id>", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def correct_time(code: str, entry_id: str) -> Any:
    """Another entry in place of one's own."""
    ticket = queries.find_ticket(code, by=actor())
    entry = times.find_time(ticket, entry_id)
    if entry.person_user_id != actor().id:
        raise NotFound
    form, today = CorrectionForm(obj=None, data=_typed(entry)), _today(ticket)
    if acted(form, lambda: _correct(ticket, entry, form, today)):
        return _back(ticket, form, _("The time is corrected."))
    page = render_template("desk/correct_time.html", ticket=ticket, entry=entry, form=form)
    return page, form_status()


def _typed(entry: Any) -> dict[str, Any]:
    return {
        "minutes": entry.minutes,
        "on": entry.worked_on,
        "what": entry.what,
        "is_billable": entry.is_billable,
    }


def _correct(ticket: Ticket, entry: Any, form: CorrectionForm, today: date) -> None:
    times.correct_time(
        ticket,
        entry,
        form.worked,
        because=form.because.data or "",
        today=today,
        by=actor(),
        at=time.now(),
    )


def _back(ticket: Ticket, form: TimeForm, said: str) -> Any:
    """Back to the list, saying what was done, and where it comes too late for a statement."""
    flash(said, "good")
    month = form.worked.on.replace(day=1)
    if is_closed(ticket.tenant_id, month):
        flash(
            _(
                "The statement of %(month)s is closed already: it stays as it was, without this.",
                month=month_words(month),
            ),
            "risk",
        )
    return redirect(url_for("desk.list_time", code=ticket.code))
