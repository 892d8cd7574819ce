"""Mails for tests: written as people and servers write them, and brought in as a gateway does."""

from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
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


def add_mailbox(
    cast: Any, *, default: str | None = None, address: str = DESK, paused: bool = False, **changes: Any
) -> Mailbox:
    """A mailbox that mail is brought to; `default` is the client of unknown senders."""
    tenants = {cast.tenants["provider"]} | ({cast.tenants[default]} if default else set())
    from tenants.foundation.scope import Role, Scope

    with enter(Scope(Role.WORKER, frozenset(tenants))):
        tenant = find_tenant_by_id(cast.tenants[default]) if default else None
        box = mailboxes.Box(name=f"Desk {address}", address=address, default_tenant=tenant, **changes)
        row = mailboxes.add_mailbox(box, by=OWNER, at=time.now())
        if paused:
            mailboxes.pause_mailbox(row, by=OWNER, at=time.now())
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
    own_id, at = cast.tenants["provider"], at or time.now()
    with app.app_context():
        ids = _keep(mailbox, raws, own_id, at)
        with Reader(len(raws)) as reader:
            for number, mail_id in enumerate(dict.fromkeys(ids)):
                slow = timedelta() if deferred else timedelta(seconds=2 * number)
                sort_one(mail_id, own_id=own_id, reader=reader, at=at + slow)
        with enter(of_tenant(own_id)):
            rows = {one.id: one for one in db.session.scalars(select(IncomingMail))}
            db.session.expunge_all()
    return [rows[one] for one in ids]


def _keep(mailbox: Mailbox, raws: Sequence[bytes], own_id: int, at: Any) -> list[int]:
    """The ids of the rows, one for each mail."""
    with enter(of_tenant(own_id)):
        for raw in raws:
            keeping.keep_mail(mailbox, raw, own_id=own_id, channel="command", at=at)
        db.session.commit()
        asked = select(IncomingMail.sha256, IncomingMail.id).where(IncomingMail.mailbox_id == mailbox.id)
        known = {row[0]: row[1] for row in db.session.execute(asked)}
    return [known[sha256(raw).hexdigest()] for raw in raws]
