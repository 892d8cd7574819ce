"""Who is told what about a ticket. Reactions ask for a job; the job reads the ticket again and queues the mail."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.followers import followed_at, rated_at
from msp.mail.readers import find_reader
from msp.mail.services import queue_mail
from msp.mail.watchers import Told, watchers_to_tell
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Claimed, request_work
from tenants.people.models import StaffMember
from tenants.tenancy.models import Tenant
from tenants.tickets.events import MessageAdded, OnTicket, TicketOpened, TicketResolved
from tenants.tickets.models import Message, Ticket
from tenants.tickets.ratings import find_rating

# How the requester of a ticket that came by mail hears of it: `whole`, `plain` (nothing of it is repeated) or `none`.
Judge = Callable[[Ticket, datetime], str]
_JUDGES: list[Judge] = []
# From which address a message came, for those who have no account; None where nobody knows.
Author = Callable[[Message], str | None]
_AUTHORS: list[Author] = []


def judge_acknowledgements(judge: Judge) -> None:
    """Say who decides about automatic answers to mails; called while the app is built."""
    _JUDGES[:] = [judge]


def know_authors(author: Author) -> None:
    """Say who knows the addresses of authors; called while the app is built."""
    _AUTHORS[:] = [author]


def acknowledge_ticket(event: TicketOpened) -> None:
    """Reaction: the requester hears that the ticket is there, under which code."""
    _ask("opened", event)


def pass_on_message(event: MessageAdded) -> None:
    """Reaction: a public reply reaches the other side, unless another mail brings it in the same breath."""
    if event.kind == "public" and event.leads_to != "resolved":
        _ask("answered" if event.author_kind == "requester" else "replied", event, message=event.message_id)


def announce_solution(event: TicketResolved) -> None:
    """Reaction: the requester hears that it is done, and how to say that it is not."""
    _ask("resolved", event)


def _ask(what: str, event: OnTicket, **more: Any) -> None:
    arguments = {"what": what, "ticket": event.ticket_id, "seq": event.seq, **more}
    request_work("notify_of_ticket", tenant_id=event.tenant_id, arguments=arguments, queue="mail")


@job("notify_of_ticket", queue="mail")
def notify_of_ticket(work: Claimed) -> None:
    """Queue the mails about one event of a ticket."""
    asked = work.arguments
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == asked["ticket"])).one()
    what = _acknowledgement(ticket) if asked["what"] == "opened" else asked["what"]
    message = _message(asked.get("message")) or (_solution(ticket) if asked["what"] == "resolved" else None)
    if what is None or (what in ("replied", "answered") and (message is None or not message.body)):
        return
    told = {_written_from(message)} - {""}
    for address, user_id, staff in _receivers(ticket, what, message):
        told.add(address.lower())
        _queue(ticket, what, asked["seq"], message, address, user_id, staff=staff)
    if what in _WATCHED:
        _tell_watchers(ticket, what, asked["seq"], message, told)


# What watchers hear of: whatever is said in public, and that it is done.
_WATCHED = ("replied", "answered", "resolved")


def _tell_watchers(ticket: Ticket, what: str, seq: int, message: Message | None, told: set[str]) -> None:
    author = message.author_user_id if message else None
    for one in watchers_to_tell(ticket, but=told):
        if one.user_id is None or one.user_id != author:
            _queue(ticket, what, seq, message, one.address, one.user_id, staff=one.is_staff, watcher=one)


def _acknowledgement(ticket: Ticket) -> str | None:
    """Which mail says that a ticket is there: for a mail perhaps none, lest two programs talk for ever.

    Visitors of a website may type anybody's address: nothing that they wrote goes there.
    """
    if ticket.source == "website" and ticket.requester_user_id is None:
        return "received"
    if ticket.source != "mail":
        return "opened"
    how = _JUDGES[0](ticket, time.now()) if _JUDGES else "none"
    return {"whole": "opened", "plain": "received"}.get(how)


def _message(message_id: int | None) -> Message | None:
    return (
        db.session.scalars(select(Message).where(Message.id == message_id)).one_or_none()
        if message_id
        else None
    )


def _written_from(message: Message | None) -> str:
    """The address of an author without an account, in lower case; empty where nobody knows."""
    if message is None or message.author_user_id is not None or not _AUTHORS:
        return ""
    return (_AUTHORS[0](message) or "").lower()


def _solution(ticket: Ticket) -> Message | None:
    said = select(Message).where(
        Message.ticket_id == ticket.id,
        Message.kind == "public",
        Message.author_kind == "staff",
        Message.at == ticket.resolved_at,
    )
    return db.session.scalars(said.order_by(Message.id.desc()).limit(1)).one_or_none()


def _receivers(ticket: Ticket, what: str, message: Message | None) -> list[tuple[str, int | None, bool]]:
    """Addresses, account and whether it is staff: never whoever wrote the message."""
    found: list[tuple[str, int | None, bool]] = []
    own_words = what == "answered" and _is_requesters(ticket, message)
    if ticket.requester_email and not own_words:
        found.append((ticket.requester_email, ticket.requester_user_id, False))
    if what == "answered" and ticket.assignee_user_id:
        address = db.session.scalar(
            select(StaffMember.email).where(
                StaffMember.user_id == ticket.assignee_user_id, StaffMember.state == "active"
            )
        )
        found += [(address, ticket.assignee_user_id, True)] if address else []
    return found


def _is_requesters(ticket: Ticket, message: Message | None) -> bool:
    """Whether the requester wrote it; of those without an account only an address tells one from another."""
    author = message.author_user_id if message else None
    if author != ticket.requester_user_id:
        return False
    address = _written_from(message)
    return not address or address == (ticket.requester_email or "").lower()


def _queue(
    ticket: Ticket,
    what: str,
    seq: int,
    message: Message | None,
    address: str,
    user_id: int | None,
    *,
    staff: bool,
    watcher: Told | None = None,
) -> None:
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == ticket.tenant_id)).one()
    page = "desk.show_ticket" if staff else "portal.show_ticket"
    reader = find_reader(user_id)
    context = {
        "ticket": ticket,
        "message": message,
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "name": watcher.name if watcher else ticket.assignee_name if staff else ticket.requester_name,
        "watching": watcher is not None,
        # Without an account there is a link for the requester, and nothing for others to open; who may have forged an
        # address learns nothing of what the ticket says.
        "action_url": _way(
            ticket, page, user_id, is_requester=watcher is None and not staff and what != "received"
        ),
        "rate_url": _rating(ticket) if what == "resolved" and watcher is None else "",
    }
    queue_mail(
        ticket.tenant_id,
        to=address,
        template=f"ticket_{what}",
        language=reader.language or tenant.language,
        context=context,
        unwanted=reader.unwanted,
        key=f"ticket:{ticket.id}:{seq}:{_reader_key(staff, watcher)}",
        thread=f"ticket-{ticket.code}",
    )


def _way(ticket: Ticket, page: str, user_id: int | None, *, is_requester: bool) -> str:
    if user_id is not None:
        return address_of(page, code=ticket.code)
    return followed_at(ticket) if is_requester else ""


def _rating(ticket: Ticket) -> str:
    """Where the solution is rated; empty where the requester has said it already."""
    return rated_at(ticket) if find_rating(ticket) is None else ""


def _reader_key(staff: bool, watcher: Told | None) -> str:
    if watcher is not None:
        return f"watcher-{watcher.watcher_id}"
    return "staff" if staff else "requester"
