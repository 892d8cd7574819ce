"""Answers by SMS and WhatsApp: a row in the transaction of the reply, sent by a job, retried, never twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from flask import current_app, url_for
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.background.jobs import job
from msp.intake.texts import gateway
from msp.intake.texts.models import OutgoingText, TextThread
from msp.intake.texts.talking import list_numbers
from msp.mail import late
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.foundation.work import Claimed, request_work
from tenants.tickets.events import MessageAdded
from tenants.tickets.models import Message, Ticket

log = structlog.get_logger()
GIVE_UP_AFTER = timedelta(days=1)
LONGEST_PAUSE = timedelta(minutes=30)
LONGEST_TEXT = 1500
OFF = "the gateway is switched off"
CHANNELS = ("sms", "whatsapp")


def answer_by_text(event: MessageAdded) -> None:
    """Reaction: what staff say in public goes to the numbers that talk about the ticket, or about a merged one."""
    if event.kind != "public" or event.author_kind != "staff":
        return
    ticket = db.session.get(Ticket, (event.tenant_id, event.ticket_id))
    message = db.session.get(Message, (event.tenant_id, event.message_id))
    if ticket is None or message is None or not message.body:
        return
    for thread in list_numbers(ticket):
        to = "" if thread.ticket_id == ticket.id else f":{thread.id}"
        queue_text(thread, _cut(message.body, ticket.code), key=f"message:{message.id}{to}", at=message.at)


def queue_text(thread: TextThread, body: str, *, key: str, at: datetime) -> None:
    """Write a text to the number of a conversation into the outbox, once for each `key`, and ask for it to be sent.

    A secret link in it is a mark of `msp.mail.late` until it is sent.
    """
    is_on, public_id = gateway.is_on(), uuid4()
    row: dict[str, Any] = {
        "tenant_id": thread.tenant_id,
        "public_id": public_id,
        "ticket_id": thread.ticket_id,
        "channel": thread.channel,
        "to_number": thread.number,
        "body": late.bind(_letter(thread.tenant_id, public_id, thread.number), body),
        "key": key,
        "state": "queued" if is_on else "failed",
        "last_error": None if is_on else OFF,
        "attempts": 0,
        "queued_at": at,
    }
    written = insert(OutgoingText).values(**row).on_conflict_do_nothing().returning(OutgoingText.id)
    text_id = db.session.execute(written).scalar_one_or_none()
    thread.last_at = at
    if text_id is not None and is_on:
        request_work("send_text", tenant_id=thread.tenant_id, arguments={"text": text_id}, queue="mail")


def _letter(tenant_id: int, public_id: UUID, number: str) -> late.Letter:
    return late.Letter(tenant_id, f"text:{public_id}", number)


def _cut(body: str, code: str) -> str:
    """The words with the ticket's code; what is too long for a text is cut, and says so by its ellipsis."""
    end = f"\n({code})"
    room = LONGEST_TEXT - len(end)
    return (body if len(body) <= room else body[: room - 1].rstrip() + "…") + end


@job("send_text", queue="mail")
def send_text(work: Claimed) -> None:
    """Send one text, if it is still to be sent; while the gateway is away, ask again later."""
    text_id = work.arguments["text"]
    if not _claim(work.tenant_id, text_id):
        return
    row = db.session.get_one(OutgoingText, (work.tenant_id, text_id))
    row.attempts += 1
    if not gateway.is_on():
        _end(row, "failed", OFF)
        return
    try:
        body = late.fill(_letter(row.tenant_id, row.public_id, row.to_number), row.body)
        row.gateway_sid = gateway.deliver(
            to=row.to_number, channel=row.channel, body=body, callback=_callback(row)
        )
    except late.Spent as spent:
        _end(row, "failed", str(spent))
    except gateway.NotSent as later:
        _try_later(row, str(later))
    except gateway.Refused as never:
        _end(row, "failed", str(never))
    except gateway.MaybeSent as unsure:
        _note_answer(row, "unknown", str(unsure))
    else:
        row.sent_at = time.now()
        _note_answer(row, "sent", None)


def _note_answer(row: OutgoingText, state: str, why: str | None) -> None:
    """Write down what the sending came to, unless the gateway told already what became of the text."""
    if not _is_untold(row):
        return
    if why is not None:
        _end(row, state, why)
    else:
        row.state, row.last_error = state, None


def _is_untold(row: OutgoingText) -> bool:
    """Whether it still counts as being sent; locks the row."""
    db.session.flush()
    db.session.refresh(row, with_for_update=True)
    return row.state == "sending"


def _callback(row: OutgoingText) -> str:
    settings = current_app.extensions["settings"]
    with current_app.test_request_context():
        path = url_for("texts.note_status", key=gateway.public_key(), text=row.public_id)
    return f"{settings.public_url}{path}"


def _claim(tenant_id: int, text_id: int) -> bool:
    """Mark it as being sent, committed at once; False when there is nothing to send."""
    with enter(of_tenant(tenant_id)):
        held = select(OutgoingText).where(OutgoingText.tenant_id == tenant_id, OutgoingText.id == text_id)
        row = db.session.scalars(held.with_for_update()).one_or_none()
        if row is None or row.state not in ("queued", "sending"):
            return False
        fresh = row.state == "queued"
        if fresh:
            row.state = "sending"
        else:
            _end(row, "unknown", "the sender was stopped while it was sending")
        db.session.commit()
        return fresh


def _try_later(row: OutgoingText, why: str) -> None:
    if time.now() - row.queued_at > GIVE_UP_AFTER:
        _end(row, "failed", why)
        return
    row.state, row.last_error = "queued", why[:2000]
    pause = min(timedelta(seconds=15 * 2 ** min(row.attempts - 1, 10)), LONGEST_PAUSE)
    asked = {"text": row.id}
    again: datetime = time.now() + pause
    request_work("send_text", tenant_id=row.tenant_id, arguments=asked, queue="mail", due_at=again)


def _end(row: OutgoingText, state: str, why: str) -> None:
    row.state, row.last_error = state, why[:2000]
    log.warning("text not sent", text=row.id, state=state, why=why[:200])


# What the gateway tells afterwards; a later word never takes back that a text arrived.
TOLD = {
    "delivered": "delivered",
    "read": "delivered",
    "sent": "sent",
    "failed": "failed",
    "undelivered": "failed",
}


def note_status(public_id: object, sid: str, status: str, error: str) -> None:
    """What the gateway says became of a text; unknown ones and unknown words change nothing. Commits by itself."""
    state = TOLD.get(status)
    with enter(gate()):
        asked = select(OutgoingText.tenant_id, OutgoingText.id).where(OutgoingText.public_id == public_id)
        known = db.session.execute(asked).one_or_none()
    if known is None or state is None:
        return
    with enter(of_tenant(known[0])):
        held = select(OutgoingText).where(OutgoingText.tenant_id == known[0], OutgoingText.id == known[1])
        row = db.session.scalars(held.with_for_update()).one()
        if row.state == "delivered" or row.gateway_sid not in (None, sid):
            return
        row.state, row.gateway_sid = state, sid
        row.last_error = error[:200] if state == "failed" else None
        db.session.commit()


def list_sent(ticket: Ticket, limit: int = 20) -> list[OutgoingText]:
    """The texts that went out for a ticket or for those that were merged into it, newest first."""
    merged = select(Ticket.id).where(Ticket.tenant_id == ticket.tenant_id, Ticket.merged_into_id == ticket.id)
    about = (OutgoingText.ticket_id == ticket.id) | OutgoingText.ticket_id.in_(merged)
    found = select(OutgoingText).where(OutgoingText.tenant_id == ticket.tenant_id, about)
    return list(db.session.scalars(found.order_by(OutgoingText.id.desc()).limit(limit)))


def build_texts(
    *, ticket: Ticket, staff: bool, said: Sequence[Message] = (), **_given: Any
) -> tuple[str, dict[str, Any]] | None:
    """A panel on the desk's page of a ticket that is talked about by SMS or WhatsApp: what became of the answers."""
    if not staff or not (ticket.source in CHANNELS or any(one.via in CHANNELS for one in said)):
        return None
    return "desk/text_panel.html", {"texts": list_sent(ticket), "is_on": gateway.is_on()}
