"""Whether whoever wrote a mail hears that it arrived: rarely, never a program, and without an echo for strangers."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from msp.intake.mail import rules
from msp.intake.mail.models import IncomingMail
from tenants.foundation.db import db
from tenants.tickets.models import Ticket

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


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
    # All share one budget: of two at once the second sees the first one's count.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("acknowledge mail"))))
    if not rules.may_acknowledge(_answered(mail, at), is_verified=mail.is_verified):
        return "none"
    mail.acknowledged_at = at
    return "whole" if mail.is_verified else "plain"


def _answered(mail: IncomingMail, at: datetime) -> rules.Answered:
    """How many automatic answers went out, in two statements of which none reads more than the budget."""
    when = IncomingMail.acknowledged_at
    to_sender = db.session.execute(
        select(func.count().filter(when > at - HOUR), func.count()).where(
            IncomingMail.sender == mail.sender, when > at - DAY
        )
    ).one()
    of_all = db.session.execute(
        select(
            func.count().filter(IncomingMail.mailbox_id == mail.mailbox_id, when > at - MINUTE),
            func.count().filter(when > at - 5 * MINUTE),
            func.count(),
        ).where(when > at - HOUR)
    ).one()
    return rules.Answered(
        sender_hour=to_sender[0],
        sender_day=to_sender[1],
        mailbox_minute=of_all[0],
        all_five_minutes=of_all[1],
        all_hour=of_all[2],
    )
