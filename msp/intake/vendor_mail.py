"""What a vendor is asked, by mail; the answer comes back to an address of its own where mail is received."""

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.intake.addresses import reply_address_for_case
from msp.mail.services import queue_mail
from tenants.foundation.db import db
from tenants.foundation.work import Claimed, request_work
from tenants.tickets.events import VendorAsked
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import VendorCase


def ask_vendor(event: VendorAsked) -> None:
    """Reaction: a case that is to be mailed is asked for."""
    request_work("mail_vendor", tenant_id=event.tenant_id, arguments={"case": event.case_id}, queue="mail")


@job("mail_vendor", queue="mail")
def mail_vendor(work: Claimed) -> None:
    """Queue the mail of a case, once; nothing for a case that was told otherwise."""
    case = db.session.scalars(select(VendorCase).where(VendorCase.id == work.arguments["case"])).one()
    if not case.is_mailed or not case.contact_email:
        return
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == case.ticket_id)).one()
    context = {
        "case": case,
        "ticket": ticket,
        "provider_name": current_app.extensions["settings"].provider_name,
    }
    queue_mail(
        ticket.tenant_id,
        to=case.contact_email,
        template="vendor_case",
        language=None,
        context=context,
        key=f"vendor-case:{case.id}",
        thread=f"vendor-case-{case.public_id}",
        reply_to=reply_address_for_case(case),
    )
