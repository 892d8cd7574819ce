"""Links by which a requester follows one ticket without an account, and rates its solution.

A link is sealed with the portal's key: it names its purpose, the ticket, and the mailbox that it was sent to (for
somebody who has only a telephone the name on the ticket). It is worth nothing once the ticket has another requester or
its client is no longer served. Whoever has an account signs in to follow a ticket; a link lets them rate its solution
and nothing else, while they belong to the client. A link stands in no outbox; it is made when the mail is sent.
"""

import base64
import binascii
import hashlib
from typing import Literal, NamedTuple, get_args

from sqlalchemy import select

from msp.mail import late
from msp.mail.addresses import address_of
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.people.keys import seal, unseal
from tenants.people.queries import list_members
from tenants.tenancy.models import Tenant
from tenants.tickets.models import Ticket

Purpose = Literal["follow", "rate"]
_SEAL = "follow"
LONGEST_TOKEN = 200


class Followed(NamedTuple):
    """What a link names: its purpose, tenant and ticket by their row ids, and a digest of the mailbox."""

    purpose: Purpose
    tenant_id: int
    ticket_id: int
    mailbox: str


def _mailbox(ticket: Ticket) -> str:
    """Who the requester is: the mailbox, or the name of somebody who wrote by text and has none."""
    address = (ticket.requester_email or "").strip().lower()
    return hashlib.sha256((address or f"name:{ticket.requester_name}").encode()).hexdigest()[:24]


def token_of(ticket: Ticket, purpose: Purpose = "follow") -> str:
    """The secret part of a link for the present requester; another one each time, all of them good."""
    plain = f"{purpose}/{ticket.tenant_id}/{ticket.id}/{_mailbox(ticket)}"
    return base64.urlsafe_b64encode(seal(_SEAL, plain.encode(), owner=0)).decode().rstrip("=")


def read_token(token: str) -> Followed:
    """What a genuine link names. Raises NotFound."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise NotFound
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise NotFound from None
    plain = unseal(_SEAL, sealed, owner=0)
    if plain is None:
        raise NotFound
    purpose, tenant, ticket, mailbox = plain.decode().split("/")
    known: tuple[Purpose, ...] = get_args(Purpose)
    return Followed(known[known.index(purpose)], int(tenant), int(ticket), mailbox)


def find_followed(followed: Followed) -> Ticket:
    """The ticket, in its tenant's scope. Raises NotFound when the link is worth nothing any more."""
    named = select(Ticket).where(Ticket.tenant_id == followed.tenant_id, Ticket.id == followed.ticket_id)
    ticket = db.session.scalars(named).one_or_none()
    if ticket is None or _mailbox(ticket) != followed.mailbox:
        raise NotFound
    if not _is_served(ticket.tenant_id) or not _may_use(ticket, followed.purpose):
        raise NotFound
    return ticket


def _is_served(tenant_id: int) -> bool:
    state = db.session.scalar(select(Tenant.state).where(Tenant.id == tenant_id))
    return state == "active"


def _may_use(ticket: Ticket, purpose: Purpose) -> bool:
    """Following is for those without an account; rating for those, and for members of the client."""
    if ticket.requester_user_id is None:
        return True
    members = {one.user_id for one in list_members(ticket.tenant_id)}
    return purpose == "rate" and ticket.requester_user_id in members


def followed_at(ticket: Ticket) -> str:
    """What stands in the outbox for the address of the ticket's page; empty for a ticket without an address."""
    return late.mark("follow", ticket.id) if ticket.requester_email else ""


def followed_by_text(ticket: Ticket) -> str:
    """The same for a text to the number that the ticket came from: whoever has that needs no mailbox."""
    return late.mark("follow_by_text", ticket.id)


def rated_at(ticket: Ticket) -> str:
    """What stands in the outbox for the address where the solution is rated."""
    return late.mark("rate", ticket.id) if ticket.requester_email else ""


def install() -> None:
    """Let mails carry these links."""
    late.resolve("follow", lambda tenant_id, ticket_id: _address("follow", tenant_id, ticket_id))
    late.resolve("rate", lambda tenant_id, ticket_id: _address("rate", tenant_id, ticket_id))
    late.resolve(
        "follow_by_text", lambda tenant_id, ticket_id: _address("follow", tenant_id, ticket_id, by_text=True)
    )


def _address(purpose: Purpose, tenant_id: int, ticket_id: int, *, by_text: bool = False) -> str | None:
    named = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id)
    ticket = db.session.scalars(named).one_or_none()
    if ticket is None or not (ticket.requester_email or by_text):
        return None
    if purpose == "rate":
        return address_of("follow.rate_ticket", token=token_of(ticket, "rate"))
    if ticket.requester_user_id is not None:
        return address_of("portal.show_ticket", code=ticket.code)
    return address_of("follow.show_ticket", token=token_of(ticket))
