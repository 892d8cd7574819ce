"""Passing a ticket to another tier, with what the next person needs to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, InvalidMany
from tenants.tickets import rules
from tenants.tickets.assignments import give, list_engineers
from tenants.tickets.events import HandOverAccepted, HandOverMade, HandOverReturned, HandOverWithdrawn
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import TIERS, HandOver, Ticket
from tenants.tickets.moving import move
from tenants.tickets.texts import learn_words

LONGEST = 5000


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the next person is told; symptoms, what was tried and what the requester was told are never left out."""

    symptoms: str
    tried: str
    told_requester: str
    evidence: str = ""
    suspected_cause: str = ""
    # Files of the ticket, each with `public_id` and `name`.
    files: Sequence[Mapping[str, str]] = ()


def pending_hand_over(ticket: Ticket) -> HandOver | None:
    """The hand-over of this ticket that waits to be accepted."""
    found = select(HandOver).where(
        HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id, HandOver.state == "pending"
    )
    return db.session.scalars(found).one_or_none()


def latest_hand_over(ticket: Ticket) -> HandOver | None:
    """What was last said of the ticket when it was passed on."""
    found = select(HandOver).where(HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id)
    return db.session.scalars(found.order_by(HandOver.id.desc()).limit(1)).one_or_none()


def list_decided(ticket: Ticket) -> Sequence[HandOver]:
    """Hand-overs that were accepted, returned or overtaken, the latest first; at most ten."""
    decided = select(HandOver).where(
        HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id, HandOver.state != "pending"
    )
    return db.session.scalars(decided.order_by(HandOver.id.desc()).limit(10)).all()


def hand_over(
    ticket: Ticket,
    briefing: Briefing,
    *,
    to_tier: str,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    replay: bool = False,
) -> HandOver:
    """Pass the ticket to another tier's queue, where somebody accepts it or returns it.

    Raises InvalidMany for an incomplete briefing, Conflict when it can't be passed on, Forbidden for clients.
    """
    hold(ticket)
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden
    _check_briefing(briefing, to_tier)
    pending = pending_hand_over(ticket) is not None
    if not rules.may_hand_over(ticket.state, ticket.tier, to_tier, pending=pending):
        raise Conflict(_why_not(ticket, to_tier, pending=pending))
    passed = _row(ticket, briefing, to_tier, by=by, at=at)
    _pass_on(ticket, passed, by=by, at=at, replay=replay)
    return passed


def _row(ticket: Ticket, briefing: Briefing, to_tier: str, *, by: Actor, at: datetime) -> HandOver:
    return HandOver(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        from_tier=ticket.tier,
        to_tier=to_tier,
        state="pending",
        symptoms=briefing.symptoms.strip(),
        tried=briefing.tried.strip(),
        evidence=briefing.evidence.strip(),
        suspected_cause=briefing.suspected_cause.strip(),
        told_requester=briefing.told_requester.strip(),
        files=[dict(one) for one in briefing.files],
        made_by_user_id=by.id,
        made_by_name=by.name[:120],
        made_at=at,
        held_by_user_id=ticket.assignee_user_id,
        held_by_name=ticket.assignee_name,
    )


def _pass_on(
    ticket: Ticket,
    passed: HandOver,
    *,
    by: Actor,
    at: datetime,
    replay: bool = False,
    cause: Mapping[str, str | int] | None = None,
) -> None:
    db.session.add(passed)
    db.session.flush()
    told = (passed.symptoms, passed.tried, passed.evidence, passed.suspected_cause, passed.told_requester)
    learn_words(ticket, *told, for_staff=True)
    ticket.tier = passed.to_tier
    _tell(ticket, passed, "hand_over_made", HandOverMade, by=by, at=at, replay=replay, cause=cause)
    if ticket.assignee_user_id is not None:
        give(ticket, None, None, by=by, at=at, replay=replay, because="hand_over")


def escalate_ticket(
    ticket: Ticket,
    briefing: Briefing,
    *,
    to_tier: str,
    cause_key: str,
    cause: Mapping[str, str | int],
    by: Actor,
    at: datetime,
) -> HandOver | None:
    """Pass the ticket up by the portal itself; None where it may not, or where this cause did so before.

    `cause` goes into the ticket's history. A hand-over that nobody has accepted yet gives way to this one, which keeps
    who held the ticket before. Raises InvalidMany for an incomplete briefing.
    """
    hold(ticket)
    _check_briefing(briefing, to_tier)
    known = select(HandOver.id).where(
        HandOver.tenant_id == ticket.tenant_id,
        HandOver.ticket_id == ticket.id,
        HandOver.cause_key == cause_key,
    )
    done_before = db.session.scalar(known) is not None
    if done_before or not rules.may_escalate(ticket.state, ticket.tier, to_tier):
        return None
    waiting = pending_hand_over(ticket)
    passed = _row(ticket, briefing, to_tier, by=by, at=at)
    passed.cause_key = cause_key
    if waiting is not None:
        _withdraw(ticket, waiting, passed, by=by, at=at)
    _pass_on(ticket, passed, by=by, at=at, cause=cause)
    return passed


def _withdraw(ticket: Ticket, waiting: HandOver, passed: HandOver, *, by: Actor, at: datetime) -> None:
    """Let a hand-over that nobody accepted give way; a return of the new one leads to where that one came from."""
    waiting.state, waiting.decided_by_name, waiting.decided_at = "withdrawn", by.name[:120], at
    passed.from_tier = waiting.from_tier
    passed.held_by_user_id, passed.held_by_name = waiting.held_by_user_id, waiting.held_by_name
    db.session.flush()
    _announce(ticket, waiting, HandOverWithdrawn, seq=ticket.rev, by=by, at=at, replay=False)


def _check_briefing(briefing: Briefing, to_tier: str) -> None:
    asked = {
        "symptoms": (briefing.symptoms, _l("Say what the requester sees.")),
        "tried": (briefing.tried, _l("Say what was tried, and what came of it.")),
        "told_requester": (briefing.told_requester, _l("Say what the requester was told.")),
    }
    wrong = [(field, message) for field, (words, message) in asked.items() if not words.strip()]
    texts = {**{field: words for field, (words, _message) in asked.items()}}
    texts |= {"evidence": briefing.evidence, "suspected_cause": briefing.suspected_cause}
    wrong += [
        (field, _l("Write at most 5,000 characters, without control characters."))
        for field, words in texts.items()
        if len(words) > LONGEST or "\x00" in words
    ]
    if to_tier not in TIERS:
        wrong.append(("to_tier", _l("Choose L1, L2, L3 or the vendor.")))
    if wrong:
        raise InvalidMany(wrong)


def _why_not(ticket: Ticket, to_tier: str, *, pending: bool) -> object:
    if not rules.is_open(ticket.state):
        return _l("Only open tickets can be handed over.")
    if pending:
        return _l("This ticket is being handed over already. It has to be accepted or returned first.")
    return _l("This ticket is in %(tier)s already.", tier=to_tier)


def accept_hand_over(ticket: Ticket, *, by: Actor, at: datetime, rev: int | None = None) -> HandOver:
    """Take a ticket that was handed over: whoever accepts it, holds it. Raises Conflict and Invalid."""
    passed = _decide(ticket, by=by, rev=rev)
    passed.state, passed.decided_by_name, passed.decided_at = "accepted", by.name[:120], at
    _tell(ticket, passed, "hand_over_accepted", HandOverAccepted, by=by, at=at)
    give(ticket, by.id, by.name[:120], by=by, at=at, because="hand_over")
    if ticket.state == "new":
        move(ticket, "in_progress", by=by, at=at, reason=None, replay=False)
    return passed


def return_hand_over(
    ticket: Ticket, *, reason: str, by: Actor, at: datetime, rev: int | None = None
) -> HandOver:
    """Give a ticket back to the tier, and if possible the person, it came from. Raises Conflict and Invalid."""
    if not reason.strip() or len(reason) > LONGEST:
        raise Invalid("reason", _l("Say what is missing, so that it can be mended."))
    passed = _decide(ticket, by=by, rev=rev)
    passed.state, passed.decided_by_name, passed.decided_at = "returned", by.name[:120], at
    passed.return_reason = reason.strip()
    ticket.tier = passed.from_tier
    _tell(ticket, passed, "hand_over_returned", HandOverReturned, by=by, at=at, reason=reason.strip())
    still_there = {one.user_id for one in list_engineers(ticket.tenant_id, ticket.tier)}
    if passed.held_by_user_id in still_there:
        give(ticket, passed.held_by_user_id, passed.held_by_name, by=by, at=at)
    return passed


def _decide(ticket: Ticket, *, by: Actor, rev: int | None) -> HandOver:
    hold(ticket)
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden
    passed = pending_hand_over(ticket)
    if passed is None or not rules.is_open(ticket.state):
        raise Conflict(_l("There is no hand-over to decide on: somebody was faster, or the ticket is done."))
    if who_is(by) == "staff" and not rules.may_hold(by.tier, passed.to_tier):
        raise Invalid("to", _l("This is for %(tier)s to decide.", tier=passed.to_tier))
    return passed


def _tell(
    ticket: Ticket,
    passed: HandOver,
    line: str,
    happening: type[HandOverMade],
    *,
    by: Actor,
    at: datetime,
    replay: bool = False,
    reason: str | None = None,
    cause: Mapping[str, Any] | None = None,
) -> None:
    seq = note(
        ticket,
        line,
        by=by,
        at=at,
        replay=replay,
        hand_over_id=passed.id,
        from_tier=passed.from_tier,
        to_tier=passed.to_tier,
        reason=reason,
        **(cause or {}),
    )
    _announce(ticket, passed, happening, seq=seq, by=by, at=at, replay=replay)


def _announce(
    ticket: Ticket,
    passed: HandOver,
    happening: type[HandOverMade],
    *,
    seq: int,
    by: Actor,
    at: datetime,
    replay: bool,
) -> None:
    event = happening(
        tenant_id=ticket.tenant_id,
        at=at,
        by=by,
        ticket_id=ticket.id,
        seq=seq,
        replay=replay,
        hand_over_id=passed.id,
        from_tier=passed.from_tier,
        to_tier=passed.to_tier,
    )
    events.record(event, replay=replay)
