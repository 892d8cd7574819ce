"""Asking a vendor about a ticket: what was asked, acknowledged and answered."""

from decimal import Decimal
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import Length, Optional

from msp.desk.blueprint import bp
from msp.desk.states import back, form_page
from msp.threads.acting import acted, form_status
from msp.threads.forms import ActForm, words
from msp.web.access import actor, require
from msp.web.fields import HoursField, mail_address, options, plain_text
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries, services
from tenants.tickets.directory import list_vendors
from tenants.tickets.hand_overs import latest_hand_over
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import Vendor, VendorCase
from tenants.tickets.vendors import LONGEST_TEXT, VendorAsk, acknowledge_case, find_case

CALENDARS = (("contract", _l("by the contract's calendar")), ("always", _l("around the clock")))


def _line(label: Any, longest: int, *rules: Any) -> Any:
    said = _l("Write one line of at most %(max)s characters.", max=longest)
    return StringField(label, [Optional(), Length(max=longest, message=said), plain_text, *rules])


class CaseForm(ActForm):
    """Whom to ask, and what."""

    known = HiddenField()
    vendor = _line(_l("Vendor"), 120)
    contact_name = _line(_l("Contact there"), 120)
    contact_email = _line(_l("Their e-mail address"), 254, mail_address)
    contact_phone = _line(_l("Their phone number"), 40)
    reference = _line(_l("Their reference"), 120)
    promised_hours = HoursField(_l("Answer promised within, in hours"))
    calendar = SelectField(_l("Hours count"), choices=options(CALENDARS), default="contract")
    subject = _line(_l("Subject"), 200)
    body = words(_l("What they are asked"), "", longest=LONGEST_TEXT, required=False)
    is_mailed = BooleanField(_l("Send it by mail now"))

    def ask(self, vendor: Vendor | None) -> VendorAsk:
        """What was typed; `vendor` is the one of the directory that was chosen."""
        hours = self.promised_hours.data
        return VendorAsk(
            vendor=self.vendor.data or "",
            reference=self.reference.data or "",
            promised_minutes=None if hours is None else round(hours * 60),
            calendar=self.calendar.data,
            vendor_id=vendor.id if vendor and vendor.name == self.vendor.data else None,
            contact_name=self.contact_name.data or "",
            contact_email=self.contact_email.data or "",
            contact_phone=self.contact_phone.data or "",
            subject=self.subject.data or "",
            body=self.body.data or "",
            is_mailed=self.is_mailed.data,
        )


class AnswerForm(ActForm):
    """What they answered."""

    answer = words(
        _l("What did they answer?"),
        _l("Write what the vendor answered, in at most 20,000 characters."),
        longest=LONGEST_TEXT,
    )


class AcknowledgeForm(ActForm):
    """Under which reference they have it."""

    reference = _line(_l("Their reference"), 120)


@bp.route("/tickets/<code>/vendor-cases/new", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def open_vendor_case(code: str) -> Any:
    """Ask a vendor; the ticket waits for the answer."""
    ticket = queries.find_ticket(code, by=actor())
    known = list_vendors()
    key = request.form.get("known") or request.args.get("vendor", "")
    chosen = next((one for one in known if str(one.public_id) == key), None)
    form = CaseForm(obj=None, data=_proposal(ticket, chosen))
    if acted(form, lambda: _open(ticket, form, chosen)):
        return back(ticket, _("The case is open. The ticket waits for the vendor."))
    return form_page(
        "open_vendor_case",
        ticket,
        form,
        vendors=known,
        options=[(str(one.public_id), one.name) for one in known],
        chosen=chosen,
    )


def _open(ticket: Ticket, form: CaseForm, chosen: Vendor | None) -> None:
    services.wait_for_vendor(ticket, form.ask(chosen), by=actor(), at=time.now(), rev=form.seen)


def _proposal(ticket: Ticket, vendor: Vendor | None) -> dict[str, Any]:
    """What the directory knows of the vendor, and what the last hand-over said."""
    proposed: dict[str, Any] = {"subject": ticket.subject, "body": _briefing(ticket)}
    if vendor is not None:
        promised = vendor.promised_minutes
        proposed |= {
            "known": str(vendor.public_id),
            "vendor": vendor.name,
            "contact_name": vendor.contact_name,
            "contact_email": vendor.email,
            "contact_phone": vendor.phone,
            "promised_hours": None if promised is None else Decimal(promised) / 60,
            "calendar": vendor.calendar,
            "is_mailed": bool(vendor.email),
        }
    return proposed


def _briefing(ticket: Ticket) -> str:
    passed = latest_hand_over(ticket)
    if passed is None:
        return ""
    said = (
        (_("What the requester sees"), passed.symptoms),
        (_("Tried"), passed.tried),
        (_("Evidence"), passed.evidence),
        (_("Suspected cause"), passed.suspected_cause),
    )
    return "\n\n".join(f"{label}:\n{text}" for label, text in said if text)


@bp.route("/tickets/<code>/vendor-cases/<case_id>", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def show_vendor_case(code: str, case_id: str) -> Any:
    """What was asked and answered; writing down the answer ends the case."""
    ticket = queries.find_ticket(code, by=actor())
    case, form = find_case(ticket, case_id), AnswerForm()
    if acted(form, lambda: _answer(ticket, case, form)):
        return back(ticket, _("The answer is written down. Work goes on."))
    return _page(ticket, case, form, AcknowledgeForm(formdata=None, data={"reference": case.reference}))


def _answer(ticket: Ticket, case: VendorCase, form: AnswerForm) -> None:
    services.answer_vendor(ticket, case, answer=form.answer.data or "", by=actor(), at=time.now())


@bp.post("/tickets/<code>/vendor-cases/<case_id>/acknowledge")
@require(Permission.WORK_TICKETS)
def acknowledge_vendor_case(code: str, case_id: str) -> Any:
    """They have it."""
    ticket = queries.find_ticket(code, by=actor())
    case, form = find_case(ticket, case_id), AcknowledgeForm()
    if acted(
        form,
        lambda: acknowledge_case(
            ticket, case, reference=form.reference.data or "", by=actor(), at=time.now()
        ),
    ):
        return back(ticket, _("It is written down that they have it."))
    return _page(ticket, case, AnswerForm(formdata=None), form)


def _page(ticket: Ticket, case: VendorCase, form: AnswerForm, acknowledging: AcknowledgeForm) -> Any:
    page = render_template(
        "desk/show_vendor_case.html",
        ticket=ticket,
        case=case,
        form=form,
        acknowledging=acknowledging,
        now=time.now(),
    )
    return page, form_status()
