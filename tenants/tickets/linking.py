"""How tickets of one client stand to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.tenancy.queries import as_uuid
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import LINKS, TicketLink
from tenants.tickets.states import change_state

MOST_LINKS = 200
MOST_LEVELS = 20


@dataclass(frozen=True, slots=True)
class Relation:
    """A link as one of its tickets sees it; `is_first` when it is read from there."""

    kind: str
    is_first: bool
    other: Ticket
    public_id: str


def hold_all(*tickets: Ticket) -> None:
    """Lock tickets, always in the same order, so that two people never wait for each other."""
    for ticket in sorted(tickets, key=lambda found: found.id):
        hold(ticket)


def link_tickets(ticket: Ticket, other: Ticket, *, kind: str, by: Actor, at: datetime) -> None:
    """Say how a ticket stands to another one of the same client; the same link again changes nothing.

    `kind` is read from `ticket` to `other`. Raises Invalid on `kind` or `other`, Forbidden, Conflict.
    """
    if who_is(by) == "requester":
        raise Forbidden
    if kind not in LINKS:
        raise Invalid("kind", _l("Choose how the tickets belong together."))
    if other.tenant_id != ticket.tenant_id:
        raise Invalid("other", _l("Both tickets have to be of the same client."))
    if other.id == ticket.id:
        raise Invalid("other", _l("A ticket cannot be linked with itself."))
    hold_all(ticket, other)
    if _exists(ticket, other, kind):
        return
    _check(ticket, other, kind)
    made = TicketLink(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        other_id=other.id,
        kind=kind,
        made_by_name=by.name[:120],
        made_at=at,
    )
    db.session.add(made)
    db.session.flush()
    note(ticket, "linked", by=by, at=at, link=kind, other=other.code, is_first=True)
    note(other, "linked", by=by, at=at, link=kind, other=ticket.code, is_first=False)


def _exists(ticket: Ticket, other: Ticket, kind: str) -> bool:
    same = or_(
        (TicketLink.ticket_id == ticket.id) & (TicketLink.other_id == other.id),
        # "Has to do with" reads the same both ways.
        (TicketLink.ticket_id == other.id)
        & (TicketLink.other_id == ticket.id)
        & (TicketLink.kind == "related"),
    )
    found = select(TicketLink.id).where(
        TicketLink.tenant_id == ticket.tenant_id, TicketLink.kind == kind, same
    )
    return db.session.scalar(found.limit(1)) is not None


def _check(ticket: Ticket, other: Ticket, kind: str) -> None:
    if kind == "problem" and other.kind != "problem":
        raise Invalid("other", _l("%(code)s is not a problem.", code=other.code))
    if kind == "change" and other.kind != "change":
        raise Invalid("other", _l("%(code)s is not a change.", code=other.code))
    if kind in ("parent", "duplicate"):
        _check_no_circle(ticket, other, kind)
    if kind == "parent" and _next_up(ticket.tenant_id, ticket.id, kind) is not None:
        raise Conflict(_l("This ticket is a part of another one already. Take that link away first."))
    if len(list_relations(ticket)) >= MOST_LINKS:
        raise Conflict(_l("A ticket has at most 200 links."))


def _check_no_circle(ticket: Ticket, other: Ticket, kind: str) -> None:
    above: int | None = other.id
    for _level in range(MOST_LEVELS):
        above = _next_up(ticket.tenant_id, above, kind)
        if above is None:
            return
        if above == ticket.id:
            break
    raise Invalid(
        "other", _l("That would make a circle: %(code)s hangs on this ticket already.", code=other.code)
    )


def list_above(ticket: Ticket) -> list[int]:
    """The tickets of which one is a part, directly or not, from below, by row id."""
    above: list[int] = []
    following = _next_up(ticket.tenant_id, ticket.id, "parent")
    while following is not None and following not in above and len(above) < MOST_LEVELS:
        above.append(following)
        following = _next_up(ticket.tenant_id, following, "parent")
    return above


def _next_up(tenant_id: int, ticket_id: int | None, kind: str) -> int | None:
    found = select(TicketLink.other_id).where(
        TicketLink.tenant_id == tenant_id, TicketLink.ticket_id == ticket_id, TicketLink.kind == kind
    )
    return db.session.scalar(found.limit(1))


def unlink_tickets(ticket: Ticket, public_id: str, *, by: Actor, at: datetime) -> None:
    """Take a link of a ticket away. Raises NotFound, Forbidden."""
    if who_is(by) == "requester":
        raise Forbidden
    link = db.session.scalar(
        select(TicketLink).where(
            TicketLink.tenant_id == ticket.tenant_id,
            TicketLink.public_id == as_uuid(public_id),
            or_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == ticket.id),
        )
    )
    if link is None:
        raise NotFound
    first, other = (
        db.session.get_one(Ticket, (link.tenant_id, one)) for one in (link.ticket_id, link.other_id)
    )
    hold_all(first, other)
    db.session.delete(link)
    db.session.flush()
    note(first, "unlinked", by=by, at=at, link=link.kind, other=other.code, is_first=True)
    note(other, "unlinked", by=by, at=at, link=link.kind, other=first.code, is_first=False)


def list_relations(ticket: Ticket) -> list[Relation]:
    """All links of a ticket, oldest first; two statements however many there are."""
    rows = db.session.scalars(
        select(TicketLink)
        .where(
            TicketLink.tenant_id == ticket.tenant_id,
            or_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == ticket.id),
        )
        .order_by(TicketLink.id)
        .limit(MOST_LINKS)
    ).all()
    if not rows:
        return []
    ids = {row.other_id if row.ticket_id == ticket.id else row.ticket_id for row in rows}
    asked = select(Ticket).where(Ticket.tenant_id == ticket.tenant_id, Ticket.id.in_(ids))
    others = {one.id: one for one in db.session.scalars(asked)}
    return [
        Relation(
            row.kind,
            row.ticket_id == ticket.id,
            others[row.other_id if row.ticket_id == ticket.id else row.ticket_id],
            str(row.public_id),
        )
        for row in rows
    ]


def open_incidents(problem: Ticket) -> Sequence[Ticket]:
    """Open tickets that are caused by a problem, the oldest first."""
    caused = select(TicketLink.ticket_id).where(
        TicketLink.tenant_id == problem.tenant_id,
        TicketLink.other_id == problem.id,
        TicketLink.kind == "problem",
    )
    found = select(Ticket).where(Ticket.tenant_id == problem.tenant_id, Ticket.id.in_(caused), Ticket.is_open)
    return db.session.scalars(found.order_by(Ticket.opened_at, Ticket.id)).all()


def open_children(ticket: Ticket) -> Sequence[Ticket]:
    """Open parts of a ticket, the oldest first."""
    parts = select(TicketLink.ticket_id).where(
        TicketLink.tenant_id == ticket.tenant_id,
        TicketLink.other_id == ticket.id,
        TicketLink.kind == "parent",
    )
    found = select(Ticket).where(Ticket.tenant_id == ticket.tenant_id, Ticket.id.in_(parts), Ticket.is_open)
    return db.session.scalars(found.order_by(Ticket.opened_at, Ticket.id)).all()


def wait_for_change(
    ticket: Ticket, change: Ticket, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Let a ticket wait for a change of the same client, which its history names. Raises Invalid and Conflict."""
    if change.tenant_id != ticket.tenant_id or change.kind != "change":
        raise Invalid("change", _l("%(code)s is not a change of this client.", code=change.code))
    hold_all(ticket, change)
    change_state(ticket, to="waiting", reason="change", by=by, at=at, rev=rev)
    link_tickets(ticket, change, kind="change", by=by, at=at)
