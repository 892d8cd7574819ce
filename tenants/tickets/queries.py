"""Finding and listing tickets: what somebody may not see is not found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, any_, bindparam, func, or_, select, tuple_

from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.people.models import Membership
from tenants.tenancy.models import Site, Tenant
from tenants.tickets import rules
from tenants.tickets.attachments import FileOnTicket, files_json
from tenants.tickets.codes import Mistyped, parse
from tenants.tickets.history import who_is
from tenants.tickets.messages import Requester
from tenants.tickets.models import HandOver, Message, Ticket, TicketEvent
from tenants.tickets.relation_models import TicketAsset, Watcher
from tenants.tickets.texts import search_tickets
from tenants.tickets.times import MonthOfTime, months_of, worked_json

# A list that is narrowed by words looks among this many tickets, the newest that have them.
MOST_FOUND = 1000


def visible_to(by: Actor) -> Any:
    """The condition on tickets beyond the scope.

    A client's person sees the own ones and those that the person watches, or all of the company's: as the client says.
    """
    if by.is_staff or by.may(Permission.VIEW_COMPANY_TICKETS):
        return Ticket.id.is_not(None)
    if by.id is None:
        # Tickets without an account as requester are nobody's own.
        return Ticket.id.is_(None)
    watched = select(Watcher.ticket_id).where(
        Watcher.user_id == by.id, Watcher.side == "client", Watcher.confirmed_at.is_not(None)
    )
    # An array is read once and then found by the key: `IN` would read all tickets of the client.
    return or_(Ticket.requester_user_id == by.id, Ticket.id == any_(func.array(watched.scalar_subquery())))


def find_ticket(code: str, *, by: Actor) -> Ticket:
    """The ticket with this code, as typed by a person or a program. Raises NotFound."""
    found = db.session.scalar(select(Ticket).where(Ticket.code == _code(code), visible_to(by)))
    if found is None:
        raise NotFound
    return found


def may_see(ticket: Ticket, by: Actor) -> bool:
    """Whether somebody in whose scope a ticket is may read it."""
    asked = select(Ticket.id).where(
        Ticket.tenant_id == ticket.tenant_id, Ticket.id == ticket.id, visible_to(by)
    )
    return db.session.scalar(asked) is not None


def list_by_codes(codes: Sequence[str], *, by: Actor) -> Sequence[Ticket]:
    """The tickets with these codes that somebody may see, in the order of the queue; the others are left out."""
    known = []
    for code in codes:
        try:
            known.append(parse(code))
        except Mistyped:
            continue
    found = select(Ticket).where(Ticket.code.in_(known), visible_to(by))
    return db.session.scalars(found.order_by(Ticket.queue_at, Ticket.id)).all()


def _code(typed: str) -> str:
    try:
        return parse(typed)
    except Mistyped as wrong:
        raise NotFound from wrong


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket with what stands around it."""

    ticket: Ticket
    tenant: Tenant
    asset: Asset | None
    site: Site | None
    hand_over: HandOver | None
    files: tuple[FileOnTicket, ...]
    worked: tuple[MonthOfTime, ...] = ()


def find_ticket_view(code: str, *, by: Actor) -> TicketView:
    """A ticket with its client, asset, site, waiting hand-over, files and time: one statement. Raises NotFound."""
    row = db.session.execute(
        _view_statement(by.is_staff).where(visible_to(by)), {"code": _code(code)}
    ).one_or_none()
    if row is None:
        raise NotFound
    files = tuple(FileOnTicket(*one) for one in row[4] or ())
    pending = row[6] if by.is_staff else None
    return TicketView(row[0], row[1], row[2], row[3], pending, files, months_of(row[5] or ()))


@cache
def _view_statement(staff: bool) -> Select[Any]:
    """Put together once for each side: clients never read hand-overs."""
    columns: list[Any] = [Ticket, Tenant, Asset, Site, files_json(staff), worked_json()]
    found = select(*columns, HandOver) if staff else select(*columns)
    found = found.where(Ticket.code == bindparam("code")).execution_options(**PREPARED)
    found = found.select_from(Ticket).outerjoin(Tenant, Tenant.id == Ticket.tenant_id)
    for other, column in ((Asset, Ticket.asset_id), (Site, Ticket.site_id)):
        found = found.outerjoin(other, and_(other.tenant_id == Ticket.tenant_id, other.id == column))
    if not staff:
        return found
    return found.outerjoin(
        HandOver,
        and_(
            HandOver.tenant_id == Ticket.tenant_id,
            HandOver.ticket_id == Ticket.id,
            HandOver.state == "pending",
        ),
    )


def list_steps(ticket: Ticket, *, by: Actor, at: datetime) -> tuple[str, ...]:
    """The states to which somebody may move a ticket at this moment."""
    reopenable = rules.is_reopenable(ticket.state, ticket.reopen_until, at)
    return rules.allowed_transitions(ticket.state, who_is(by), reopenable=reopenable)


def list_history(ticket_id: int) -> Sequence[TicketEvent]:
    """A ticket's whole history in order."""
    found = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq)
    return db.session.scalars(found).all()


def list_messages(
    ticket: Ticket, *, by: Actor, before: int | None = None, most: int | None = None
) -> Sequence[Message]:
    """What was said on a ticket, as far as somebody may read it, in order; the newest `most` of those before an id."""
    found = select(Message).where(Message.tenant_id == ticket.tenant_id, Message.ticket_id == ticket.id)
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    if before is not None:
        found = found.where(Message.id < before)
    newest = db.session.scalars(found.order_by(Message.id.desc()).limit(most)).all()
    return newest[::-1]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of tickets is narrowed to; None and "" narrow nothing. `state` "open" stands for all open states."""

    state: str = "open"
    tenant_id: int | None = None
    tier: str = ""
    priority: str = ""
    # A user id, or 0 for tickets that nobody holds.
    assignee: int | None = None
    # User ids, one of whom holds it; None narrows nothing.
    assignees: Sequence[int] | None = None
    requester: int | None = None
    asset_id: int | None = None
    # A category with all below it, by row id; None narrows nothing.
    category_ids: Sequence[int] | None = None
    kind: str = ""
    waiting_reason: str = ""
    site_id: int | None = None
    source: str = ""
    # Opened at or after, and before.
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    q: str = ""


def list_queue(
    narrowed: Filter, *, by: Actor, after: Sequence[Any] | None = None, limit: int = 25
) -> Sequence[Ticket]:
    """Open tickets, what runs out first at the top; one more than `limit`. The sort key is `(queue_at, id)`."""
    found = _narrow(select(Ticket).where(Ticket.is_open), narrowed, by)
    if after is not None:
        found = found.where(tuple_(Ticket.queue_at, Ticket.id) > tuple_(*after))
    return db.session.scalars(found.order_by(Ticket.queue_at, Ticket.id).limit(limit + 1)).all()


def list_tickets(
    narrowed: Filter, *, by: Actor, after: Sequence[Any] | None = None, limit: int = 25
) -> Sequence[Ticket]:
    """Tickets of any state, newest first; one more than `limit`. The sort key is `(opened_at, id)`, falling."""
    found = select(Ticket)
    if narrowed.state == "open":
        found = found.where(Ticket.is_open)
    found = _narrow(found, narrowed, by)
    if after is not None:
        found = found.where(tuple_(Ticket.opened_at, Ticket.id) < tuple_(*after))
    return db.session.scalars(
        found.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(limit + 1)
    ).all()


def list_underway(tenant_id: int, *, by: Actor, limit: int) -> Sequence[Ticket]:
    """A client's tickets that are open, or resolved and not confirmed, newest first; one more than `limit`."""
    found = select(Ticket).where(Ticket.tenant_id == tenant_id, ~Ticket.is_over, visible_to(by))
    return db.session.scalars(
        found.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(limit + 1)
    ).all()


def _narrow(found: Select[Any], narrowed: Filter, by: Actor) -> Select[Any]:
    found = found.where(visible_to(by)) if not by.is_staff else found
    if narrowed.state not in ("", "open", "all"):
        found = found.where(Ticket.state == narrowed.state)
    if narrowed.assignee is not None:
        nobody = Ticket.assignee_user_id.is_(None)
        found = found.where(Ticket.assignee_user_id == narrowed.assignee if narrowed.assignee else nobody)
    for column, value in (
        (Ticket.tenant_id, narrowed.tenant_id),
        (Ticket.tier, narrowed.tier),
        (Ticket.priority, narrowed.priority),
        (Ticket.requester_user_id, narrowed.requester),
        (Ticket.kind, narrowed.kind),
        (Ticket.waiting_reason, narrowed.waiting_reason),
        (Ticket.site_id, narrowed.site_id),
        (Ticket.source, narrowed.source),
    ):
        if value:
            found = found.where(column == value)
    found = _narrow_further(found, narrowed)
    return found.where(_about(narrowed.q, by)) if narrowed.q.strip() else found


def _narrow_further(found: Select[Any], narrowed: Filter) -> Select[Any]:
    if narrowed.asset_id:
        beside = select(TicketAsset.ticket_id).where(TicketAsset.asset_id == narrowed.asset_id)
        on_it = Ticket.id == any_(func.array(beside.scalar_subquery()))
        found = found.where(or_(Ticket.asset_id == narrowed.asset_id, on_it))
    if narrowed.assignees is not None:
        found = found.where(among(Ticket.assignee_user_id, narrowed.assignees))
    if narrowed.category_ids is not None:
        found = found.where(among(Ticket.category_id, narrowed.category_ids))
    if narrowed.opened_from is not None:
        found = found.where(Ticket.opened_at >= narrowed.opened_from)
    if narrowed.opened_until is not None:
        found = found.where(Ticket.opened_at < narrowed.opened_until)
    return found


def _about(words: str, by: Actor) -> Any:
    """A code finds its ticket; other words are looked for in all that is written on the newest tickets with them."""
    try:
        return Ticket.code == parse(words)
    except Mistyped:
        return among(Ticket.id, search_tickets(words, by=by, most=MOST_FOUND))


def list_found(words: str, *, by: Actor, most: int) -> Sequence[Ticket]:
    """The newest tickets of any state with all these words, newest first; one more than `most`."""
    ids = search_tickets(words, by=by, most=most + 1)
    found = select(Ticket).where(among(Ticket.id, ids), visible_to(by))
    return db.session.scalars(found.order_by(Ticket.opened_at.desc(), Ticket.id.desc())).all() if ids else []


def queue_key(ticket: Ticket) -> tuple[datetime, int]:
    """The sort key of the queue."""
    return ticket.queue_at, ticket.id


def opened_key(ticket: Ticket) -> tuple[datetime, int]:
    """The sort key of lists by age."""
    return ticket.opened_at, ticket.id


def list_requesters(tenant_id: int) -> Sequence[Membership]:
    """The people of a client who may ask for something, by name."""
    found = select(Membership).where(Membership.tenant_id == tenant_id, Membership.state == "active")
    return db.session.scalars(found.order_by(Membership.name, Membership.id)).all()


def find_member(tenant_id: int, user_id: int | None) -> Membership | None:
    """An active person of a client by account, or None."""
    found = select(Membership).where(
        Membership.tenant_id == tenant_id, Membership.user_id == user_id, Membership.state == "active"
    )
    return db.session.scalar(found)


def find_requester(tenant_id: int, user_id: int | None) -> Requester | None:
    """A member of a client as the one who asks, or None."""
    person = find_member(tenant_id, user_id)
    return None if person is None else Requester(person.name, person.email, person.user_id)
