"""Texts of numbers that nobody knows: staff say whose they are."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length

from msp.desk.blueprint import bp
from msp.intake.reception import come_in
from msp.intake.texts import arriving, gateway
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import as_uuid, find_tenant, list_all_tenants
from tenants.tickets.models import Ticket


class PlaceTextForm(FlaskForm):
    """Whose text it is; the client comes with the button's form."""

    name = StringField(_l("Who writes?"), [Length(max=120, message=_l("A name has at most 120 characters."))])
    reason = StringField(
        _l("Why is nothing left to do?"),
        [Length(max=300, message=_l("Say in one line why there is nothing left to do."))],
    )


@bp.get("/messages")
@require(Permission.WORK_TICKETS)
def list_texts() -> Any:
    """What waits to be placed, oldest first."""
    return _page(come_in(actor()), PlaceTextForm(formdata=None))


def _page(own: int, form: PlaceTextForm, wrong: str = "") -> Any:
    granted = [one for one in list_all_tenants() if one.id in actor().tenants and one.kind == "client"]
    page = render_template(
        "desk/list_texts.html",
        texts=arriving.list_waiting(own),
        form=form,
        wrong=wrong,
        clients=granted,
        is_on=gateway.is_on(),
        webhook=gateway.webhook_address() if _shows_address() else "",
    )
    return page, form_status()


def _shows_address() -> bool:
    return gateway.is_on() and actor().may(Permission.MANAGE_TENANTS)


@bp.post("/messages/<text>/place")
@require(Permission.WORK_TICKETS)
def place_text(text: str) -> Any:
    """It becomes a ticket of the client that is chosen."""
    own, form = come_in(actor()), PlaceTextForm()
    about = as_uuid(text)
    made: list[Ticket] = []
    if not acted(form, lambda: made.append(_place(own, about, form))):
        return _page(own, form, text)
    code = made[0].code
    flash(_("The text is ticket %(code)s now.", code=code), "good")
    return redirect(url_for("desk.show_ticket", code=code))


def _place(own: int, about: Any, form: PlaceTextForm) -> Ticket:
    kept = arriving.find_waiting(own, about)
    slug = request.form.get("whose", "")
    if not slug:
        raise Invalid("name", _l("Choose the company."))
    tenant = find_tenant(slug)
    if tenant.id not in actor().tenants or tenant.kind != "client":
        raise NotFound
    return arriving.place_text(kept, tenant, form.name.data or "", by=actor(), at=time.now())


@bp.post("/messages/<text>/dismiss")
@require(Permission.WORK_TICKETS)
def dismiss_text(text: str) -> Any:
    """Nothing is to be done."""
    own, form = come_in(actor()), PlaceTextForm()
    about = as_uuid(text)

    def act() -> None:
        kept = arriving.find_waiting(own, about)
        arriving.dismiss_text(kept, form.reason.data or "", by=actor(), at=time.now())

    if not acted(form, act):
        return _page(own, form, text)
    flash(_("The text is put aside."), "good")
    return redirect(url_for("desk.list_texts"))
