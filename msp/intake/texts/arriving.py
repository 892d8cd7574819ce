"""What comes by SMS and WhatsApp: each text once, to the ticket it belongs to, a new one, or to people who decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.intake.receiving import receive_ticket
from msp.intake.texts.models import IncomingText, TextThread
from msp.intake.texts.rules import REMEMBERED, is_thanks
from msp.intake.texts.talking import Place, Talk, begun_meanwhile, look, note_thread
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound, Refused
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter, gate, of_tenant
from tenants.people.limits import Limit
from tenants.people.phones import in_full, whose_phone
from tenants.people.sharing import reads_all
from tenants.tenancy.models import Tenant
from tenants.tickets import services
from tenants.tickets.follow_ups import follow_up_request
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket

log = structlog.get_logger()

# More than people write: the rest waits for people to look at.
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

    @property
    def is_thanks(self) -> bool:
        """Whether there is nothing in it but thanks."""
        return self.media == 0 and is_thanks(self.body)


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


def receive_text(own: int, arrived: Arrived, *, at: datetime, by_hand: bool = False) -> None:
    """Keep a text, then place it; one that was kept before changes nothing. `by_hand` leaves the placing to people.

    Gateways bring a text once: it is kept for good before anything else is tried, and what cannot be placed waits for
    people. Entered from the gate's scope; commits by itself.
    """
    with enter(of_tenant(own)):
        kept = _keep(own, arrived, at)
        db.session.commit()
        if kept is None:
            return
    places = [] if by_hand else _places(arrived, at)
    if len(places) == 1:
        _try_placing(own, kept, arrived, places[0], at)


def _try_placing(own: int, kept_id: int, arrived: Arrived, place: Place, at: datetime) -> None:
    with enter(Scope(Role.WORKER, frozenset({own, place.tenant_id}))):
        asked = select(IncomingText).where(IncomingText.tenant_id == own, IncomingText.id == kept_id)
        kept = db.session.scalars(asked.with_for_update()).one()
        if kept.state != "waiting":
            return
        try:
            _put(kept, arrived, place, at=at)
            db.session.commit()
        except Refused as refused:
            db.session.rollback()
            log.warning("text not placed", text=kept_id, because=str(refused.message))


def _places(arrived: Arrived, at: datetime) -> list[Place]:
    """Where a text of this number may belong: the running conversation, else every client that knows the number."""
    with enter(gate()):
        people = whose_phone(arrived.number)
        threads = db.session.execute(
            select(TextThread.tenant_id, TextThread.ticket_id, TextThread.last_at)
            .where(
                TextThread.number == arrived.number,
                TextThread.channel == arrived.channel,
                TextThread.last_at > at - REMEMBERED,
            )
            .order_by(TextThread.last_at.desc())
            .limit(20)
        ).all()
        served = set(db.session.scalars(select(Tenant.id).where(Tenant.state == "active")))
    known = {tenant_id: person for tenant_id, person in people.items() if tenant_id in served}
    for tenant_id, ticket_id, last_at in threads:
        if tenant_id in served:
            place = Place(tenant_id, known.get(tenant_id), ticket_id, last_at)
            with enter(Scope(Role.WORKER, frozenset({tenant_id}))):
                if look(place, is_thanks=arrived.is_thanks, at=at).step != "leave":
                    return [place]
    return [Place(tenant_id, person, None) for tenant_id, person in known.items()]


def _keep(own: int, arrived: Arrived, at: datetime) -> int | None:
    """The id of a text's row; None when the gateway brought it before."""
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
    return db.session.execute(written).scalar_one_or_none()


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
        reads_company=reads_all(place.person),
        via=arrived.channel,
    )


def _put(kept: IncomingText, arrived: Arrived, place: Place, *, at: datetime) -> Ticket:
    by = _sender(place, arrived)
    talk = look(place, is_thanks=arrived.is_thanks, at=at, held=True)
    if talk.step in ("leave", "follow_up"):
        begun = begun_meanwhile(place, arrived.number, arrived.channel, at)
        talk = Talk(begun, "say") if begun is not None else talk
    ticket = _act(talk, arrived, place, by=by, at=at)
    note_thread(ticket, arrived.channel, arrived.number, at, through=place.ticket_id)
    _settle(kept, "placed", by.name, at)
    return ticket


def _act(talk: Talk, arrived: Arrived, place: Place, *, by: Actor, at: datetime) -> Ticket:
    """Do what the text does: on the ticket that was talked about, or on a new one."""
    if talk.ticket is None or talk.step == "leave":
        tenant = db.session.get_one(Tenant, place.tenant_id)
        return _open(tenant, arrived, _asker(place, arrived), by=by, at=at)
    if talk.step == "follow_up":
        return _follow_up(talk.ticket, arrived, _asker(place, arrived, talk), by=by, at=at)
    is_note, reopens = talk.step == "note", talk.step == "reopen"
    services.add_message(
        talk.ticket,
        body=f"{by.name}: {_words(arrived)}" if is_note else _words(arrived),
        # On a closed ticket only the portal itself writes something down.
        by=Actor.system(by.name, via=arrived.channel) if is_note else by,
        kind="internal" if is_note else "public",
        at=at,
        via=arrived.channel,
        request_key=_key(arrived),
        leads_to="in_progress" if reopens else None,
    )
    if reopens:
        services.change_state(talk.ticket, to="in_progress", by=by, at=at)
    return talk.ticket


def _follow_up(
    first: Ticket, arrived: Arrived, who: services.Requester, *, by: Actor, at: datetime
) -> Ticket:
    asked = follow_up_request(
        first,
        body=_words(arrived),
        source=arrived.channel,
        requester=who,
        request_key=_key(arrived),
    )
    return receive_ticket(db.session.get_one(Tenant, first.tenant_id), asked, by=by, at=at)


def _key(arrived: Arrived) -> str:
    return f"text-{arrived.sid}"[:64]


def _asker(place: Place, arrived: Arrived, talk: Talk | None = None) -> services.Requester:
    """The person with this number; without an account the name by which the ticket knows the number, if it does."""
    person = place.person
    if person is not None:
        return services.Requester(person.name, person.email, person.user_id)
    first = talk.ticket if talk else None
    if first is not None and first.id == place.ticket_id and first.requester_user_id is None:
        return services.Requester(first.requester_name, first.requester_email)
    return services.Requester(arrived.number)


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
        request_key=_key(arrived),
    )
    return receive_ticket(tenant, request, by=by, at=at)


def _words(arrived: Arrived) -> str:
    """What was written, and that there were pictures; a text without words is one of pictures only."""
    noted = f"[{arrived.media} × ▣]" if arrived.media else ""
    return "\n".join(one for one in (arrived.body, noted) if one) or "—"


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
    note_thread(ticket, arrived.channel, arrived.number, at)
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
