"""Addresses that answers come in by."""

from sqlalchemy import select

from msp.mail.replies import case_address
from tenants.foundation.db import db
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import VendorCase


def reply_address_for_case(case: VendorCase) -> str | None:
    """Where a vendor's answer to this case goes; None while MAIL_REPLY_DOMAIN is not set. In the tenant's scope."""
    found = select(Ticket.code).where(Ticket.tenant_id == case.tenant_id, Ticket.id == case.ticket_id)
    return case_address(case.tenant_id, case.ticket_id, db.session.scalars(found).one(), case.id)
