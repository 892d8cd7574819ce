"""Mails for tests: written as people and servers write them, and brought in as a gateway does."""

from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from flask import Flask
from sqlalchemy import select

from msp.intake.mail import keeping, mailboxes
from msp.intake.mail.models import IncomingMail, Mailbox
from msp.intake.mail.parsing import Reader
from msp.intake.mail.sorting import sort_one
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import find_tenant_by_id

EDGE = "mx.portal.test"
DESK = "help@portal.test"
OWNER = Actor.system("tests")


def add_mailbox(cast: Any, *, default: str | None = None, address: str = DESK, **changes: Any) -> Mailbox:
    """A mailbox that mail is brought to; `default` is the client of unknown senders."""
    tenants = {cast.tenants["provider"]} | ({cast.tenants[default]} if default else set())
    from tenants.foundation.scope import Role, Scope

    with enter(Scope(Role.WORKER, frozenset(tenants))):
        tenant = find_tenant_by_id(cast.tenants[default]) if default else None
        box = mailboxes.Box(name=f"Desk {address}", address=address, default_tenant=tenant, **changes)
        row = mailboxes.add_mailbox(box, by=OWNER, at=time.now())
        db.session.commit()
        db.session.expunge(row)
        return row


def write(
    sender: str = "bob@example.test",
    *,
    to: str = DESK,
    subject: str = "Printer on fire",
    text: str = "It burns.",
    html: str = "",
    files: Sequence[tuple[str, bytes]] = (),
    dmarc: str | None = "pass",
    **headers: str,
) -> bytes:
    """A plain mail as it lies in the mailbox; `dmarc` is what our edge found, None when it said nothing."""
    message = EmailMessage()
    if dmarc:
        domain = sender.rpartition("@")[2].rstrip(">")
        message["Authentication-Results"] = f"{EDGE}; dmarc={dmarc} header.from={domain}"
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def bring(
    app: Flask, cast: Any, mailbox: Mailbox, *raws: bytes, at: Any = None, deferred: bool = True
) -> list[IncomingMail]:
    """Keep mails and sort them; the rows as they are then, one for each, repeats included.

    Not `deferred`: they come as slowly as the limit on senders allows.
    """
    own_id, found = cast.tenants["provider"], []
    at = at or time.now()
    with app.app_context(), Reader(len(raws)) as reader:
        for number, raw in enumerate(raws):
            slow = timedelta() if deferred else timedelta(seconds=2 * number)
            found.append(_bring_one(mailbox, raw, own_id, reader, at + slow))
    return found


def _bring_one(mailbox: Mailbox, raw: bytes, own_id: int, reader: Reader, at: Any) -> IncomingMail:
    from hashlib import sha256

    with enter(of_tenant(own_id)):
        keeping.keep_mail(mailbox, raw, own_id=own_id, channel="command", at=at)
        db.session.commit()
    asked = select(IncomingMail).where(
        IncomingMail.mailbox_id == mailbox.id, IncomingMail.sha256 == sha256(raw).hexdigest()
    )
    with enter(of_tenant(own_id)):
        mail_id = db.session.scalars(asked).one().id
    sort_one(mail_id, own_id=own_id, reader=reader, at=at)
    with enter(of_tenant(own_id)):
        row = db.session.scalars(asked).one()
        db.session.expunge(row)
        return row
