"""Opening a ticket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tenants.assets.models import Asset
from tenants.files.models import StoredFile
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import InvalidMany
from tenants.tenancy.models import Site, Tenant
from tenants.tickets import rules
from tenants.tickets.category_models import Category
from tenants.tickets.codes import new_code
from tenants.tickets.events import TicketOpened
from tenants.tickets.history import note
from tenants.tickets.messages import LONGEST_BODY, Requester, add_message, write_message
from tenants.tickets.models import KINDS, LEVELS, SOURCES, TIERS, Ticket
from tenants.tickets.relation_models import TicketAsset
from tenants.tickets.texts import learn_words

LONGEST_SUBJECT = 200


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for. `priority` overrides the matrix (imports); `request_key` comes from the form.

    `tier` is whose queue it begins in: planned work is known to be for somebody.
    """

    subject: str
    body: str
    impact: str
    urgency: str
    requester: Requester
    source: str = "portal"
    kind: str = "incident"
    asset: Asset | None = None
    further_assets: Sequence[Asset] = ()
    site: Site | None = None
    category: Category | None = None
    # The ticket that can't be reopened any more.
    follows: Ticket | None = None
    files: Sequence[StoredFile] = ()
    request_key: str | None = None
    external_number: str | None = None
    priority: str | None = None
    tier: str = "L1"


def open_ticket(
    tenant: Tenant,
    request: Request,
    *,
    by: Actor,
    at: datetime,
    spoke_with_caller: bool = False,
    replay: bool = False,
) -> Ticket:
    """Open a ticket with its first message.

    The same `request_key` again gives the ticket that is there already. `spoke_with_caller`: staff answered the
    requester on the phone or in the chat. Raises InvalidMany.
    """
    wrong = list(_problems(tenant, request))
    if wrong:
        raise InvalidMany(wrong)
    if (existing := _opened_before(tenant, request.request_key)) is not None:
        return existing
    ticket = _row(tenant, request, at)
    if (existing := _insert_once(tenant, ticket)) is not None:
        return existing
    _begin_history(ticket, request, by=by, at=at, replay=replay)
    if spoke_with_caller:
        via = "chat" if request.source in ("chat", "website") else "phone"
        add_message(ticket, body="", by=by, at=at, spoke_with_caller=True, via=via, replay=replay)
    return ticket


def _problems(tenant: Tenant, request: Request) -> Iterator[tuple[str, Any]]:
    if not 1 <= len(_one_line(request.subject)) <= LONGEST_SUBJECT:
        yield "subject", _l("Write one line of at most 200 characters.")
    if not request.body.strip():
        yield "body", _l("Describe what happens.")
    if len(request.body) > LONGEST_BODY:
        yield "body", _l("Write at most 20,000 characters.")
    if "\x00" in request.subject + request.body + request.requester.name:
        yield "body", _l("This text has characters that cannot be stored.")
    if not request.requester.name.strip():
        yield "requester", _l("Say who asks.")
    yield from _unknown_words(request)
    yield from _foreign_things(tenant, request)


def _unknown_words(request: Request) -> Iterator[tuple[str, Any]]:
    for field, known, message in (
        ("impact", LEVELS, _l("Choose high, medium or low.")),
        ("urgency", LEVELS, _l("Choose high, medium or low.")),
        ("kind", KINDS, _l("This kind of ticket is not known.")),
        ("source", SOURCES, _l("This source is not known.")),
        ("tier", TIERS, _l("This tier is not known.")),
    ):
        if getattr(request, field) not in known:
            yield field, message


def _foreign_things(tenant: Tenant, request: Request) -> Iterator[tuple[str, Any]]:
    if request.asset is not None and request.asset.tenant_id != tenant.id:
        yield "asset", _l("This asset is not known.")
    if any(one.tenant_id != tenant.id for one in request.further_assets):
        yield "further", _l("This asset is not known.")
    if request.follows is not None and request.follows.tenant_id != tenant.id:
        yield "follows", _l("This ticket is not known.")
    if request.category is not None and not (request.category.is_active or request.follows):
        yield "category", _l("This category is retired. Choose another one.")
    if request.site is not None and request.site.tenant_id != tenant.id:
        yield "site", _l("This site is not known.")


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _row(tenant: Tenant, request: Request, at: datetime) -> Ticket:
    usual = rules.priority_of(request.impact, request.urgency, tenant.priority_matrix)
    site_id = request.site.id if request.site else (request.asset.site_id if request.asset else None)
    return Ticket(
        tenant_id=tenant.id,
        code=new_code(tenant.prefix),
        kind=request.kind,
        subject=_one_line(request.subject),
        state="new",
        impact=request.impact,
        urgency=request.urgency,
        priority=request.priority or usual,
        priority_overridden=request.priority not in (None, usual),
        tier=request.tier,
        rev=0,
        requester_user_id=request.requester.user_id,
        requester_name=request.requester.name.strip()[:120],
        requester_email=request.requester.email,
        asset_id=request.asset.id if request.asset else None,
        site_id=site_id,
        category_id=request.category.id if request.category else None,
        follows_id=request.follows.id if request.follows else None,
        source=request.source,
        opened_at=at,
        external_number=request.external_number,
        request_key=request.request_key,
    )


def _opened_before(tenant: Tenant, request_key: str | None) -> Ticket | None:
    if request_key is None:
        return None
    found = select(Ticket).where(Ticket.tenant_id == tenant.id, Ticket.request_key == request_key)
    return db.session.scalars(found).one_or_none()


def _insert_once(tenant: Tenant, ticket: Ticket) -> Ticket | None:
    """Insert; when the same form was sent twice at once, the ticket that won. Raises IntegrityError otherwise."""
    if ticket.request_key is None:
        db.session.add(ticket)
        db.session.flush()
        return None
    try:
        with db.session.begin_nested():
            db.session.add(ticket)
    except IntegrityError:
        existing = _opened_before(tenant, ticket.request_key)
        if existing is None:
            raise
        return existing
    return None


def _learn_heading(ticket: Ticket, request: Request) -> None:
    learn_words(
        ticket,
        ticket.code,
        ticket.external_number,
        ticket.subject,
        ticket.requester_name,
        ticket.requester_email,
        request.asset.name if request.asset else None,
        request.site.name if request.site else None,
        person=ticket.requester_user_id,
    )


def _begin_history(ticket: Ticket, request: Request, *, by: Actor, at: datetime, replay: bool) -> None:
    _learn_heading(ticket, request)
    main = request.asset.id if request.asset else None
    place = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id}
    further = {one.id for one in request.further_assets if one.id != main}
    db.session.add_all(TicketAsset(**place, asset_id=one) for one in sorted(further))
    described = write_message(
        ticket,
        request.body,
        "public",
        "requester",
        by=by,
        at=at,
        files=request.files,
        author=request.requester,
        via=request.source,
    )
    seq = note(
        ticket,
        "opened",
        by=by,
        at=at,
        message_id=described.id,
        replay=replay,
        priority=ticket.priority,
        source=ticket.source,
        further=len(further) or None,
    )
    opened = TicketOpened(
        tenant_id=ticket.tenant_id,
        at=at,
        by=by,
        ticket_id=ticket.id,
        seq=seq,
        replay=replay,
        priority=ticket.priority,
    )
    events.record(opened, replay=replay)
