"""What clients ask again and again: categories that a class might help with, and those that were put off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from msp.training.models import TrainingClass, TrainingRefusal
from msp.training.rules import LEAST_REQUESTERS, LEAST_TICKETS, SPAN, per_head
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Invalid
from tenants.foundation.permissions import Permission
from tenants.people.models import Membership
from tenants.tickets.category_models import Category
from tenants.tickets.models import Ticket

KINDS = ("incident", "request")
SHOWN = 100
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Proposal:
    """One category of one client: tickets of the last 90 days and of the 90 before them, and who asked."""

    tenant_id: int
    category_id: int
    tickets: int
    before: int
    requesters: int
    heads: int

    @property
    def each(self) -> float | None:
        """Tickets per head."""
        return per_head(self.tickets, self.heads)


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is proposed, most tickets first, and how many tickets have no category and could not be looked at."""

    items: Sequence[Proposal]
    uncategorised: int


def asked_in(model: Any = Ticket) -> ColumnElement[bool]:
    """Tickets that count as somebody's asking: incidents and requests; a merged one is told by the one it went into."""
    return and_(model.kind.in_(KINDS), model.merged_into_id.is_(None))


def list_proposals(*, at: datetime) -> Proposals:
    """What comes up often enough at the clients in scope and is neither put off nor taught already; one statement."""
    asked, heads = _asked(at), _heads()
    same = and_(asked.c.tenant_id == heads.c.tenant_id)
    found = (
        select(
            asked.c.tenant_id,
            asked.c.category_id,
            asked.c.tickets,
            asked.c.before,
            asked.c.requesters,
            func.coalesce(heads.c.heads, 0),
        )
        .outerjoin(heads, same)
        .where(heads.c.heads > 0, ~_put_off(asked, at), ~_taught(asked, at))
        .order_by(asked.c.tickets.desc(), asked.c.tenant_id, asked.c.category_id)
    )
    rows = db.session.execute(found).all()
    named = [Proposal(*row) for row in rows if row.category_id is not None]
    return Proposals(named[:SHOWN], sum(row.tickets for row in rows if row.category_id is None))


def _asked(at: datetime) -> Any:
    """By client and category, the unnamed one among them."""
    recent = Ticket.opened_at > at - SPAN
    who = func.coalesce(
        cast(Ticket.requester_user_id, Text), func.lower(Ticket.requester_email), Ticket.requester_name
    )
    tickets, requesters = func.count().filter(recent), func.count(who.distinct()).filter(recent)
    often = and_(tickets >= LEAST_TICKETS, requesters >= LEAST_REQUESTERS)
    return (
        select(
            Ticket.tenant_id,
            Ticket.category_id,
            tickets.label("tickets"),
            func.count().filter(~recent).label("before"),
            requesters.label("requesters"),
        )
        .where(asked_in(), Ticket.opened_at > at - 2 * SPAN, Ticket.opened_at <= at)
        .group_by(Ticket.tenant_id, Ticket.category_id)
        .having(or_(Ticket.category_id.is_(None), often))
        .subquery()
    )


def _heads() -> Any:
    """Active people by client."""
    active = select(Membership.tenant_id, func.count().label("heads")).where(Membership.state == "active")
    return active.group_by(Membership.tenant_id).subquery()


def _put_off(asked: Any, at: datetime) -> ColumnElement[bool]:
    return exists().where(
        TrainingRefusal.tenant_id == asked.c.tenant_id,
        TrainingRefusal.category_id == asked.c.category_id,
        TrainingRefusal.until > at,
    )


def _taught(asked: Any, at: datetime) -> ColumnElement[bool]:
    """Whether a class about it is planned, or was held so lately that its effect is still awaited."""
    lately = and_(TrainingClass.state == "held", TrainingClass.begins_at > at - SPAN)
    return exists().where(
        TrainingClass.tenant_id == asked.c.tenant_id,
        TrainingClass.category_id == asked.c.category_id,
        or_(TrainingClass.state == "planned", lately),
    )


def refuse_proposal(tenant_id: int, category: Category, *, reason: str, by: Actor, at: datetime) -> None:
    """Not now: the proposal stays away for 90 days. Raises Invalid without a reason, Forbidden."""
    if not by.may(Permission.MANAGE_TRAINING):
        raise Forbidden
    words = " ".join(reason.split())
    if not 1 <= len(words) <= LONGEST_REASON or not words.isprintable():
        raise Invalid("reason", _l("Say why not now, in at most 500 characters."))
    said = {"reason": words, "refused_by": by.name[:120], "refused_at": at, "until": at + SPAN}
    row = insert(TrainingRefusal).values(tenant_id=tenant_id, category_id=category.id, **said)
    db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "category_id"], set_=said))
    detail = {"category": category.name_en, "reason": words}
    audit.record(
        "training.refused",
        tenant_id=tenant_id,
        by=by,
        object=f"category {category.public_id}",
        at=at,
        detail=detail,
    )


def list_refusals(*, at: datetime) -> Sequence[TrainingRefusal]:
    """What is put off now, the first to come back first."""
    asked = select(TrainingRefusal).where(TrainingRefusal.until > at)
    return db.session.scalars(asked.order_by(TrainingRefusal.until, TrainingRefusal.id).limit(SHOWN)).all()
