"""What comes by SMS and WhatsApp: each text once, to the ticket it belongs to, a new one, or to people who decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.intake.receiving import receive_ticket
from msp.intake.texts.models import IncomingText, TextThread
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people.limits import Limit
from tenants.people.models import Membership
from tenants.people.phones import in_full, list_by_phone
from tenants.tenancy.models import Tenant
from tenants.tickets import rules, services
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket

RUNNING = timedelta(days=7)
FROM_NUMBER = Limit("texts of a number", 60, timedelta(hours=1))
LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A text as the gateway brought it, checked for its form."""

    sid: str
    channel: str
    number: str
    body: str
    media: int = 0


def read_arrived(fields: Mapping[str, str]) -> Arrived:
    """What the gateway's form says. Raises Invalid naming the field; pictures are counted and never fetched."""
    sid, sender = fields.get("MessageSid", ""), fields.get("From", "")
    if not 1 <= len(sid) <= 64 or not sid.isascii() or not sid.isalnum():
        raise Invalid("MessageSid", "A message has a number of at most 64 letters and digits.")
    channel = "whatsapp" if sender.startswith("whatsapp:") else "sms"
    number = in_full(sender.removeprefix("whatsapp:"), "ZZ")
    if number is None:
        raise Invalid("From", "The sender is not a telephone number.")
    media = fields.get("NumMedia", "0")
    count = int(media) if media.isascii() and media.isdigit() and len(media) < 3 else 0
    return Arrived(sid=sid, channel=channel, number=number, body=_plain(fields.get("Body", "")), media=count)


def _plain(body: str) -> str:
    kept = "".join(
        one for one in body if one in "\n\t" or (ord(one) >= 32 and not 0xD800 <= ord(one) <= 0xDFFF)
    )
    return kept[: LONGEST_BODY - 500].strip()


def receive_text(own: int, arrived: Arrived, *, at: datetime) -> None:
    """Keep a text and place it, in one transaction; one that was kept before changes nothing.

    Entered from the gate's scope; commits by itself, since the tenants that it needs are known only after a look.
    """
    places = _places(arrived, at)
    place = places[0] if len(places) == 1 else None
    tenants = frozenset({own} | ({place.tenant_id} if place else set()))
    with enter(Scope(Role.WORKER, tenants)):
        kept = _keep(own, arrived, at)
        if kept is None:
            return
        if place is not None:
            _put(kept, arrived, place, at=at)
        db.session.commit()


@dataclass(frozen=True, slots=True)
class Place:
    """Whose text it is: the client, the person where one is known, and the ticket that is talked about."""

    tenant_id: int
    person: Membership | None
    ticket_id: int | None


def _places(arrived: Arrived, at: datetime) -> list[Place]:
    """Where a text of this number may belong: the running conversation, else every client that knows the number."""
    with enter(gate()):
        people = list_by_phone(arrived.number)
        threads = db.session.execute(
            select(TextThread.tenant_id, TextThread.ticket_id)
            .where(
                TextThread.number == arrived.number,
                TextThread.channel == arrived.channel,
                TextThread.last_at > at - RUNNING,
            )
            .order_by(TextThread.last_at.desc())
            .limit(20)
        ).all()
        served = set(db.session.scalars(select(Tenant.id).where(Tenant.state == "active")))
    known = {one.tenant_id: one for one in people if one.tenant_id in served}
    for tenant_id, ticket_id in threads:
        if tenant_id in served and _is_open(tenant_id, ticket_id):
            return [Place(tenant_id, known.get(tenant_id), ticket_id)]
    return [Place(tenant_id, person, None) for tenant_id, person in known.items()]


def _is_open(tenant_id: int, ticket_id: int) -> bool:
    with enter(Scope(Role.WORKER, frozenset({tenant_id}))):
        ticket = db.session.get(Ticket, (tenant_id, ticket_id))
        return ticket is not None and ticket.is_open


def _keep(own: int, arrived: Arrived, at: datetime) -> IncomingText | None:
    """The row of a text; None when the gateway brought it before."""
    written = (
        insert(IncomingText)
        .values(
            tenant_id=own,
            sid=arrived.sid,
            channel=arrived.channel,
            from_number=arrived.number,
            body=arrived.body,
            media_count=arrived.media,
            state="waiting",
            at=at,
        )
        .on_conflict_do_nothing()
        .returning(IncomingText.id)
    )
    row_id = db.session.execute(written).scalar_one_or_none()
    return None if row_id is None else db.session.get_one(IncomingText, (own, row_id))


def _put(kept: IncomingText, arrived: Arrived, place: Place, *, at: datetime) -> Ticket:
    by = _sender(place, arrived)
    ticket = _talked_about(place) or _begun_meanwhile(place, arrived, at)
    if ticket is not None:
        key = f"text-{arrived.sid}"[:64]
        services.add_message(ticket, body=_words(arrived), by=by, at=at, via=arrived.channel, request_key=key)
        _note_thread(ticket, arrived.channel, arrived.number, at)
    else:
        tenant = db.session.get_one(Tenant, place.tenant_id)
        ticket = _open(tenant, arrived, _asker(place, arrived), by=by, at=at)
    _settle(kept, "placed", by.name, at)
    return ticket


def _talked_about(place: Place) -> Ticket | None:
    """The ticket, locked, if it still takes messages: it may have been closed since the look."""
    if place.ticket_id is None:
        return None
    held = select(Ticket).where(Ticket.tenant_id == place.tenant_id, Ticket.id == place.ticket_id)
    ticket = db.session.scalars(held.with_for_update(key_share=True)).one()
    return ticket if rules.may_say(ticket.state, "public") else None


def _begun_meanwhile(place: Place, arrived: Arrived, at: datetime) -> Ticket | None:
    """Two texts of one person at once begin one conversation: the person's row puts them in order."""
    if place.person is None:
        return None
    person = select(Membership).where(
        Membership.tenant_id == place.tenant_id, Membership.id == place.person.id
    )
    db.session.scalars(person.with_for_update()).one()
    thread = db.session.scalar(
        select(TextThread)
        .where(
            TextThread.tenant_id == place.tenant_id,
            TextThread.number == arrived.number,
            TextThread.channel == arrived.channel,
            TextThread.last_at > at - RUNNING,
        )
        .order_by(TextThread.last_at.desc())
        .limit(1)
    )
    if thread is None:
        return None
    ticket = db.session.get_one(Ticket, (place.tenant_id, thread.ticket_id))
    return ticket if ticket.is_open else None


def _sender(place: Place, arrived: Arrived) -> Actor:
    """The person with this number as an actor of the own company; without an account it is the number itself."""
    if place.person is None:
        return Actor(
            ActorKind.USER,
            arrived.number,
            role=MemberRole.CLIENT_USER,
            tenants=frozenset({place.tenant_id}),
            via=arrived.channel,
        )
    return Actor.person(
        user_id=place.person.user_id,
        name=place.person.name,
        role=MemberRole(place.person.role),
        tenants=frozenset({place.tenant_id}),
        via=arrived.channel,
    )


def _asker(place: Place, arrived: Arrived) -> services.Requester:
    person = place.person
    if person is None:
        return services.Requester(arrived.number)
    return services.Requester(person.name, person.email, person.user_id)


def _open(tenant: Tenant, arrived: Arrived, who: services.Requester, *, by: Actor, at: datetime) -> Ticket:
    words = _words(arrived)
    line = " ".join(words.split())
    request = services.Request(
        subject=line if len(line) <= 100 else line[:99].rstrip() + "…",
        body=words,
        impact="low",
        urgency="medium",
        requester=who,
        source=arrived.channel,
        request_key=f"text-{arrived.sid}"[:64],
    )
    ticket = receive_ticket(tenant, request, by=by, at=at)
    _note_thread(ticket, arrived.channel, arrived.number, at)
    return ticket


def _words(arrived: Arrived) -> str:
    """What was written, and that there were pictures; a text without words is one of pictures only."""
    noted = f"[{arrived.media} × ▣]" if arrived.media else ""
    return "\n".join(one for one in (arrived.body, noted) if one) or "—"


def _note_thread(ticket: Ticket, channel: str, number: str, at: datetime) -> None:
    row = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "channel": channel, "number": number}
    written = insert(TextThread).values(**row, last_at=at)
    db.session.execute(
        written.on_conflict_do_update(
            index_elements=[TextThread.tenant_id, TextThread.ticket_id], set_={"last_at": at}
        )
    )


def _settle(kept: IncomingText, state: str, name: str, at: datetime, reason: str = "") -> None:
    """What was placed is the client's: the front desk keeps the number of the text and no word of it."""
    kept.state, kept.decided_by_name, kept.decided_at, kept.reason = state, name[:120], at, reason
    kept.body = ""
    db.session.flush()


def find_waiting(own: int, public_id: object) -> IncomingText:
    """A text that somebody has to place, locked. Raises NotFound, Conflict when it is decided."""
    asked = select(IncomingText).where(IncomingText.tenant_id == own, IncomingText.public_id == public_id)
    kept = db.session.scalars(asked.with_for_update()).one_or_none()
    if kept is None:
        raise NotFound
    if kept.state != "waiting":
        raise Conflict(_l("Somebody has dealt with this text already."))
    return kept


def list_waiting(own: int, limit: int = 100) -> list[IncomingText]:
    """Texts of unknown numbers, oldest first."""
    found = select(IncomingText).where(IncomingText.tenant_id == own, IncomingText.state == "waiting")
    return list(db.session.scalars(found.order_by(IncomingText.at, IncomingText.id).limit(limit)))


def place_text(kept: IncomingText, tenant: Tenant, name: str, *, by: Actor, at: datetime) -> Ticket:
    """Make a text a ticket of a client; further texts of the number follow it there. Raises Invalid."""
    who = " ".join(name.split())
    if len(who) > 120 or not (who.isprintable() or not who):
        raise Invalid("name", _l("A name has at most 120 characters."))
    arrived = Arrived(
        sid=kept.sid,
        channel=kept.channel,
        number=kept.from_number,
        body=kept.body,
        media=kept.media_count,
    )
    ticket = _open(tenant, arrived, services.Requester(who or kept.from_number), by=by, at=at)
    _settle(kept, "placed", by.name, at)
    _audit("text.place", kept, tenant.id, by=by, at=at, ticket=ticket.code)
    return ticket


def dismiss_text(kept: IncomingText, reason: str, *, by: Actor, at: datetime) -> None:
    """Nothing is to be done about a text. Raises Invalid on `reason`."""
    words = " ".join(reason.split())
    if not 1 <= len(words) <= LONGEST_REASON or not words.isprintable():
        raise Invalid("reason", _l("Say in one line why there is nothing left to do."))
    _settle(kept, "dismissed", by.name, at, words)
    _audit("text.dismiss", kept, kept.tenant_id, by=by, at=at)


def _audit(action: str, kept: IncomingText, tenant_id: int, *, by: Actor, at: datetime, **more: str) -> None:
    audit.record(action, tenant_id=tenant_id, by=by, object=f"text:{kept.public_id}", at=at, detail=more)
