"""Working remotely on a client's machine: asking, beginning with consent, ending with words."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import Length, Optional

from msp.desk.blueprint import bp
from msp.desk.states import back, form_page
from msp.threads.acting import acted
from msp.threads.forms import ActForm, words
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.assets.rules import remote_link
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import queries, remote, times
from tenants.tickets.models import Ticket
from tenants.tickets.remote_models import RemoteSession

WAYS = (("phone", _l("on the phone")), ("chat", _l("in the chat")))


class BeginForm(ActForm):
    """The consent as it was heard; nothing to fill in where it was given in the portal."""

    consent_by = StringField(_l("Who at the machine allows it?"), [Optional(), Length(max=120)])
    consent_way = RadioField(_l("How did you hear it?"), [Optional()], choices=options(WAYS))

    @property
    def consent(self) -> remote.Consent:
        """What was typed."""
        return remote.Consent(self.consent_by.data or "", self.consent_way.data or "")


class EndForm(ActForm):
    """What was done, and whether the time counts as worked."""

    done = words(_l("What was done?"), _l("Say what was done, in at most 5,000 characters."))
    enters_time = BooleanField(_l("Enter its minutes as time worked"), default=True)
    is_billable = BooleanField(_l("Billable beside the contract"))


@bp.route("/tickets/<code>/remote", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def begin_remote(code: str) -> Any:
    """Begin a session with the consent of somebody at the machine."""
    ticket = queries.find_ticket(code, by=actor())
    session = remote.open_session(ticket)
    if session is not None and session.state == "running" and request.method == "GET":
        return redirect(url_for("desk.end_remote", code=ticket.code, session_id=session.public_id))
    form = BeginForm(obj=None, data={"consent_by": ticket.requester_name})
    if acted(form, lambda: _begin(ticket, form)):
        return back(ticket, _("The remote session runs. The requester sees it."))
    view = queries.find_ticket_view(code, by=actor())
    return form_page(
        "begin_remote", ticket, form, session=session, machine=view.asset, remote_link=remote_link(view.asset)
    )


def _begin(ticket: Ticket, form: BeginForm) -> None:
    remote.begin_session(ticket, form.consent, by=actor(), at=time.now(), rev=form.seen)


@bp.post("/tickets/<code>/remote/ask")
@require(Permission.WORK_TICKETS)
def ask_remote(code: str) -> Any:
    """Ask the requester in the portal."""
    ticket, form = queries.find_ticket(code, by=actor()), ActForm()
    remote.ask_for_consent(ticket, by=actor(), at=time.now(), rev=form.seen if form.validate() else -1)
    db.session.commit()
    return back(ticket, _("The requester is asked. You see the answer here."))


@bp.post("/tickets/<code>/remote/<session_id>/drop")
@require(Permission.WORK_TICKETS)
def drop_remote(code: str, session_id: str) -> Any:
    """Take the question back."""
    ticket = queries.find_ticket(code, by=actor())
    session = remote.find_session(ticket, session_id)
    remote.drop_request(ticket, session, by=actor(), at=time.now())
    db.session.commit()
    return back(ticket, _("The request is taken back."))


@bp.route("/tickets/<code>/remote/<session_id>/end", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def end_remote(code: str, session_id: str) -> Any:
    """End it, and say what was done."""
    ticket = queries.find_ticket(code, by=actor())
    session = remote.find_session(ticket, session_id)
    form = EndForm()
    if acted(form, lambda: _end(ticket, session, form)):
        return back(ticket, _("The remote session is over."))
    return form_page("end_remote", ticket, form, session=session)


def _end(ticket: Ticket, session: RemoteSession, form: EndForm) -> None:
    now, done = time.now(), form.done.data or ""
    remote.end_session(ticket, session, done=done, by=actor(), at=now, rev=form.seen)
    if form.enters_time.data:
        today = _today(ticket)
        what = " ".join(done.split())[: times.LONGEST_TEXT]
        worked = times.Worked(
            min(session.minutes, times.MOST_MINUTES), today, what, is_billable=form.is_billable.data
        )
        times.record_time(ticket, worked, today=today, by=actor(), at=now)


def _today(ticket: Ticket) -> date:
    """The client's day."""
    return time.now().astimezone(ZoneInfo(find_tenant_by_id(ticket.tenant_id).time_zone)).date()
