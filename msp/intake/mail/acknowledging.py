"""Whether whoever wrote a mail hears that it arrived: rarely, never a program, and without an echo for strangers."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from msp.intake.mail import rules
from msp.intake.mail.models import IncomingMail
from tenants.foundation.db import db
from tenants.tickets.models import Ticket


def how_to_acknowledge(ticket: Ticket, at: datetime) -> str:
    """`whole`, `plain` (nothing of what the mail said) or `none`; what is given counts. In the ticket's scope."""
    asked = select(IncomingMail).where(
        IncomingMail.for_tenant_id == ticket.tenant_id,
        IncomingMail.ticket_id == ticket.id,
        IncomingMail.outcome.in_(("ticket", "follow_up")),
    )
    mail = db.session.scalars(asked.order_by(IncomingMail.id).limit(1)).one_or_none()
    if mail is None or mail.is_automatic or mail.acknowledged_at is not None or not mail.sender:
        return "none"
    # Of two at once the second sees the first one's count.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"acknowledge {mail.sender}"))))
    hour, day = (_count(mail.sender, at - span) for span in (rules.ACKNOWLEDGED_EVERY, timedelta(days=1)))
    if not rules.may_acknowledge(hour=hour, day=day, is_verified=mail.is_verified):
        return "none"
    mail.acknowledged_at = at
    return "whole" if mail.is_verified else "plain"


def _count(sender: str, since: datetime) -> int:
    asked = select(func.count()).where(IncomingMail.sender == sender, IncomingMail.acknowledged_at > since)
    return db.session.scalar(asked) or 0
