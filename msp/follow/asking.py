"""Asking for the link to a ticket by its code: it goes to the requester's mailbox, whoever asks."""

from typing import Any

from flask import current_app, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from msp.background.jobs import job
from msp.follow.blueprint import bp
from msp.follow.forms import AskLinkForm
from msp.mail.followers import followed_at
from msp.mail.services import queue_mail
from msp.web.access import public
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Claimed, request_work
from tenants.people import limits
from tenants.people.accounts import normal_email
from tenants.tenancy.models import Tenant
from tenants.tickets.codes import Mistyped, parse
from tenants.tickets.models import Ticket


@bp.route("/", methods=["GET", "POST"])
@public("a requester without an account has nothing but the code")
@limiter.limit("20/minute")
def ask_for_link() -> Any:
    """Type a code and the address. What is no code is a typing error; else the answer is the same for everybody."""
    form = AskLinkForm()
    if not form.validate_on_submit():
        return render_template("follow/ask_for_link.html", form=form), 422 if form.errors else 200
    try:
        code = parse(form.code.data or "")
    except Mistyped:
        form.code.errors = [_("This cannot be a ticket's code: check your typing.")]
        return render_template("follow/ask_for_link.html", form=form), 422
    email, at = normal_email(form.email.data or ""), time.now()
    limits.take(limits.RESET_SOURCE, limits.source_of(request.remote_addr), at=at)
    limits.take(limits.RESET_ACCOUNT, email, at=at)
    _ask(code, email)
    db.session.commit()
    return render_template("follow/link_asked.html")


def _ask(code: str, email: str) -> None:
    """Ask for a job in the tenant of the code's prefix: it alone looks whether there is such a ticket."""
    prefix = code.partition("-")[0]
    tenant_id = db.session.scalar(select(Tenant.id).where(Tenant.prefix == prefix, Tenant.state == "active"))
    if tenant_id is not None:
        request_work(
            "send_follow_link", tenant_id=tenant_id, arguments={"code": code, "email": email}, queue="mail"
        )


@job("send_follow_link", queue="mail")
def send_follow_link(claimed: Claimed) -> None:
    """Queue the link for the requester of the ticket with this code, if this is the requester's address."""
    code, email = str(claimed.arguments["code"]), str(claimed.arguments["email"])
    named = select(Ticket).where(Ticket.code == code, func.lower(Ticket.requester_email) == email)
    ticket = db.session.scalars(named).one_or_none()
    if ticket is None:
        return
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == ticket.tenant_id)).one()
    queue_mail(
        ticket.tenant_id,
        to=email,
        template="ticket_link",
        language=tenant.language,
        context={
            "ticket": ticket,
            "current_tenant": tenant,
            "provider_name": current_app.extensions["settings"].provider_name,
            "name": ticket.requester_name,
            "action_url": followed_at(ticket),
        },
        thread=f"ticket-{ticket.code}",
    )
