"""Finding and listing tickets: what somebody may not see is not found."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, any_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from tenants.assets.models import Asset
from tenants.files.models import StoredFile
from tenants.foundation import guard
from tenants.foundation.actor import Actor
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.people.models import Membership
from tenants.tenancy.models import Site, Tenant
from tenants.tickets import rules
from tenants.tickets.codes import Mistyped, parse
from tenants.tickets.history import who_is
from tenants.tickets.messages import Requester
from tenants.tickets.models import Attachment, HandOver, Message, Ticket, TicketEvent
from tenants.tickets.relation_models import TicketAsset, Watcher
from tenants.tickets.texts import search_tickets
from tenants.tickets.times import MonthOfTime, months_of, worked_json

# A list that is narrowed by words looks among this many tickets, the newest that have them.
MOST_FOUND = 1000


def visible_to(by: Actor) -> Any:
    """The condition on tickets beyond the scope.

    A client's user sees the own ones and those that the person watches, its admin all of the company's.
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
class FileOnTicket:
    """An attachment as a page needs it."""

    message_id: int
    public_id: str
    name: str
    size: int


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
    columns: list[Any] = [Ticket, Tenant, Asset, Site, _files_json(staff), worked_json()]
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


def _files_json(staff: bool) -> Any:
    one = func.json_build_array(Attachment.message_id, StoredFile.public_id, StoredFile.name, StoredFile.size)
    held = and_(StoredFile.tenant_id == Attachment.tenant_id, StoredFile.id == Attachment.file_id)
    files = (
        select(func.json_agg(one))
        .select_from(Attachment)
        .join(StoredFile, held)
        .where(
            Attachment.tenant_id == Ticket.tenant_id,
            or_(Attachment.ticket_id == Ticket.id, Attachment.ticket_id.in_(_merged_ids())),
        )
    )
    if not staff:
        said = and_(Message.tenant_id == Attachment.tenant_id, Message.id == Attachment.message_id)
        files = files.join(Message, said).where(Message.kind == "public")
    return files.correlate(Ticket).scalar_subquery()


def _merged_ids() -> Any:
    """The tickets that were merged into the one that is asked for."""
    source = aliased(Ticket)
    merged = select(source.id).where(source.tenant_id == Ticket.tenant_id, source.merged_into_id == Ticket.id)
    return merged.correlate(Ticket)


def list_steps(ticket: Ticket, *, by: Actor, at: datetime) -> tuple[str, ...]:
    """The states to which somebody may move a ticket at this moment."""
    reopenable = rules.is_reopenable(ticket.state, ticket.reopen_until, at)
    return rules.allowed_transitions(ticket.state, who_is(by), reopenable=reopenable)


def list_files(ticket: Ticket, *, by: Actor) -> tuple[FileOnTicket, ...]:
    """The files that hang on messages of a ticket which somebody may read."""
    ours = (Ticket.tenant_id == ticket.tenant_id, Ticket.id == ticket.id)
    found = db.session.scalar(select(_files_json(by.is_staff)).select_from(Ticket).where(*ours))
    return tuple(FileOnTicket(*one) for one in found or ())


def find_file(code: str, public_id: str, *, by: Actor) -> StoredFile:
    """A file that hangs on a ticket somebody may see, and on a message that they may read. Raises NotFound."""
    return find_file_of(find_ticket(code, by=by), public_id, by=by)


def find_file_of(ticket: Ticket, public_id: str, *, by: Actor) -> StoredFile:
    """A file of a ticket in hand, on a message that somebody may read. Raises NotFound."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
    found = (
        select(StoredFile)
        .join(
            Attachment,
            and_(Attachment.tenant_id == StoredFile.tenant_id, Attachment.file_id == StoredFile.id),
        )
        .join(Message, and_(Message.tenant_id == Attachment.tenant_id, Message.id == Attachment.message_id))
        .where(
            StoredFile.tenant_id == ticket.tenant_id,
            StoredFile.public_id == wanted,
            Attachment.ticket_id.in_(
                select(Ticket.id).where(or_(Ticket.id == ticket.id, Ticket.merged_into_id == ticket.id))
            ),
        )
    )
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    row = db.session.scalar(found)
    if row is None:
        raise NotFound
    return row


def list_history(ticket_id: int) -> Sequence[TicketEvent]:
    """A ticket's whole history in order."""
    found = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq)
    return db.session.scalars(found).all()


def list_history_with_messages(ticket: Ticket, *, by: Actor) -> Sequence[tuple[TicketEvent, Message | None]]:
    """A ticket's whole history with what was said, in one statement.

    For clients internal notes never leave the database.
    """
    asked = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id}
    with guard.only(ticket.tenant_id):
        return [(row[0], row[1]) for row in db.session.execute(_history_statement(by.is_staff), asked)]


@cache
def _history_statement(staff: bool) -> Select[TicketEvent, Message]:
    """Put together once for each side."""
    said = and_(Message.tenant_id == TicketEvent.tenant_id, Message.id == TicketEvent.message_id)
    return (
        select(TicketEvent, Message)
        .outerjoin(Message, said if staff else and_(said, Message.kind == "public"))
        .where(
            TicketEvent.tenant_id == bindparam("tenant_id"), TicketEvent.ticket_id == bindparam("ticket_id")
        )
        .order_by(TicketEvent.seq)
        .execution_options(**PREPARED)
    )


def list_merged_messages(
    ticket: Ticket, history: Sequence[TicketEvent], *, by: Actor
) -> Sequence[tuple[TicketEvent, Message, str]]:
    """What was said on tickets that were merged into this one, with the code of each, in one statement.

    Asked only where the history tells of a merge.
    """
    if not any(line.kind == "merged" for line in history):
        return []
    said = and_(Message.tenant_id == TicketEvent.tenant_id, Message.id == TicketEvent.message_id)
    there = and_(Ticket.tenant_id == TicketEvent.tenant_id, Ticket.id == TicketEvent.ticket_id)
    found = (
        select(TicketEvent, Message, Ticket.code)
        .join(Message, said)
        .join(Ticket, there)
        .where(Ticket.tenant_id == ticket.tenant_id, Ticket.merged_into_id == ticket.id)
        .order_by(TicketEvent.at, TicketEvent.id)
    )
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    with guard.only(ticket.tenant_id):
        return [(row[0], row[1], row[2]) for row in db.session.execute(found)]


def list_messages(ticket: Ticket, *, by: Actor) -> Sequence[Message]:
    """What was said on a ticket, as far as somebody may read it, in order."""
    found = select(Message).where(Message.tenant_id == ticket.tenant_id, Message.ticket_id == ticket.id)
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    return db.session.scalars(found.order_by(Message.id)).all()


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
