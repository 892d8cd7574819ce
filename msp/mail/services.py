"""Queueing mails: rendered in the reader's language, written into the outbox, sent by a job."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.mail import addresses, late
from msp.mail.models import OutgoingMail
from msp.web.languages import LANGUAGES
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.work import request_work

# What a person may have sent once more.
SEND_AGAIN = ("failed", "unknown")


def queue_mail(
    tenant_id: int,
    *,
    to: str,
    template: str,
    language: str | None,
    context: dict[str, Any],
    unwanted: Collection[str] = (),
    key: str | None = None,
    thread: str | None = None,
    encloses: str | None = None,
    reply_to: str | None = None,
) -> None:
    """Write a mail into the outbox of a tenant and ask for it to be sent, in the transaction in force.

    `template` names `templates/mail/NAME.{txt,html}`; one among the `unwanted` of its reader is not sent. A second mail
    with the same `key` is absorbed. `thread` names the conversation that the mail belongs to, `encloses` what it brings
    along (see `enclosures`), `reply_to` where answers go.
    """
    if template in unwanted:
        return
    chosen = language if language in LANGUAGES else current_app.extensions["settings"].language
    with force_locale(chosen):
        subject, text, html = render(template, {"locale": chosen, **context})
    letter = late.Letter(tenant_id, f"<{uuid.uuid4()}@{addresses.host()}>", to)
    row = {
        "tenant_id": tenant_id,
        "to_address": to,
        "subject": subject,
        "text": late.bind(letter, text),
        "html": late.bind(letter, html),
        "language": chosen,
        "template": template,
        "public_id": uuid.uuid4(),
        "state": "queued",
        "message_id": letter.message_id,
        "thread": thread and f"<{thread}@{addresses.host()}>",
        "key": key,
        "encloses": encloses,
        "reply_to": reply_to,
        "attempts": 0,
        "queued_at": time.now(),
    }
    written = insert(OutgoingMail).values(**row).on_conflict_do_nothing().returning(OutgoingMail.id)
    mail_id = db.session.execute(written).scalar_one_or_none()
    if mail_id is not None:
        request_work("send_mail", tenant_id=tenant_id, arguments={"mail": mail_id}, queue="mail")


def send_again(mail: OutgoingMail, *, by: Actor, at: datetime) -> None:
    """Send a mail that failed, or of which nobody knows whether it arrived, once more. Raises Conflict.

    Its Message-ID stays, so that a mailbox which has it already can tell.
    """
    locked = select(OutgoingMail).where(OutgoingMail.id == mail.id).with_for_update()
    db.session.scalars(locked.execution_options(populate_existing=True)).one()
    if mail.state not in SEND_AGAIN:
        raise Conflict(_l("This mail is sent, or on its way."))
    mail.state, mail.queued_at, mail.attempts, mail.last_error = "queued", at, 0, None
    audit.record(
        "mail.sent_again",
        tenant_id=mail.tenant_id,
        by=by,
        object=f"mail {mail.public_id}",
        at=at,
        detail={"to": mail.to_address, "template": mail.template},
    )
    request_work("send_mail", tenant_id=mail.tenant_id, arguments={"mail": mail.id}, queue="mail")


def render(template: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML of a mail in the language in force."""
    words = current_app.jinja_env.get_template(f"mail/{template}.txt")
    full = dict(context)
    current_app.update_template_context(full)
    subject = " ".join("".join(words.blocks["subject"](words.new_context(full))).split())
    text = render_template(f"mail/{template}.txt", **context)
    return subject[:300], text, render_template(f"mail/{template}.html", **context)
