"""Finding calls, and who may be calling. All of it asks for the clients that one is granted, by name."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, or_, select

from msp.intake.calls.models import Call
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.people.models import Membership
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import as_uuid
from tenants.tickets.codes import Mistyped, parse
from tenants.tickets.models import Ticket

MOST_FOUND = 8
MOST_WORDS = 6
SHORTEST_WORD = 2


def find_call(public_id: str, *, by: Actor, held: bool = False) -> Call:
    """The call with this id: one's own, or one of a client that one is granted. Raises NotFound.

    `held` locks it. A call that was placed while one waited is another row by then, hence the second look.
    """
    asked = select(Call).where(Call.public_id == as_uuid(public_id))
    mine = or_(Call.taken_by_user_id == by.id, among(Call.tenant_id, by.tenants))
    asked = asked.where(mine)
    found = db.session.scalar(asked.with_for_update() if held else asked)
    if found is None and held:
        found = db.session.scalar(asked.with_for_update())
    if found is None:
        raise NotFound
    return found


def list_calls(*, by: Actor, since: datetime, limit: int = 50) -> list[Call]:
    """One's own calls: unfinished ones first, then those since a moment, newest first."""
    first = case((Call.state == "open", 0), else_=1)
    found = select(Call).where(
        Call.taken_by_user_id == by.id, or_(Call.state == "open", Call.started_at >= since)
    )
    return list(db.session.scalars(found.order_by(first, Call.started_at.desc(), Call.id).limit(limit)))


def list_calls_from(phone: str | None, *, by: Actor, but: int, limit: int = 5) -> list[Call]:
    """The latest calls from the same number about the clients that one is granted."""
    if phone is None:
        return []
    found = select(Call).where(
        Call.phone == phone, Call.id != but, among(Call.tenant_id, by.tenants), Call.state != "open"
    )
    return list(db.session.scalars(found.order_by(Call.started_at.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be calling: the person, the company, and what is open there."""

    person: Membership
    tenant: Tenant
    tickets: Sequence[Ticket] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What fits to what was heard so far."""

    people: Sequence[Candidate] = ()
    tenants: Sequence[Tenant] = ()
    assets: Sequence[tuple[Asset, Tenant]] = ()
    tickets: Sequence[tuple[Ticket, Tenant]] = ()
    calls: Sequence[Call] = ()
    clients: dict[int, Tenant] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing fits."""
        return not (self.people or self.tenants or self.assets or self.tickets)


def look_up(call: Call, *, by: Actor) -> Found:
    """Who may be calling, by number, name, mail, company, a machine's name or a ticket's code: seven statements."""
    clients = {
        one.id: one
        for one in db.session.scalars(
            select(Tenant).where(
                among(Tenant.id, by.tenants), Tenant.state == "active", Tenant.kind == "client"
            )
        )
    }
    words, known = _words(call), list(clients)
    people = _people(call, known)
    opened = _open_tickets([one.user_id for one in people], known)
    heard = _split(call.company_heard)
    return Found(
        people=[
            Candidate(one, clients[one.tenant_id], opened.get((one.tenant_id, one.user_id), ()))
            for one in people
        ],
        tenants=sorted(
            (one for one in clients.values() if any(word.lower() in one.name.lower() for word in heard)),
            key=lambda one: one.name,
        )[:MOST_FOUND],
        assets=[(one, clients[one.tenant_id]) for one in _assets(words, known)],
        tickets=[(one, clients[one.tenant_id]) for one in _tickets(call, known)],
        calls=list_calls_from(call.phone, by=by, but=call.id),
        clients=clients,
    )


def _split(typed: str) -> list[str]:
    return [one for one in typed.split() if len(one) >= SHORTEST_WORD][:MOST_WORDS]


def _words(call: Call) -> list[str]:
    """Words of what is wrong that may be a machine's name: with a digit or a hyphen inside."""
    return [one for one in _split_all(call.wrong) if re.search(r"[\d_-]", one)][:MOST_WORDS]


def _split_all(typed: str) -> list[str]:
    return re.findall(r"[\w.-]{3,60}", typed[:2000])


def _people(call: Call, known: Collection[int]) -> list[Membership]:
    """Whoever has the number first, then those whose name or mail holds every word of the caller's name."""
    names = _split(call.caller_name)
    fits = [
        or_(Membership.name.icontains(one, autoescape=True), Membership.email.icontains(one, autoescape=True))
        for one in names
    ]
    if call.phone is None and not fits:
        return []
    found = select(Membership).where(among(Membership.tenant_id, known), Membership.state == "active")
    by_name = fits[0] if len(fits) == 1 else None
    for one in fits[1:]:
        by_name = (fits[0] if by_name is None else by_name) & one
    if call.phone is None:
        found = found.where(by_name)  # type: ignore[arg-type]
    elif by_name is None:
        found = found.where(Membership.phone == call.phone)
    else:
        found = found.where(or_(Membership.phone == call.phone, by_name))
    first = case((Membership.phone == call.phone, 0), else_=1)
    return list(db.session.scalars(found.order_by(first, Membership.name, Membership.id).limit(MOST_FOUND)))


def _open_tickets(people: Collection[int], known: Collection[int]) -> dict[tuple[int, int], list[Ticket]]:
    found: dict[tuple[int, int], list[Ticket]] = {}
    if not people:
        return found
    asked = select(Ticket).where(
        among(Ticket.tenant_id, known), Ticket.is_open, among(Ticket.requester_user_id, people)
    )
    for one in db.session.scalars(asked.order_by(Ticket.opened_at.desc()).limit(40)):
        found.setdefault((one.tenant_id, one.requester_user_id or 0), []).append(one)
    return found


def _assets(words: Sequence[str], known: Collection[int]) -> list[Asset]:
    if not words:
        return []
    named = or_(*(Asset.name.icontains(one, autoescape=True) for one in words))
    found = select(Asset).where(among(Asset.tenant_id, known), named, Asset.state != "retired")
    return list(db.session.scalars(found.order_by(Asset.name, Asset.id).limit(MOST_FOUND)))


def _tickets(call: Call, known: Collection[int]) -> list[Ticket]:
    codes = [one for one in map(_code, _split_all(f"{call.wrong} {call.caller_name}")) if one]
    if not codes:
        return []
    found = select(Ticket).where(among(Ticket.tenant_id, known), Ticket.code.in_(codes[:MOST_WORDS]))
    return list(db.session.scalars(found.order_by(Ticket.id).limit(MOST_FOUND)))


def _code(word: str) -> str | None:
    try:
        return parse(word)
    except Mistyped:
        return None


def list_open_tickets(call: Call, limit: int = 20) -> list[Ticket]:
    """What is open at the client whose call it is: the caller's own first."""
    own = case((Ticket.requester_user_id == call.requester_user_id, 0), else_=1)
    found = select(Ticket).where(Ticket.tenant_id == call.tenant_id, Ticket.is_open)
    return list(db.session.scalars(found.order_by(own, Ticket.opened_at.desc()).limit(limit)))


def today_since(at: datetime) -> datetime:
    """From when on a call counts as today's: the working day has no time zone here, so sixteen hours back."""
    return at - timedelta(hours=16)
