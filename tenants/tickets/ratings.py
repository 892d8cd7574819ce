"""What a requester says of a solution: good or bad, once, with a few words if they like."""

from datetime import datetime, timedelta
from typing import ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, db, moment
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.scope import Role
from tenants.tickets.events import TicketRated
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket

SCORES = ("good", "bad")
LONGEST_COMMENT = 1000
# Who remembers longer than this remembers something else.
ASKED_FOR = timedelta(days=30)


class Rating(AllForClient, TenantOwned, Base):
    """One ticket's rating; given once, never changed. Whose solution it was is copied for the figures."""

    __tablename__ = "ratings"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.CLIENT, Role.STAFF, Role.WORKER), "SELECT, INSERT"
    )
    ticket_id: Mapped[int]
    score: Mapped[str]
    comment: Mapped[str] = mapped_column(String(LONGEST_COMMENT), default="")
    given_by_name: Mapped[str] = mapped_column(String(120))
    given_at: Mapped[datetime] = moment()
    solved_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    solved_by_name: Mapped[str | None] = mapped_column(String(120))
    __table_args__ = (
        choice("score", SCORES),
        belongs("tickets", "ticket_id"),
        Index("uq_ratings_ticket", "tenant_id", "ticket_id", unique=True),
        Index("ix_ratings_given", "tenant_id", "given_at", "id"),
    )


def find_rating(ticket: Ticket) -> Rating | None:
    """What was said of a ticket's solution."""
    given = select(Rating).where(Rating.tenant_id == ticket.tenant_id, Rating.ticket_id == ticket.id)
    return db.session.scalars(given).one_or_none()


def may_rate(ticket: Ticket, rating: Rating | None, at: datetime) -> bool:
    """Whether the solution can be rated now: resolved or closed, at most 30 days ago, and not rated before."""
    if rating is not None or ticket.state not in ("resolved", "closed") or ticket.resolved_at is None:
        return False
    return at - ticket.resolved_at <= ASKED_FOR


def rate_ticket(ticket: Ticket, *, score: str, comment: str, by: Actor, at: datetime) -> Rating:
    """Keep what the requester says of the solution. Raises Invalid on `score` or `comment`, Conflict and Forbidden."""
    if who_is(by) != "requester" or by.id != ticket.requester_user_id:
        raise Forbidden
    if score not in SCORES:
        raise Invalid("score", _l("Say whether it was good or bad."))
    if len(comment) > LONGEST_COMMENT or "\x00" in comment:
        raise Invalid("comment", _l("Write at most 1,000 characters."))
    hold(ticket)
    before = find_rating(ticket)
    if before is not None:
        raise Conflict(_l("You have rated this solution already. Thank you."))
    if not may_rate(ticket, before, at):
        raise Conflict(_l("Only a solution of the last 30 days can be rated."))
    rating = Rating(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        score=score,
        comment=comment.strip(),
        given_by_name=by.name[:120],
        given_at=at,
        solved_by_user_id=ticket.assignee_user_id,
        solved_by_name=ticket.assignee_name,
    )
    db.session.add(rating)
    seq = note(ticket, "rated", by=by, at=at, score=score)
    events.record(
        TicketRated(tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=seq, score=score)
    )
    return rating
