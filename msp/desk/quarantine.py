"""Mail that nobody could place: read as text, then made a ticket, put on one, or dropped."""

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired

from msp.desk.blueprint import bp
from msp.intake.mail import keeping, quarantine
from msp.intake.mail.cleaning import TooMuch, clean_apart
from msp.intake.mail.models import IncomingMail
from msp.intake.mail.words import REASON_WORDS, STATE_WORDS
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from msp.web.fields import options
from msp.web.navigation import Place
from msp.web.paging import asked, cut
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, list_all_tenants
from tenants.tickets import queries
from tenants.tickets.models import Message, Ticket

PLACE = Place(
    _l("Mail in quarantine"),
    "desk.list_quarantine",
    "envelope-exclamation",
    Permission.SORT_MAIL,
    staff=True,
    order=18,
)
PREVIEW = 5000


class AcceptForm(FlaskForm):
    """Whose ticket a mail becomes."""

    tenant = SelectField(_l("Client"), [DataRequired(_l("Choose a client."))], choices=())


class AppendForm(FlaskForm):
    """The ticket that a mail belongs to."""

    code = StringField(_l("Ticket"), [DataRequired(_l("Write the code of a ticket."))])


def _accept_form(row: IncomingMail, **given: Any) -> AcceptForm:
    form = AcceptForm(prefix="", **given)
    tenants = list_all_tenants()
    form.tenant.choices = options([("", _("Choose a client")), *((one.slug, one.name) for one in tenants)])
    if not form.is_submitted():
        form.tenant.data = next((one.slug for one in tenants if one.id == row.for_tenant_id), "")
    return form


@bp.get("/quarantine")
@require(Permission.SORT_MAIL)
def list_quarantine() -> Any:
    """Mails that wait for a person, or those that were dropped."""
    state = request.args.get("state", "")
    state = state if state in quarantine.SHOWN else "quarantined"
    before, limit = asked(object, int)
    rows = quarantine.list_mails(state, by=actor(), before=before, limit=limit)
    return render_template(
        "desk/list_quarantine.html",
        page=cut(rows, limit, lambda row: [row.received_at, row.id]),
        state=state,
        states=[(one, STATE_WORDS[one]) for one in quarantine.SHOWN],
        reasons=REASON_WORDS,
    )


@bp.get("/quarantine/<mail>")
@require(Permission.SORT_MAIL)
def show_mail(mail: str) -> Any:
    """One mail as plain text, and what may be done with it."""
    row = quarantine.find_mail(mail, by=actor())
    return _show(row, _accept_form(row, formdata=None), AppendForm(formdata=None))


def _show(row: IncomingMail, accept: AcceptForm, append: AppendForm) -> Any:
    page = render_template(
        "desk/show_mail.html",
        mail=row,
        text=row.body[:PREVIEW],
        is_cut=len(row.body) > PREVIEW,
        accept=accept,
        append=append,
        reasons=REASON_WORDS,
        states=STATE_WORDS,
        waits=row.state in ("quarantined", "dropped"),
    )
    return page, form_status()


@bp.post("/quarantine/<mail>/accept")
@require(Permission.SORT_MAIL)
def accept_mail(mail: str) -> Any:
    """Make it a ticket of the chosen client."""
    row = quarantine.find_mail(mail, by=actor())
    form, opened = _accept_form(row), list[Ticket]()

    def act() -> None:
        tenant = find_tenant(form.tenant.data)
        opened.append(quarantine.accept_as_ticket(row, tenant, by=actor(), at=time.now()))

    if acted(form, act):
        flash(_("The mail is ticket %(code)s now.", code=opened[0].code), "good")
        return redirect(url_for("desk.show_ticket", code=opened[0].code))
    return _show(row, form, AppendForm(formdata=None))


@bp.post("/quarantine/<mail>/append")
@require(Permission.SORT_MAIL)
def append_mail(mail: str) -> Any:
    """Put it on a ticket, as the sender's words."""
    row = quarantine.find_mail(mail, by=actor())
    form, placed = AppendForm(), list[Ticket]()

    def act() -> None:
        try:
            ticket = queries.find_ticket(form.code.data or "", by=actor())
        except NotFound as unknown:
            raise Invalid("code", _("There is no such ticket. Check your typing.")) from unknown
        placed.append(quarantine.append_mail(row, ticket, by=actor(), at=time.now()))

    if acted(form, act):
        flash(_("The mail is on ticket %(code)s now.", code=placed[0].code), "good")
        return redirect(url_for("desk.show_ticket", code=placed[0].code))
    return _show(row, _accept_form(row, formdata=None), form)


@bp.post("/quarantine/<mail>/drop")
@require(Permission.SORT_MAIL)
def drop_mail(mail: str) -> Any:
    """Do nothing with it; it stays among those that were dropped."""
    row = quarantine.find_mail(mail, by=actor())
    quarantine.drop_mail(row, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The mail is dropped. It can still be found under “Dropped”."), "good")
    return redirect(url_for("desk.list_quarantine"))


@bp.get("/quarantine/<mail>/raw")
@require(Permission.TAKE_RAW_MAIL)
def download_mail(mail: str) -> Response:
    """The mail's bytes as they came in; who took them home is written down."""
    row = quarantine.find_mail(mail, by=actor())
    path = keeping.raw_path(row, keeping.own_tenant_id())
    quarantine.note_download(row, by=actor(), at=time.now())
    db.session.commit()
    answer = send_file(
        path, mimetype="application/octet-stream", as_attachment=True, download_name=f"{row.public_id}.eml"
    )
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/tickets/<code>/mails/<mail_id>")
@require(Permission.VIEW_DESK)
def show_ticket_mail(code: str, mail_id: str) -> Any:
    """A mail of a ticket: its text, then its cleaned HTML with the images that came along."""
    ticket = queries.find_ticket(code, by=actor())
    row = quarantine.find_mail_of(ticket, mail_id)
    images = {
        cid: url_for("desk.download_file", code=ticket.code, public_id=file)
        for cid, file in row.inline.items()
    }
    too_much = False
    try:
        html, left_out = clean_apart(row.html, images) if row.html else (None, False)
    except TooMuch:
        html, left_out, too_much = None, False, True
    return render_template(
        "desk/show_ticket_mail.html",
        ticket=ticket,
        mail=row,
        html=html,
        left_out=left_out,
        too_much=too_much,
    )


def build_mails(*, ticket: Ticket, said: Sequence[Message], staff: bool, **_more: Any) -> Panel | None:
    """The panel of the mails that a ticket was made of, for staff; looked for where something came by mail."""
    mailed = staff and (ticket.source == "mail" or any(one.via == "mail" for one in said))
    found = quarantine.list_mails_of(ticket) if mailed else []
    if not found:
        return None
    most = quarantine.MOST_LISTED
    return ("desk/mails_panel.html", {"mails": found[-most:], "is_cut": len(found) > most, "most": most})
