"""Remote sessions on a ticket: asked for, allowed, begun, ended; only ever with consent, and one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.foundation.permissions import Permission
from tenants.tickets import rules
from tenants.tickets.events import RemoteSessionAsked, RemoteSessionEnded
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.remote_models import OPEN, RemoteSession

SPOKEN_WAYS = ("phone", "chat")
LONGEST_DONE = 5000


@dataclass(frozen=True, slots=True)
class Consent:
    """Who at the machine said yes, and how it was heard: `phone` or `chat`."""

    by: str
    way: str


def ask_for_consent(ticket: Ticket, *, by: Actor, at: datetime, rev: int | None = None) -> RemoteSession:
    """Ask the requester's side, who answers in the portal. Raises Conflict, and Forbidden for clients."""
    _hold_for_work(ticket, by, rev)
    if ticket.requester_user_id is None:
        raise Conflict(_l("The requester has no account and cannot answer in the portal. Ask on the phone."))
    if open_session(ticket) is not None:
        raise Conflict(_l("A remote session is asked for or runs already."))
    session = _add(ticket, "asked", by=by, at=at)
    _note(ticket, session, "remote_session_begun", "asked", by=by, at=at)
    _tell(ticket, session, RemoteSessionAsked, by=by, at=at)
    return session


def answer_request(ticket: Ticket, session: RemoteSession, *, allow: bool, by: Actor, at: datetime) -> None:
    """The requester's side says yes or no. Raises Conflict where nothing is asked any more.

    Raises Forbidden for staff, and where somebody else's machine would be opened by a yes.
    """
    _hold_for_client(ticket, session, by)
    if allow and not may_allow(ticket, by):
        raise Forbidden(_l("Only the requester or your company's administrator can allow this."))
    if session.state != "asked" or not rules.is_open(ticket.state):
        raise Conflict(_l("This was decided already. Reload the page to see where it stands."))
    if not allow:
        session.state, session.ended_at, session.ended_by = "declined", at, by.name[:120]
        _note(ticket, session, "remote_session_ended", "declined", by=by, at=at)
        return
    session.state = "allowed"
    session.consent_by, session.consent_way, session.consent_at = by.name[:120], "portal", at
    _note(ticket, session, "remote_session_begun", "allowed", by=by, at=at)


def may_allow(ticket: Ticket, by: Actor) -> bool:
    """Whether somebody may open the requester's machine: the requester, or who answers for the whole company.

    Whoever merely follows the ticket may decline, and take a consent back.
    """
    own = by.id is not None and by.id == ticket.requester_user_id
    return who_is(by) == "requester" and (own or by.may(Permission.MANAGE_COMPANY_PEOPLE))


def begin_session(
    ticket: Ticket, consent: Consent | None, *, by: Actor, at: datetime, rev: int | None = None
) -> RemoteSession:
    """Begin, with a consent that was heard or with the one given in the portal.

    Raises InvalidMany for a consent that nobody gave, Conflict while one runs, Forbidden for clients.
    """
    _hold_for_work(ticket, by, rev)
    session = open_session(ticket)
    if session is not None and session.state == "running":
        raise Conflict(_l("A remote session runs on this ticket already."))
    if session is None or session.state != "allowed":
        given = _checked(consent)
        session = session or _add(ticket, "asked", by=by, at=at)
        session.consent_by, session.consent_way, session.consent_at = given.by, given.way, at
    session.state, session.begun_at = "running", at
    session.staff_user_id, session.staff_name = by.id, by.name[:120]
    _note(ticket, session, "remote_session_begun", "begun", by=by, at=at)
    return session


def end_session(
    ticket: Ticket, session: RemoteSession, *, done: str, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """End it and say what was done; what the client ended by taking the consent back is only described.

    Raises InvalidMany, Conflict where that was done before, Forbidden for clients.
    """
    _hold_for_staff(ticket, by, rev)
    db.session.refresh(session)
    if session.state not in ("running", "withdrawn") or session.done or session.begun_at is None:
        raise Conflict(_l("This remote session was ended already."))
    words = done.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_DONE or "\x00" in words:
        raise InvalidMany([("done", _l("Say what was done, in at most 5,000 characters."))])
    session.done = words
    if session.state == "running":
        session.state, session.ended_at, session.ended_by = "ended", at, by.name[:120]
    _note(ticket, session, "remote_session_ended", session.state, by=by, at=at)
    _tell(ticket, session, RemoteSessionEnded, by=by, at=at)


def drop_request(
    ticket: Ticket, session: RemoteSession, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Staff take back what was asked and has not begun. Raises Conflict, and Forbidden for clients."""
    _hold_for_staff(ticket, by, rev)
    db.session.refresh(session)
    if session.state not in ("asked", "allowed"):
        raise Conflict(_l("This was decided already. Reload the page to see where it stands."))
    session.state, session.ended_at, session.ended_by = "ended", at, by.name[:120]
    _note(ticket, session, "remote_session_ended", "dropped", by=by, at=at)


def withdraw_consent(ticket: Ticket, session: RemoteSession, *, by: Actor, at: datetime) -> None:
    """The requester's side takes the consent back, which ends the session; twice is once.

    Raises Conflict where it is over, Forbidden for staff.
    """
    _hold_for_client(ticket, session, by)
    if session.state == "withdrawn":
        return
    if session.state not in ("allowed", "running"):
        raise Conflict(_l("This remote session is over already."))
    session.state, session.ended_at, session.ended_by = "withdrawn", at, by.name[:120]
    _note(ticket, session, "remote_session_ended", "withdrawn", by=by, at=at)


def _tell(
    ticket: Ticket, session: RemoteSession, happening: type[RemoteSessionAsked], *, by: Actor, at: datetime
) -> None:
    told = happening(
        tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=ticket.rev, session_id=session.id
    )
    events.record(told)


def find_session(ticket: Ticket, public_id: str) -> RemoteSession:
    """A remote session of a ticket. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found: RemoteSession | None = db.session.scalar(_of(ticket).where(RemoteSession.public_id == key))
    if found is None:
        raise NotFound
    return found


def list_sessions(ticket: Ticket) -> Sequence[RemoteSession]:
    """A ticket's remote sessions, the latest first."""
    return db.session.scalars(_of(ticket).order_by(RemoteSession.id.desc())).all()


def open_session(ticket: Ticket) -> RemoteSession | None:
    """What is asked for, allowed or running."""
    return db.session.scalars(_of(ticket).where(RemoteSession.state.in_(OPEN))).one_or_none()


def _of(ticket: Ticket) -> Any:
    return select(RemoteSession).where(
        RemoteSession.tenant_id == ticket.tenant_id, RemoteSession.ticket_id == ticket.id
    )


def _hold_for_staff(ticket: Ticket, by: Actor, rev: int | None) -> None:
    hold(ticket)
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden


def _hold_for_work(ticket: Ticket, by: Actor, rev: int | None) -> None:
    _hold_for_staff(ticket, by, rev)
    if not rules.is_open(ticket.state):
        raise Conflict(_l("This ticket is not open: nobody works on it remotely."))
    if who_is(by) == "staff" and not rules.may_hold(by.tier, ticket.tier):
        raise Conflict(_l("This ticket is in %(tier)s: somebody of that tier works on it.", tier=ticket.tier))


def _hold_for_client(ticket: Ticket, session: RemoteSession, by: Actor) -> None:
    """Only whoever sits at the machine decides: never staff in their place."""
    hold(ticket)
    if who_is(by) != "requester":
        raise Forbidden
    db.session.refresh(session)


def _checked(consent: Consent | None) -> Consent:
    by, way = (" ".join(consent.by.split()), consent.way) if consent else ("", "")
    wrong: list[tuple[str, Any]] = []
    if not 1 <= len(by) <= 120 or not by.isprintable():
        wrong.append(("consent_by", _l("Say who at the machine allowed it, in at most 120 characters.")))
    if way not in SPOKEN_WAYS:
        wrong.append(("consent_way", _l("Choose how you heard it: on the phone or in the chat.")))
    if wrong:
        raise InvalidMany(wrong)
    return Consent(by, way)


def _add(ticket: Ticket, state: str, *, by: Actor, at: datetime) -> RemoteSession:
    name = select(Asset.name).where(Asset.tenant_id == ticket.tenant_id, Asset.id == ticket.asset_id)
    session = RemoteSession(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        asset_id=ticket.asset_id,
        asset_name=(db.session.scalar(name) if ticket.asset_id is not None else None) or "",
        state=state,
        staff_user_id=by.id,
        staff_name=by.name[:120],
        asked_at=at,
    )
    db.session.add(session)
    return session


def _note(ticket: Ticket, session: RemoteSession, line: str, what: str, *, by: Actor, at: datetime) -> None:
    db.session.flush()
    note(
        ticket,
        line,
        by=by,
        at=at,
        what=what,
        asset=session.asset_name,
        consent_by=session.consent_by,
        minutes=session.minutes,
    )
