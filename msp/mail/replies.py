"""Addresses that a reply may go to: signed for one ticket and one recipient, derived when needed and stored nowhere.

`reply+<code>.<signature>@domain` says which ticket is meant and proves that the portal wrote to this very recipient
about it; `case+<code>.<case>.<signature>@domain` is for a vendor's answer, whoever of the vendor's people writes it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from msp.mail.models import OutgoingMail
from tenants.foundation.db import db
from tenants.people.keys import key_for
from tenants.tickets.codes import Mistyped, parse
from tenants.tickets.models import Ticket

_LOCAL = re.compile(r"(reply|case)\+([0-9a-z]{10,16})\.(?:(\d{1,18})\.)?([a-z2-7]{20})")
_THREAD = re.compile(r"<ticket-([A-Z0-9-]{11,20})@[^<>@]+>")


@dataclass(frozen=True, slots=True)
class Token:
    """What a reply address claims: nothing of it is proven yet."""

    kind: str
    code: str
    case_id: int | None
    signature: str


def reply_address(ticket: Ticket, recipient: str) -> str | None:
    """Where this recipient's reply about a ticket goes; None while no domain is set."""
    return _address(
        "reply", ticket.code, None, _sign("reply", ticket.tenant_id, ticket.id, recipient.lower())
    )


def case_address(tenant_id: int, ticket_id: int, code: str, case_id: int) -> str | None:
    """Where a vendor's answer to a case goes; None while no domain is set."""
    return _address("case", code, case_id, _sign("case", tenant_id, ticket_id, str(case_id)))


def _address(kind: str, code: str, case_id: int | None, signature: str) -> str | None:
    domain = current_app.extensions["settings"].mail_reply_domain
    if not domain:
        return None
    place = f"{code.replace('-', '').lower()}" + (f".{case_id}" if case_id is not None else "")
    return f"{kind}+{place}.{signature}@{domain}"


def _sign(kind: str, tenant_id: int, ticket_id: int, whom: str) -> str:
    claim = f"{kind}/{tenant_id}/{ticket_id}/{whom}".encode()
    signed = hmac.new(key_for("reply addresses"), claim, hashlib.sha256).digest()
    return base64.b32encode(signed)[:20].decode().lower()


def tokens_in(addresses: Iterable[str]) -> list[Token]:
    """Every reply address of ours among these, each once."""
    domain = current_app.extensions["settings"].mail_reply_domain
    found: dict[str, Token] = {}
    for address in addresses:
        local, _, host = address.lower().rpartition("@")
        claimed = _LOCAL.fullmatch(local)
        if claimed and domain and host == domain:
            try:
                case_id = int(claimed[3]) if claimed[3] else None
                found[local] = Token(claimed[1], parse(claimed[2]), case_id, claimed[4])
            except Mistyped:
                # Looks like ours and cannot be: kept, so that it is refused and not passed over.
                found[local] = Token("broken", "", None, "")
    return list(found.values())


def fits(token: Token, ticket: Ticket, recipient: str) -> bool:
    """Whether a token was made for this ticket and, but for a vendor's, for this recipient."""
    whom = str(token.case_id) if token.kind == "case" else recipient.lower()
    if token.kind not in ("reply", "case") or (token.kind == "case") != (token.case_id is not None):
        return False
    return hmac.compare_digest(token.signature, _sign(token.kind, ticket.tenant_id, ticket.id, whom))


def code_of_thread(thread: str | None) -> str | None:
    """The ticket that a conversation is about; `thread` as in the outbox or among a mail's references."""
    found = _THREAD.fullmatch(thread or "")
    return found[1] if found else None


def reply_address_of_mail(mail: OutgoingMail) -> str | None:
    """The reply address of a mail about a ticket; None for any other. In the scope of the mail's tenant."""
    code = code_of_thread(mail.thread)
    if code is None:
        return None
    ticket = db.session.scalar(select(Ticket).where(Ticket.tenant_id == mail.tenant_id, Ticket.code == code))
    return reply_address(ticket, mail.to_address) if ticket is not None else None
