"""Sending what is queued.

A mail is marked as being sent in a transaction of its own before it is given away. Whoever finds that mark without the
word "sent" does not know whether it arrived, and does not send it again: nobody gets a mail twice. Such a mail ends as
`unknown`, for a person to look at.
"""

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import structlog
from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.mail import enclosures, late, replies, transport
from msp.mail.enclosures import Enclosure
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Claimed, request_work

log = structlog.get_logger()
GIVE_UP_AFTER = timedelta(days=3)
LONGEST_PAUSE = timedelta(minutes=30)


@job("send_mail", queue="mail")
def send_mail(work: Claimed) -> None:
    """Send one mail of the outbox, if it is still to be sent; while the server is away, ask again later."""
    mail_id = work.arguments["mail"]
    try:
        enclosed = _enclosed(work.tenant_id, mail_id)
    except enclosures.NotMade as later:
        _put_off(mail_id, str(later))
        return
    if not _claim(work.tenant_id, mail_id):
        return
    mail = _find(mail_id)
    mail.attempts += 1
    try:
        reply_to = replies.reply_address_of_mail(mail)
        transport.deliver(current_app.extensions["settings"].mail_url, compose(mail, enclosed, reply_to))
    except transport.NotSent as later:
        _try_later(mail, str(later))
    except (transport.Refused, ValueError) as never:
        _end(mail, "failed", str(never))
    except transport.MaybeSent as unsure:
        _end(mail, "unknown", str(unsure))
    else:
        mail.state, mail.sent_at, mail.last_error = "sent", time.now(), None


def _enclosed(tenant_id: int, mail_id: int) -> Enclosure | None:
    """What the mail brings along. Made before it is claimed: whoever dies meanwhile has certainly not sent it."""
    with enter(of_tenant(tenant_id)):
        mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.id == mail_id)).one_or_none()
        if mail is None or mail.state != "queued" or mail.encloses is None:
            return None
        return enclosures.make(mail.encloses, mail.language)


def _put_off(mail_id: int, why: str) -> None:
    mail = _find(mail_id)
    if mail.state == "queued":
        mail.attempts += 1
        _try_later(mail, why)


def _find(mail_id: int) -> OutgoingMail:
    return db.session.scalars(select(OutgoingMail).where(OutgoingMail.id == mail_id)).one()


def _claim(tenant_id: int, mail_id: int) -> bool:
    """Mark it as being sent, committed at once; False when there is nothing to send."""
    with enter(of_tenant(tenant_id)):
        row = select(OutgoingMail).where(OutgoingMail.id == mail_id).with_for_update()
        mail = db.session.scalars(row).one_or_none()
        if mail is None or mail.state not in ("queued", "sending"):
            return False
        fresh = mail.state == "queued"
        if fresh:
            mail.state = "sending"
        else:
            _end(mail, "unknown", "the sender was stopped while it was sending")
        db.session.commit()
        return fresh


def _try_later(mail: OutgoingMail, why: str) -> None:
    if time.now() - mail.queued_at > GIVE_UP_AFTER:
        _end(mail, "failed", why)
        return
    mail.state, mail.last_error = "queued", why[:2000]
    pause = min(timedelta(seconds=15 * 2 ** min(mail.attempts - 1, 10)), LONGEST_PAUSE)
    again: datetime = time.now() + pause
    request_work(
        "send_mail", tenant_id=mail.tenant_id, arguments={"mail": mail.id}, queue="mail", due_at=again
    )


def _end(mail: OutgoingMail, state: str, why: str) -> None:
    mail.state, mail.last_error = state, why[:2000]
    log.warning("mail not sent", mail=mail.id, state=state, why=why[:200])


def compose(
    mail: OutgoingMail, enclosed: Enclosure | None = None, reply_to: str | None = None
) -> EmailMessage:
    """The mail as it goes over the wire. Raises ValueError for an address that is none."""
    message = EmailMessage()
    settings = current_app.extensions["settings"]
    message["From"] = settings.mail_from
    message["To"] = mail.to_address
    if len(message["To"].addresses) != 1 or not message["From"].addresses:
        raise ValueError("not an address")
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.queued_at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = mail.language
    if answers := mail.reply_to or reply_to:
        message["Reply-To"] = answers
    if mail.thread:
        message["References"] = mail.thread
        message["In-Reply-To"] = mail.thread
    letter = late.Letter(mail.tenant_id, mail.message_id, mail.to_address)
    message.set_content(late.fill(letter, mail.text))
    message.add_alternative(late.fill(letter, mail.html), subtype="html")
    if enclosed is not None:
        _enclose(message, enclosed)
    return message


def _enclose(message: EmailMessage, enclosed: Enclosure) -> None:
    """Attach a file; one with parameters is one more form of the mail too, as calendars expect of invitations."""
    maintype, _, subtype = enclosed.media_type.partition("/")
    if enclosed.parameters:
        text = enclosed.content.decode()
        message.add_alternative(text, subtype=subtype, params=dict(enclosed.parameters))
    message.add_attachment(
        enclosed.content,
        maintype=maintype,
        subtype=subtype,
        filename=enclosed.name,
        params=dict(enclosed.parameters),
    )
