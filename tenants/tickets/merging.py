"""Two tickets about one matter: the second becomes a part of the first, and nothing that was said is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.tickets import rules
from tenants.tickets.hand_overs import pending_hand_over
from tenants.tickets.history import check_rev, note, who_is
from tenants.tickets.linking import hold_all, list_above
from tenants.tickets.models import Attachment, Message, Ticket
from tenants.tickets.moving import move
from tenants.tickets.queries import find_ticket
from tenants.tickets.relation_models import TicketLink, Watcher
from tenants.tickets.remote import open_session
from tenants.tickets.vendors import pending_case
from tenants.tickets.visits import coming_visit
from tenants.tickets.watching import keep_watcher, list_watchers

_LONGEST_CHAIN = 20


def _handed_over(source: Ticket, target: Ticket) -> Any:
    for one in (source, target):
        if pending_hand_over(one) is not None:
            return _l(
                "%(code)s is being handed over. It has to be accepted or returned first.", code=one.code
            )
    return None


def _visited(source: Ticket, _target: Ticket) -> Any:
    if coming_visit(source) is None:
        return None
    return _l("%(code)s has a visit planned. Finish or cancel it first.", code=source.code)


def _worked_on_from_afar(source: Ticket, _target: Ticket) -> Any:
    if open_session(source) is None:
        return None
    return _l("%(code)s has a remote session. End it first.", code=source.code)


def _at_the_vendors(source: Ticket, _target: Ticket) -> Any:
    if pending_case(source) is None:
        return None
    return _l("%(code)s waits for a vendor. Write down the answer first.", code=source.code)


# What stands in the way of a merge, in words, or None.
OBSTACLES: tuple[Callable[[Ticket, Ticket], Any], ...] = (
    _handed_over,
    _visited,
    _worked_on_from_afar,
    _at_the_vendors,
)


@dataclass(frozen=True, slots=True)
class LookAhead:
    """What a merge would do, or why it cannot be done."""

    refusal: Any
    messages: int
    files: int
    # Who will watch the target from then on, by name.
    watchers: Sequence[str]
    # Codes of the open parts that will hang on the target.
    children: Sequence[str]


def current_of(ticket: Ticket) -> Ticket:
    """Where the story of a ticket goes on: itself, or the ticket that it was merged into."""
    for _step in range(_LONGEST_CHAIN):
        if ticket.merged_into_id is None:
            return ticket
        ticket = db.session.get_one(Ticket, (ticket.tenant_id, ticket.merged_into_id))
    raise RuntimeError(f"{ticket.code} was merged in a circle")


def find_current(code: str, *, by: Actor) -> Ticket:
    """Where the story of the ticket with this code goes on, as far as somebody may see it. Raises NotFound."""
    asked = find_ticket(code, by=by)
    current = current_of(asked)
    return asked if current is asked else find_ticket(current.code, by=by)


def list_merged(ticket: Ticket) -> Sequence[Ticket]:
    """The tickets that became a part of this one, by age."""
    found = select(Ticket).where(Ticket.tenant_id == ticket.tenant_id, Ticket.merged_into_id == ticket.id)
    return db.session.scalars(found.order_by(Ticket.opened_at, Ticket.id)).all()


def look_ahead(source: Ticket, target: Ticket) -> LookAhead:
    """What merging would do; changes nothing. Raises Invalid for tickets of two clients."""
    try:
        _check_pair(source, target)
        _check_states(source, target)
        refusal = None
    except Conflict as refused:
        refusal = refused.message
    of_source = (source.tenant_id, source.id)
    messages = select(func.count()).where(
        Message.tenant_id == of_source[0], Message.ticket_id == of_source[1]
    )
    files = select(func.count()).where(
        Attachment.tenant_id == of_source[0], Attachment.ticket_id == of_source[1]
    )
    watching = [*_newcomers(source, target, by_name="", at=source.opened_at), *_to_confirm(source, target)]
    return LookAhead(
        refusal=refusal,
        messages=db.session.scalar(messages) or 0,
        files=db.session.scalar(files) or 0,
        watchers=[one.name for one in watching],
        children=[one.code for one in _parts_to_move(source, target) if one.is_open],
    )


def _parts_to_move(source: Ticket, target: Ticket) -> Sequence[Ticket]:
    """The source's parts that will hang on the target; what the target hangs on itself would make a circle."""
    parts = select(TicketLink.ticket_id).where(
        TicketLink.tenant_id == source.tenant_id,
        TicketLink.other_id == source.id,
        TicketLink.kind == "parent",
        TicketLink.ticket_id.not_in((target.id, *list_above(target))),
    )
    found = select(Ticket).where(Ticket.tenant_id == source.tenant_id, Ticket.id.in_(parts))
    return db.session.scalars(found.order_by(Ticket.id)).all()


def merge_tickets(source: Ticket, target: Ticket, *, by: Actor, at: datetime, rev: int | None = None) -> None:
    """Make a ticket a part of another one of the same client, for good.

    The source is cancelled and points at the target; who asked and who watched it watch the target; its parts hang on
    the target; replies to it land there. Raises Invalid on `target`, Forbidden, and Conflict where it cannot be done:
    of two people who merge at once, one wins.
    """
    if who_is(by) == "requester":
        raise Forbidden
    _check_pair(source, target)
    hold_all(source, target, *_parts_to_move(source, target))
    check_rev(source, rev)
    _check_states(source, target)
    newcomers = _newcomers(source, target, by_name=by.name, at=at)
    for known in _to_confirm(source, target):
        known.confirmed_at = at
    source.merged_into_id = target.id
    _repoint(source, target, by=by, at=at)
    for one in newcomers:
        keep_watcher(target, one)
    note(source, "merged", by=by, at=at, into=target.code)
    note(target, "merged", by=by, at=at, other=source.code, watchers=len(newcomers))
    # A code is the same reason in every language.
    move(source, "cancelled", by=by, at=at, reason=f"→ {target.code}", replay=False)


def _check_pair(source: Ticket, target: Ticket) -> None:
    if source.tenant_id != target.tenant_id:
        raise Invalid("target", _l("Only tickets of the same client can be merged."))
    if source.id == target.id:
        raise Invalid("target", _l("A ticket cannot be merged into itself."))


def _check_states(source: Ticket, target: Ticket) -> None:
    for one in (source, target):
        if one.merged_into_id is not None:
            into = current_of(one)
            raise Conflict(_l("%(code)s was merged into %(other)s already.", code=one.code, other=into.code))
    if not rules.is_open(source.state):
        raise Conflict(
            _l("%(code)s is done. Only open tickets can be merged into another one.", code=source.code)
        )
    if target.state in ("closed", "cancelled"):
        raise Conflict(_l("%(code)s is closed. Choose a ticket that is still worked on.", code=target.code))
    for obstacle in OBSTACLES:
        words = obstacle(source, target)
        if words is not None:
            raise Conflict(words)


def _newcomers(source: Ticket, target: Ticket, *, by_name: str, at: datetime) -> list[Watcher]:
    """Who follows the source and not yet the target: the requester and the watchers."""
    there = {(one.user_id, one.email) for one in list_watchers(target)}
    if target.requester_user_id is not None:
        there.add((target.requester_user_id, None))
    elif target.requester_email:
        there.add((None, target.requester_email.lower()))
    found = []
    for side, user_id, email, name, confirmed_at in _followers(source, at):
        if (user_id, email) not in there:
            there.add((user_id, email))
            found.append(
                Watcher(
                    tenant_id=target.tenant_id,
                    ticket_id=target.id,
                    side=side,
                    user_id=user_id,
                    email=email,
                    name=name[:120],
                    added_by_name=by_name[:120],
                    added_at=at,
                    confirmed_at=confirmed_at,
                )
            )
    return found


def _to_confirm(source: Ticket, target: Ticket) -> list[Watcher]:
    """Who follows the source for certain, and was only put on copy at the target."""
    sure = {(one[1], one[2]) for one in _followers(source, source.opened_at) if one[4] is not None}
    unsure = [one for one in list_watchers(target) if one.confirmed_at is None]
    return [one for one in unsure if (one.user_id, one.email) in sure]


def _followers(
    source: Ticket, at: datetime
) -> list[tuple[str, int | None, str | None, str, datetime | None]]:
    found: list[tuple[str, int | None, str | None, str, datetime | None]] = []
    if source.requester_user_id is not None:
        found.append(("client", source.requester_user_id, None, source.requester_name, at))
    elif source.requester_email:
        found.append(("address", None, source.requester_email.lower(), source.requester_name, at))
    watchers = list_watchers(source)
    return found + [(one.side, one.user_id, one.email, one.name, one.confirmed_at) for one in watchers]


def _repoint(source: Ticket, target: Ticket, *, by: Actor, at: datetime) -> None:
    """Tickets merged into the source earlier belong to the target now, and so do the source's parts."""
    db.session.execute(
        update(Ticket)
        .where(Ticket.tenant_id == source.tenant_id, Ticket.merged_into_id == source.id)
        .values(merged_into_id=target.id)
    )
    moving = _parts_to_move(source, target)
    parts = (
        TicketLink.tenant_id == source.tenant_id,
        TicketLink.other_id == source.id,
        TicketLink.kind == "parent",
        TicketLink.ticket_id.in_([one.id for one in moving]),
    )
    db.session.execute(update(TicketLink).where(*parts).values(other_id=target.id))
    for part in moving:
        note(part, "linked", by=by, at=at, link="parent", other=target.code, is_first=True)
