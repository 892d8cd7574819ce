"""Telling a requester that staff ask for leave to work on their machine."""

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.readers import find_reader
from msp.mail.services import queue_mail
from tenants.foundation.db import db
from tenants.foundation.work import Claimed, request_work
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets.events import RemoteSessionAsked
from tenants.tickets.models import Ticket
from tenants.tickets.remote_models import RemoteSession


def ask_by_mail(event: RemoteSessionAsked) -> None:
    """Reaction: the requester hears that an answer is awaited in the portal."""
    request_work(
        "ask_for_consent", tenant_id=event.tenant_id, arguments={"session": event.session_id}, queue="mail"
    )


@job("ask_for_consent", queue="mail")
def ask_for_consent(work: Claimed) -> None:
    """Queue the mail, unless it was answered meanwhile or the requester has no account to answer with."""
    session = db.session.scalars(
        select(RemoteSession).where(RemoteSession.id == work.arguments["session"])
    ).one()
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == session.ticket_id)).one()
    if session.state != "asked" or not ticket.requester_email or ticket.requester_user_id is None:
        return
    tenant, reader = find_tenant_by_id(ticket.tenant_id), find_reader(ticket.requester_user_id)
    context = {
        "ticket": ticket,
        "session": session,
        "name": ticket.requester_name,
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "action_url": address_of("portal.show_ticket", code=ticket.code),
    }
    queue_mail(
        ticket.tenant_id,
        to=ticket.requester_email,
        template="remote_asked",
        language=reader.language or tenant.language,
        context=context,
        unwanted=reader.unwanted,
        key=f"remote:{session.id}",
        thread=f"ticket-{ticket.code}",
    )
