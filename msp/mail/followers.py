"""Links by which a requester follows one ticket without an account, and rates its solution.

A link is sealed with the portal's key: it names the ticket and the mailbox that it was sent to, and is worth nothing
once the ticket has another requester. It stands in no outbox; it is made when the mail is sent.
"""

import base64
import binascii
import hashlib
from typing import NamedTuple

from sqlalchemy import select

from msp.mail import late
from msp.mail.addresses import address_of
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.people.keys import seal, unseal
from tenants.tickets.models import Ticket

_PURPOSE = "follow"
LONGEST_TOKEN = 200


class Followed(NamedTuple):
    """What a link names: tenant and ticket by their row ids, and a digest of the mailbox."""

    tenant_id: int
    ticket_id: int
    mailbox: str


def _mailbox(ticket: Ticket) -> str:
    return hashlib.sha256((ticket.requester_email or "").strip().lower().encode()).hexdigest()[:24]


def token_of(ticket: Ticket) -> str:
    """The secret part of the link for a ticket's present requester; another one each time, all of them good."""
    plain = f"{ticket.tenant_id}/{ticket.id}/{_mailbox(ticket)}"
    return base64.urlsafe_b64encode(seal(_PURPOSE, plain.encode(), owner=0)).decode().rstrip("=")


def read_token(token: str) -> Followed:
    """What a genuine link names. Raises NotFound."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise NotFound
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise NotFound from None
    plain = unseal(_PURPOSE, sealed, owner=0)
    if plain is None:
        raise NotFound
    tenant, ticket, mailbox = plain.decode().split("/")
    return Followed(int(tenant), int(ticket), mailbox)


def find_followed(followed: Followed) -> Ticket:
    """The ticket, in its tenant's scope. Raises NotFound when its requester is another by now."""
    named = select(Ticket).where(Ticket.tenant_id == followed.tenant_id, Ticket.id == followed.ticket_id)
    ticket = db.session.scalars(named).one_or_none()
    if ticket is None or not ticket.requester_email or _mailbox(ticket) != followed.mailbox:
        raise NotFound
    return ticket


def followed_at(ticket: Ticket) -> str:
    """What stands in the outbox for the address of the ticket's page; empty for a ticket without an address."""
    return late.mark("follow", ticket.id) if ticket.requester_email else ""


def rated_at(ticket: Ticket) -> str:
    """What stands in the outbox for the address where the solution is rated."""
    return late.mark("rate", ticket.id) if ticket.requester_email else ""


def install() -> None:
    """Let mails carry these links."""
    late.resolve("follow", lambda tenant_id, ticket_id: _address("follow.show_ticket", tenant_id, ticket_id))
    late.resolve("rate", lambda tenant_id, ticket_id: _address("follow.rate_ticket", tenant_id, ticket_id))


def _address(endpoint: str, tenant_id: int, ticket_id: int) -> str | None:
    named = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id)
    ticket = db.session.scalars(named).one_or_none()
    return None if ticket is None else address_of(endpoint, token=token_of(ticket))
