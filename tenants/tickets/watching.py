"""Who watches a ticket: gets its public replies, and as one of the client's people may read it in the portal."""

from collections.abc import Sequence
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.people.models import Membership, StaffMember
from tenants.tenancy.queries import as_uuid
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import Watcher
from tenants.tickets.texts import learn_words

MOST_WATCHERS = 50


def list_watchers(ticket: Ticket) -> Sequence[Watcher]:
    """Who watches a ticket, those not confirmed included, in the order in which they were added."""
    found = select(Watcher).where(Watcher.tenant_id == ticket.tenant_id, Watcher.ticket_id == ticket.id)
    return db.session.scalars(found.order_by(Watcher.id)).all()


def find_watcher(ticket: Ticket, public_id: str) -> Watcher:
    """One watcher of a ticket. Raises NotFound."""
    found = next((one for one in list_watchers(ticket) if one.public_id == as_uuid(public_id)), None)
    if found is None:
        raise NotFound
    return found


def count_watchers(ticket: Ticket, *, by: Actor) -> int:
    """How many watch a ticket and are confirmed; clients are not told of the provider's people."""
    found = select(func.count()).where(
        Watcher.tenant_id == ticket.tenant_id,
        Watcher.ticket_id == ticket.id,
        Watcher.confirmed_at.is_not(None),
    )
    return db.session.scalar(found if by.is_staff else found.where(Watcher.side != "staff")) or 0


def is_watching(ticket: Ticket, user_id: int | None) -> bool:
    """Whether somebody with an account watches a ticket."""
    return any(one.user_id is not None and one.user_id == user_id for one in list_watchers(ticket))


def watch_as(ticket: Ticket, person: Membership | StaffMember, *, by: Actor, at: datetime) -> Watcher | None:
    """Let one of the client's people or of staff watch; None for somebody who watches already.

    The caller found the person among those who may see the client. The client's people add only themselves. Raises
    Forbidden, Conflict.
    """
    if who_is(by) == "requester" and person.user_id != by.id:
        raise Forbidden
    if isinstance(person, Membership) and person.tenant_id != ticket.tenant_id:
        raise Invalid("person", _l("This person is not known."))
    side = "client" if isinstance(person, Membership) else "staff"
    return _add(ticket, side, person.user_id, None, person.name, by=by, at=at, confirmed_at=at)


def watch_by_mail(
    ticket: Ticket, email: str, *, name: str = "", by: Actor, at: datetime, is_confirmed: bool = True
) -> Watcher | None:
    """Let a bare address watch; None for one that does already.

    Without confirmation (somebody put it on copy) it gets nothing until it is confirmed. Raises Invalid, Forbidden.
    """
    if who_is(by) == "requester":
        raise Forbidden
    address = _address(email)
    member = db.session.scalar(
        select(Membership).where(
            Membership.tenant_id == ticket.tenant_id,
            func.lower(Membership.email) == address,
            Membership.state == "active",
        )
    )
    confirmed_at = at if is_confirmed else None
    if member is not None:
        return _add(
            ticket, "client", member.user_id, None, member.name, by=by, at=at, confirmed_at=confirmed_at
        )
    return _add(ticket, "address", None, address, name or address, by=by, at=at, confirmed_at=confirmed_at)


def _address(typed: str) -> str:
    try:
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise Invalid("email", _l("This is not an e-mail address.")) from wrong
    return found.normalized.lower()


def _add(
    ticket: Ticket,
    side: str,
    user_id: int | None,
    email: str | None,
    name: str,
    *,
    by: Actor,
    at: datetime,
    confirmed_at: datetime | None,
) -> Watcher | None:
    hold(ticket)
    there = list_watchers(ticket)
    same = [one for one in there if (one.user_id, one.email) == (user_id, email)]
    if same:
        if same[0].confirmed_at is None and confirmed_at is not None:
            _confirm(ticket, same[0], by=by, at=at)
        return None
    if len(there) >= MOST_WATCHERS:
        raise Conflict(_l("A ticket has at most 50 watchers."))
    watcher = Watcher(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        side=side,
        user_id=user_id,
        email=email,
        name=name[:120],
        added_by_name=by.name[:120],
        added_at=at,
        confirmed_at=confirmed_at,
    )
    keep_watcher(ticket, watcher)
    note(ticket, "watchers_changed", by=by, at=at, added=watcher.name)
    return watcher


def keep_watcher(ticket: Ticket, watcher: Watcher) -> None:
    """Write the row, and let the client's person find the ticket by its words."""
    db.session.add(watcher)
    db.session.flush()
    if watcher.side == "client":
        learn_words(ticket, person=watcher.user_id)


def confirm_watcher(ticket: Ticket, watcher: Watcher, *, by: Actor, at: datetime) -> None:
    """Let somebody who was added by a mail get what is written from now on. Raises Forbidden, NotFound."""
    if who_is(by) == "requester":
        raise Forbidden
    _hold(ticket, watcher)
    if watcher.confirmed_at is None:
        _confirm(ticket, watcher, by=by, at=at)


def _hold(ticket: Ticket, watcher: Watcher) -> None:
    """Lock the ticket and see the watcher anew: somebody may have been faster. Raises NotFound."""
    tenant_id, watcher_id = watcher.tenant_id, watcher.id
    hold(ticket)
    newest = select(Watcher).where(Watcher.tenant_id == tenant_id, Watcher.id == watcher_id)
    if db.session.scalar(newest.execution_options(populate_existing=True)) is None:
        raise NotFound


def _confirm(ticket: Ticket, watcher: Watcher, *, by: Actor, at: datetime) -> None:
    watcher.confirmed_at = at
    note(ticket, "watchers_changed", by=by, at=at, confirmed=watcher.name)


def unwatch(ticket: Ticket, watcher: Watcher, *, by: Actor, at: datetime) -> None:
    """Take somebody off; the client's people only themselves. Raises Forbidden, NotFound."""
    if who_is(by) == "requester" and watcher.user_id != by.id:
        raise Forbidden
    _hold(ticket, watcher)
    db.session.delete(watcher)
    db.session.flush()
    note(ticket, "watchers_changed", by=by, at=at, removed=watcher.name)
