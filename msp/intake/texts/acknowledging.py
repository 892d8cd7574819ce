"""Whoever opens a ticket by text hears once that it is there: its code, and where it can be followed."""

from datetime import datetime, timedelta

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from msp.background.jobs import job
from msp.intake.texts import gateway
from msp.intake.texts.models import CHANNELS, TextThread
from msp.intake.texts.sending import queue_text
from msp.mail.followers import followed_by_text
from msp.mail.readers import find_reader
from msp.web.languages import LANGUAGES
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import TooMany
from tenants.foundation.scope import enter, gate
from tenants.foundation.work import Claimed, request_work
from tenants.people import limits
from tenants.tenancy.models import Tenant
from tenants.tickets.events import TicketOpened
from tenants.tickets.models import Ticket

# Numbers can be forged like addresses, and each text costs money.
TO_NUMBER = limits.Limit("automatic texts to a number", 3, timedelta(hours=1))
TO_ALL = limits.Limit("automatic texts", 200, timedelta(hours=1))


def acknowledge_text(event: TicketOpened) -> None:
    """Reaction: the number that a ticket came from hears of it."""
    ticket = db.session.get(Ticket, (event.tenant_id, event.ticket_id))
    if ticket is not None and ticket.source in CHANNELS:
        request_work(
            "acknowledge_text", tenant_id=event.tenant_id, arguments={"ticket": ticket.id}, queue="mail"
        )


@job("acknowledge_text", queue="mail")
def send_acknowledgement(work: Claimed) -> None:
    """Queue the text, once, unless there were too many."""
    ticket = db.session.get_one(Ticket, (work.tenant_id, work.arguments["ticket"]))
    asked = select(TextThread).where(
        TextThread.tenant_id == ticket.tenant_id, TextThread.ticket_id == ticket.id
    )
    thread, at = db.session.scalar(asked), time.now()
    if thread is None or not gateway.is_on():
        return
    if _is_within_budget(thread.number, at):
        with force_locale(_language(ticket)):
            queue_text(thread, _words(ticket), key=f"opened:{ticket.id}", at=at)


def _is_within_budget(number: str, at: datetime) -> bool:
    """Count one automatic text; False, and nothing counted, where that would be too many."""
    try:
        with enter(gate()):
            limits.take(TO_NUMBER, number, at=at)
            limits.take(TO_ALL, "", at=at)
            db.session.commit()
    except TooMany:
        return False
    return True


def _language(ticket: Ticket) -> str:
    """The person's, else the client's."""
    chosen = find_reader(ticket.requester_user_id).language
    if chosen is None:
        chosen = db.session.scalars(select(Tenant.language).where(Tenant.id == ticket.tenant_id)).one()
    return chosen if chosen in LANGUAGES else current_app.extensions["settings"].language


def _words(ticket: Ticket) -> str:
    return _(
        "We have your message. Your ticket is %(code)s; we answer here. Follow it: %(link)s",
        code=ticket.code,
        link=followed_by_text(ticket),
    )
