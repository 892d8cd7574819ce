"""The outbox: what the portal sent to whom, what failed and why, and sending it once more."""

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import Select, select, tuple_

from msp.console.blueprint import bp
from msp.mail.late import conceal
from msp.mail.models import STATES, OutgoingMail
from msp.mail.services import SEND_AGAIN
from msp.mail.services import send_again as send_once_more
from msp.web import navigation
from msp.web.access import actor, require
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import as_uuid, find_tenant, list_tenant_names

PLACE = navigation.Place(
    _l("Mails sent"), "console.list_mails", "envelope", Permission.VIEW_OUTBOX, staff=True, order=88
)


@bp.get("/mails")
@require(Permission.VIEW_OUTBOX)
def list_mails() -> Any:
    """What is not sent, of all clients; everything of one client; newest first."""
    after, limit = asked(datetime, int)
    slug, state = request.args.get("tenant", ""), request.args.get("state", "")
    found = _narrowed(find_tenant(slug).id if slug else None, state)
    if after is not None:
        found = found.where(tuple_(OutgoingMail.queued_at, OutgoingMail.id) < tuple_(*after))
    newest = found.order_by(OutgoingMail.queued_at.desc(), OutgoingMail.id.desc())
    rows = db.session.scalars(newest.limit(limit + 1)).all()
    names = list_tenant_names()
    return render_template(
        "console/list_mails.html",
        page=cut(rows, limit, lambda mail: (mail.queued_at, mail.id)),
        clients=[(one.slug, one.name) for one in names],
        tenants={one.id: one for one in names},
        asked=request.args,
        states=STATES,
    )


def _narrowed(tenant_id: int | None, state: str) -> Select[Any]:
    """Sent mails of all clients at once have no order that could be read cheaply."""
    found = select(OutgoingMail)
    if tenant_id is not None:
        found = found.where(OutgoingMail.tenant_id == tenant_id)
    else:
        found = found.where(OutgoingMail.state != "sent")
    if state in STATES:
        found = found.where(OutgoingMail.state == state)
    address = request.args.get("q", "").strip()[:254]
    return found.where(OutgoingMail.to_address == address) if address else found


def _find(public_id: str) -> OutgoingMail:
    mail = db.session.scalar(select(OutgoingMail).where(OutgoingMail.public_id == as_uuid(public_id)))
    if mail is None:
        raise NotFound
    return mail


@bp.get("/mails/<public_id>")
@require(Permission.VIEW_OUTBOX)
def show_mail(public_id: str) -> Any:
    """One mail as text, with what became of it. Secret links are not in the outbox."""
    mail = _find(public_id)
    may_send = mail.state in SEND_AGAIN
    return render_template("console/show_mail.html", mail=mail, text=conceal(mail.text), may_send=may_send)


@bp.post("/mails/<public_id>/again")
@require(Permission.RESEND_MAILS)
def send_mail_again(public_id: str) -> Any:
    """Send a mail once more that failed, or of which nobody knows."""
    mail = _find(public_id)
    if FlaskForm().validate_on_submit():
        send_once_more(mail, by=actor(), at=time.now())
        db.session.commit()
        flash(_("The mail is on its way again."), "good")
    return redirect(url_for("console.show_mail", public_id=public_id))
