"""A gateway brings a mail: raw, as RFC 822 writes it, with the mailbox's key as a bearer token."""

import uuid
from typing import Any

from flask import g, jsonify, request
from sqlalchemy import select

from msp.intake.blueprint import bp
from msp.intake.mail import keeping
from msp.intake.mail.mailboxes import is_key_of
from msp.intake.mail.models import Mailbox
from msp.web.access import SignInNeeded, credential
from tenants.files.storage import TooLarge
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.scope import Scope, enter, gate


def resolve_mailgate() -> Scope:
    """The gate's scope, for the holder of a mailbox's key. Raises SignInNeeded, whatever is wrong."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    try:
        asked = select(Mailbox).where(
            Mailbox.public_id == uuid.UUID(str((request.view_args or {})["mailbox"]))
        )
    except ValueError:
        raise SignInNeeded from None
    with enter(gate()):
        mailbox = db.session.scalar(asked)
    if mailbox is None or not given.isascii() or not is_key_of(mailbox, given):
        raise SignInNeeded
    g.mailbox = mailbox
    request.max_content_length = keeping.most_bytes()
    return gate()


@bp.post("/intake/mail/<mailbox>")
@credential("mailgate")
def bring_mail(mailbox: str) -> Any:
    """Keep one mail; 202 once it is kept, also when it was before. Until then the gateway keeps it and tries again."""
    box: Mailbox = g.mailbox
    if box.paused_at is not None:
        raise Conflict("this mailbox is paused")
    raw = request.get_data(cache=False)
    if not raw:
        raise Invalid("body", "an empty request brings no mail")
    try:
        kept = keeping.keep_mail(box, raw, own_id=keeping.own_tenant_id(), channel="webhook", at=time.now())
    except TooLarge as large:
        raise Invalid("body", "this mail is too large") from large
    db.session.commit()
    return jsonify({"kept": True, "known": not kept}), 202
