"""The job that reads a kept mail and puts it where it belongs. Whatever goes wrong, the mail stays and says why."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from msp.background.jobs import job
from msp.intake.mail import keeping, rules
from msp.intake.mail.delivering import Placed, deliver
from msp.intake.mail.models import IncomingMail, Mailbox
from msp.intake.mail.parsing import Parsed, Reader, Unreadable
from msp.intake.mail.routing import Route, find_route
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound, Refused
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Claimed, request_work

log = structlog.get_logger()


@job("sort_mail", queue="mail")
def sort_mail(work: Claimed) -> None:
    """Read one mail and put it where it belongs, if that is still to be done."""
    with Reader() as reader:
        sort_one(work.arguments["mail"], own_id=work.tenant_id, reader=reader, at=time.now())


def sort_one(mail_id: int, *, own_id: int, reader: Reader, at: datetime) -> str:
    """The state that the mail has now. Safe to call twice: what a mail becomes is committed with its new state."""
    with enter(of_tenant(own_id)):
        row = db.session.scalars(select(IncomingMail).where(IncomingMail.id == mail_id)).one()
        if row.state != "received":
            return row.state
        mailbox = db.session.scalars(select(Mailbox).where(Mailbox.id == row.mailbox_id)).one()
    # One that was put off before is known by its sender: it costs no reading until its turn has come.
    if row.sender and _is_too_fast(mailbox.id, row.sender, own_id, at):
        return _defer(row, row.sender, own_id, at)
    try:
        mail = reader.read(keeping.raw_path(row, own_id).read_bytes())
    except (Unreadable, NotFound, OSError) as wrong:
        return _set_aside(mail_id, own_id, Route("quarantined", "unreadable"), None, str(wrong), at=at)
    if mail.sender and _is_too_fast(mailbox.id, mail.sender, own_id, at):
        return _defer(row, mail.sender, own_id, at)
    return _place(mail_id, own_id, mailbox, mail, at=at)


def _place(mail_id: int, own_id: int, mailbox: Mailbox, mail: Parsed, *, at: datetime) -> str:
    route: Route | None = None
    try:
        route = find_route(mail, mailbox, at=at)
        if route.to in ("quarantined", "dropped"):
            return _set_aside(mail_id, own_id, route, mail, "", at=at)
        return _carry_out(mail_id, mail, route, at=at)
    except SQLAlchemyError:
        # The database, not the mail: tried again later.
        raise
    except Refused as refused:
        reason = str(refused.message) if str(refused.message) in rules.QUARANTINED else "refused"
        return _set_aside(mail_id, own_id, _aside(route, reason), mail, str(refused.message), at=at)
    except Exception as wrong:
        log.exception("mail not placed", mail=mail_id)
        detail = f"{type(wrong).__name__}: {wrong}"
        return _set_aside(mail_id, own_id, _aside(route, "refused"), mail, detail, at=at)


def _aside(route: Route | None, reason: str) -> Route:
    """What was known to be a client's is shown to nobody but those who serve it, however it ended."""
    return replace(route or Route("quarantined"), to="quarantined", reason=reason)


def _carry_out(mail_id: int, mail: Parsed, route: Route, *, at: datetime) -> str:
    assert route.tenant_id is not None
    with enter(of_tenant(route.tenant_id)):
        row = _take(mail_id)
        if row.state != "received":
            return row.state
        note(row, mail)
        placed = deliver(row, mail, route, at=at)
        mark_done(row, placed, route.tenant_id, by="", at=at)
        db.session.commit()
        return row.state


def _take(mail_id: int) -> IncomingMail:
    """The row, locked: of two who sort the same mail the second finds it sorted."""
    found = select(IncomingMail).where(IncomingMail.id == mail_id).with_for_update()
    return db.session.scalars(found).one()


def _set_aside(
    mail_id: int, own_id: int, route: Route, mail: Parsed | None, detail: str, *, at: datetime
) -> str:
    with enter(of_tenant(own_id)):
        row = _take(mail_id)
        if row.state != "received":
            return row.state
        if mail is not None:
            note(row, mail)
        row.state, row.reason, row.detail = route.to, route.reason, detail[:300] or None
        row.for_tenant_id = route.tenant_id
        row.decided_at = at
        db.session.commit()
        return row.state


def note(row: IncomingMail, mail: Parsed) -> None:
    """Write down what the mail says of itself, as pages show it."""
    settings = current_app.extensions["settings"]
    row.sender, row.sender_name = mail.sender, mail.sender_name[:120]
    row.subject, row.message_id = mail.subject[:300], mail.message_id[:300] or None
    row.body, row.html = mail.text, mail.html
    row.is_automatic = rules.is_automatic(mail)
    row.is_verified = rules.judge(mail.judged, settings.mail_edge, mail.sender or "") == "pass"


def mark_done(row: IncomingMail, placed: Placed, tenant_id: int, *, by: str, at: datetime) -> None:
    """Write down what became of a mail."""
    row.state, row.reason, row.outcome = "done", None, placed.outcome
    row.for_tenant_id, row.decided_at, row.decided_by = tenant_id, at, by[:120] or None
    if placed.ticket is not None:
        row.ticket_id, row.ticket_code = placed.ticket.id, placed.ticket.code
    db.session.flush()


def _is_too_fast(mailbox_id: int, sender: str, own_id: int, at: datetime) -> bool:
    with enter(of_tenant(own_id)):
        asked = select(func.count()).where(
            IncomingMail.mailbox_id == mailbox_id,
            IncomingMail.sender == sender,
            IncomingMail.decided_at > at - rules.PACE_WINDOW,
        )
        return (db.session.scalar(asked) or 0) >= rules.PACE


def _defer(row: IncomingMail, sender: str, own_id: int, at: datetime) -> str:
    """Look at it again when those before it had their turn: nothing that came in is lost, however much came at once."""
    with enter(of_tenant(own_id)):
        waiting = select(func.count()).where(
            IncomingMail.mailbox_id == row.mailbox_id,
            IncomingMail.sender == sender,
            IncomingMail.state == "received",
            IncomingMail.id < row.id,
        )
        windows = 1 + (db.session.scalar(waiting) or 0) // rules.PACE
        later = at + windows * rules.PACE_WINDOW + timedelta(seconds=row.id % 60)
        db.session.execute(update(IncomingMail).where(IncomingMail.id == row.id).values(sender=sender))
        request_work("sort_mail", tenant_id=own_id, arguments={"mail": row.id}, queue="mail", due_at=later)
        db.session.commit()
    return "received"
