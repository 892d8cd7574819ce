"""Keeping what came in: first the bytes on disk, then the row, and only then does anybody else hear of it."""

import io
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.intake.mail.models import IncomingMail, Mailbox
from tenants.files import storage
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import enter, gate
from tenants.foundation.work import request_work
from tenants.tenancy.models import Tenant


def own_tenant_id() -> int:
    """The provider's own tenant: under it lie the bytes of mails and the work on them."""
    with enter(gate()):
        return db.session.scalars(select(Tenant.id).where(Tenant.kind == "own")).one()


def most_bytes() -> int:
    """The largest mail that is taken in."""
    megabytes: int = current_app.extensions["settings"].mail_megabytes
    return megabytes * 1024 * 1024


def keep_mail(
    mailbox: Mailbox, raw: bytes, *, own_id: int, channel: str, at: datetime, uid: int | None = None
) -> bool:
    """Keep a mail and ask for it to be read; False when the very same bytes came in by this mailbox before.

    Raises `storage.TooLarge`. The caller commits; until then nobody may be told that the mail is here.
    """
    kept = storage.keep(_root(), own_id, io.BytesIO(raw), limit=most_bytes())
    row = {
        "mailbox_id": mailbox.id,
        "channel": channel,
        "sha256": kept.sha256,
        "size": kept.size,
        "uid": uid,
        "received_at": at,
    }
    return _write(row, own_id)


def refuse_mail(
    mailbox: Mailbox, head: bytes, size: int, *, own_id: int, at: datetime, uid: int | None = None
) -> bool:
    """Note a mail that is too large to be taken in, by its head; the whole of it stays on its server."""
    return _quarantine(mailbox, head, "too_large", own_id, at, size=size, uid=uid)


def note_withheld(mailbox: Mailbox, why: str, *, own_id: int, at: datetime, uid: int, validity: int) -> bool:
    """Note a mail that its server has and does not give; a line that names it stands in for its bytes."""
    line = f"X-Not-Fetched: mailbox {mailbox.id}, validity {validity}, number {uid}\r\n\r\n".encode()
    return _quarantine(mailbox, line, "unreadable", own_id, at, size=0, uid=uid, detail=why[:300])


def _quarantine(
    mailbox: Mailbox, content: bytes, reason: str, own_id: int, at: datetime, **more: object
) -> bool:
    kept = storage.keep(_root(), own_id, io.BytesIO(content), limit=most_bytes())
    row = {
        "mailbox_id": mailbox.id,
        "channel": "imap",
        "sha256": kept.sha256,
        "received_at": at,
        "state": "quarantined",
        "reason": reason,
        "decided_at": at,
        **more,
    }
    return _write(row, own_id)


def _write(row: dict[str, object], own_id: int) -> bool:
    written = insert(IncomingMail).values(**row).on_conflict_do_nothing().returning(IncomingMail.id)
    mail_id = db.session.execute(written).scalar_one_or_none()
    if mail_id is None:
        return False
    if "state" not in row:
        request_work("sort_mail", tenant_id=own_id, arguments={"mail": mail_id}, queue="mail")
    return True


def list_unsorted() -> list[int]:
    """The mails that nobody has sorted yet, in the order in which they came."""
    unsorted = select(IncomingMail.id).where(IncomingMail.state == "received")
    return list(db.session.scalars(unsorted.order_by(IncomingMail.id)))


def raw_path(mail: IncomingMail, own_id: int) -> Path:
    """Where a mail's bytes lie. Raises NotFound when they are gone."""
    path = storage.path_of(_root(), own_id, mail.sha256)
    if not path.is_file():
        raise NotFound
    return path


def _root() -> Path:
    folder: Path = current_app.extensions["settings"].files_dir
    return folder
