"""Whose mail it is and where it belongs: the address it was sent to first, what it answers second, its subject last.

Nothing here writes. A hint (headers, a code in the subject) only counts for somebody who takes part in the ticket and
for whom our own edge vouches; a signed address only for the recipient it was made for. There it is a proof by itself,
because many domains publish nothing that the edge could judge; but a sender who was proven before has to be proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import func, select

from msp.intake.mail import rules
from msp.intake.mail.models import IncomingMail, Mailbox, MailDomain
from msp.intake.mail.parsing import Parsed
from msp.intake.mail.people import Sender, known_people, participants
from msp.mail import addresses
from msp.mail.models import OutgoingMail
from msp.mail.replies import Token, code_of_thread, fits, tokens_in
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter, gate, of_tenant
from tenants.tenancy.models import Tenant
from tenants.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Route:
    """Where a mail goes. `to`: ticket, reply, vendor, bounce, quarantined or dropped, the last two with a `reason`."""

    to: str
    reason: str = ""
    tenant_id: int | None = None
    ticket_id: int | None = None
    case_id: int | None = None
    mail_id: int | None = None
    side: str = "requester"


def find_route(mail: Parsed, mailbox: Mailbox, *, at: datetime) -> Route:
    """Decide about one mail. Needs an application context; enters the scopes that it needs itself."""
    settings = current_app.extensions["settings"]
    if mail.report is not None:
        return _bounce(mail)
    if mail.sender is None:
        return Route("dropped", "automatic") if mail.null_path else Route("quarantined", "no_sender")
    if rules.is_own(mail, _own_addresses(), addresses.host()):
        return Route("dropped", "own")
    judged = rules.judge(mail.judged, settings.mail_edge, mail.sender)
    if judged == "fail":
        return Route("quarantined", "forged")
    tokens = tokens_in((*mail.to, *mail.delivered_to))
    automatic = rules.is_auto_reply(mail)
    if tokens:
        route = _by_token(mail, tokens, verified=judged == "pass", automatic=automatic)
        if route.to == "reply" and judged != "pass" and _was_proven(mail.sender, at):
            return Route("quarantined", "unverified", route.tenant_id, route.ticket_id)
        return route
    if automatic:
        return Route("dropped", "automatic")
    sender = known_people(mail.sender)
    hinted = _by_hints(mail, mailbox, sender) if judged == "pass" else None
    return hinted or _to_new_ticket(mail, mailbox, sender)


def _own_addresses() -> set[str]:
    """What the portal sends from and what it fetches."""
    with enter(gate()):
        found = set(db.session.scalars(select(Mailbox.address)))
    own = current_app.extensions["settings"].mail_from
    return {one.lower() for one in found} | {own.rpartition("<")[2].rstrip("> ").lower()}


def _by_token(mail: Parsed, tokens: Sequence[Token], *, verified: bool, automatic: bool) -> Route:
    """Every reply address must fit, and all must mean one ticket: a stolen one beside one's own spoils both."""
    routes = {_claimed(token, mail.sender or "", verified=verified) for token in tokens}
    if len(routes) > 1:
        return Route("quarantined", "several_tickets")
    route = routes.pop()
    if automatic and route.to == "reply":
        return Route("dropped", "automatic", route.tenant_id, route.ticket_id)
    return route


def _was_proven(sender: str, at: datetime) -> bool:
    """Whether our edge vouched for this address lately: then its domain can be judged, and silence is no proof."""
    with enter(gate()):
        proven = select(IncomingMail.id).where(
            IncomingMail.sender == sender,
            IncomingMail.is_verified,
            IncomingMail.received_at > at - rules.PROVEN_FOR,
        )
        return db.session.scalar(proven.limit(1)) is not None


def _claimed(token: Token, sender: str, *, verified: bool) -> Route:
    tenant_id = _tenant_of_code(token.code)
    if tenant_id is None:
        return Route("quarantined", "token")
    with enter(of_tenant(tenant_id)):
        ticket = db.session.scalar(select(Ticket).where(Ticket.code == token.code))
        if ticket is None or not fits(token, ticket, sender):
            return Route("quarantined", "token")
        if token.kind == "case":
            return Route("vendor", tenant_id=tenant_id, ticket_id=ticket.id, case_id=token.case_id)
        side = participants(ticket).get(sender)
    if side is None:
        return Route("quarantined", "token", tenant_id, ticket.id)
    if side == "staff" and not verified:
        return Route("quarantined", "staff_unverified", tenant_id, ticket.id)
    return Route("reply", tenant_id=tenant_id, ticket_id=ticket.id, side=side)


def _tenant_of_code(code: str) -> int | None:
    with enter(gate()):
        prefix = code.partition("-")[0]
        return db.session.scalar(
            select(Tenant.id).where(Tenant.prefix == prefix, Tenant.state != "offboarded")
        )


def _by_hints(mail: Parsed, mailbox: Mailbox, sender: Sender) -> Route | None:
    """What a verified sender answers, among the clients where the sender may be at home."""
    homes = rules.distinct(map(str, (*sender.tenants, *_domain_tenants(mail.sender or ""))))
    candidates = frozenset(int(one) for one in homes) or frozenset(
        one for one in (mailbox.default_tenant_id,) if one is not None
    )
    if not candidates:
        return None
    with enter(Scope(Role.WORKER, candidates)):
        for code in rules.distinct((*_answered(mail), rules.code_in(mail.subject))):
            ticket = db.session.scalar(select(Ticket).where(Ticket.code == code))
            if ticket is not None and participants(ticket).get(mail.sender or "") == "requester":
                return Route("reply", tenant_id=ticket.tenant_id, ticket_id=ticket.id)
    return None


def _answered(mail: Parsed) -> list[str | None]:
    """Tickets that a mail of ours to this very sender was about, the newest first, as far as the mail refers to one."""
    if not mail.references:
        return []
    sent = (
        select(OutgoingMail.thread)
        .where(
            OutgoingMail.message_id.in_(mail.references),
            func.lower(OutgoingMail.to_address) == mail.sender,
        )
        .order_by(OutgoingMail.queued_at.desc())
    )
    return [code_of_thread(one) for one in db.session.scalars(sent)]


def _domain_tenants(sender: str) -> list[int]:
    with enter(gate()):
        asked = select(MailDomain.tenant_id).where(MailDomain.domain == rules.domain_of(sender))
        return list(db.session.scalars(asked))


def _to_new_ticket(mail: Parsed, mailbox: Mailbox, sender: Sender) -> Route:
    """The sender's client: by membership, else by domain, else the mailbox's; several are for a person."""
    fallback = [mailbox.default_tenant_id] if mailbox.default_tenant_id is not None else []
    homes = list(sender.tenants) or _domain_tenants(mail.sender or "") or fallback
    if not homes:
        return Route("quarantined", "unknown_sender")
    if len(homes) > 1:
        if mailbox.default_tenant_id not in homes:
            return Route("quarantined", "several_clients")
        homes = fallback
    with enter(gate()):
        state = db.session.scalar(select(Tenant.state).where(Tenant.id == homes[0]))
    if state != "active":
        return Route("quarantined", "client_not_served", homes[0])
    return Route("ticket", tenant_id=homes[0])


def _bounce(mail: Parsed) -> Route:
    """The mail of ours that a server sends back; its random id is nothing that anybody could guess."""
    report = mail.report or {}
    if report.get("action") == "none":
        return Route("dropped", "automatic")
    about = report.get("about", [])[:50]
    with enter(Scope(Role.WORKER, _tenants_of(about))):
        sent = select(OutgoingMail).where(OutgoingMail.message_id.in_(about))
        found = db.session.scalars(sent.limit(1)).one_or_none() if about else None
        if found is None:
            return Route("dropped", "unknown_bounce")
        code, theirs = code_of_thread(found.thread), Ticket.tenant_id == found.tenant_id
        asked = select(Ticket.id).where(theirs, Ticket.code == code)
        ticket_id = db.session.scalar(asked) if code else None
        return Route("bounce", tenant_id=found.tenant_id, ticket_id=ticket_id, mail_id=found.id)


def _tenants_of(about: Sequence[str]) -> frozenset[int]:
    """The client that the returned references name, else all of them at once."""
    for code in rules.distinct(code_of_thread(one) for one in about):
        if (named := _tenant_of_code(code)) is not None:
            return frozenset({named})
    with enter(gate()):
        return frozenset(db.session.scalars(select(Tenant.id).where(Tenant.state != "offboarded")))
