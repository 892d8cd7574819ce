"""Figures of hand-overs and of vendors over a period, each in one statement however many rows there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from contracts.timers.models import SideTimer
from msp.web.periods import Period
from tenants.foundation.db import db
from tenants.tickets.models import HandOver, Ticket
from tenants.tickets.vendor_models import VendorCase

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Passed:
    """Hand-overs of one client between two tiers; the median in seconds, None where none was accepted."""

    tenant_id: int
    from_tier: str
    to_tier: str
    made: int
    accepted: int
    returned: int
    median_seconds: float | None


def list_passed(period: Period) -> Sequence[Passed]:
    """By client and pair of tiers."""
    seconds = func.extract("epoch", HandOver.decided_at - HandOver.made_at)
    accepted = HandOver.state == "accepted"
    columns = (HandOver.tenant_id, HandOver.from_tier, HandOver.to_tier)
    asked = (
        select(
            *columns,
            func.count(),
            func.count().filter(accepted),
            func.count().filter(HandOver.state == "returned"),
            func.percentile_cont(0.5).within_group(seconds).filter(accepted),
        )
        .where(*_within(HandOver.tenant_id, HandOver.made_at, period))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [Passed(*row) for row in db.session.execute(asked)]


@dataclass(frozen=True, slots=True)
class Returned:
    """A hand-over that was given back, and why."""

    tenant_id: int
    code: str
    subject: str
    from_tier: str
    to_tier: str
    reason: str | None
    by: str | None
    at: datetime | None


def list_returned(period: Period) -> Sequence[Returned]:
    """The latest ones, with their reasons."""
    own = and_(Ticket.tenant_id == HandOver.tenant_id, Ticket.id == HandOver.ticket_id)
    asked = (
        select(
            HandOver.tenant_id,
            Ticket.code,
            Ticket.subject,
            HandOver.from_tier,
            HandOver.to_tier,
            HandOver.return_reason,
            HandOver.decided_by_name,
            HandOver.decided_at,
        )
        .outerjoin(Ticket, own)
        .where(HandOver.state == "returned", *_within(HandOver.tenant_id, HandOver.made_at, period))
        .order_by(HandOver.made_at.desc(), HandOver.id.desc())
        .limit(SHOWN)
    )
    return [Returned(*row) for row in db.session.execute(asked)]


@dataclass(frozen=True, slots=True)
class ToAndFro:
    """A ticket that was given back twice or more."""

    tenant_id: int
    code: str
    subject: str
    returns: int


def list_to_and_fro(period: Period) -> tuple[int, Sequence[ToAndFro]]:
    """How many tickets there are, and those with the most returns."""
    often = (
        select(HandOver.tenant_id, HandOver.ticket_id, func.count().label("returns"))
        .where(HandOver.state == "returned", *_within(HandOver.tenant_id, HandOver.made_at, period))
        .group_by(HandOver.tenant_id, HandOver.ticket_id)
        .having(func.count() >= 2)
        .subquery()
    )
    own = and_(Ticket.tenant_id == often.c.tenant_id, Ticket.id == often.c.ticket_id)
    asked = (
        select(often.c.tenant_id, Ticket.code, Ticket.subject, often.c.returns, func.count().over())
        .select_from(often)
        .outerjoin(Ticket, own)
        .order_by(often.c.returns.desc(), often.c.ticket_id)
        .limit(SHOWN)
    )
    rows = db.session.execute(asked).all()
    return (rows[0][4] if rows else 0), [ToAndFro(*row[:4]) for row in rows]


@dataclass(frozen=True, slots=True)
class AtVendor:
    """What one vendor was asked; medians in seconds, None where there is nothing to take one of."""

    vendor: str
    cases: int
    open: int
    acknowledged_seconds: float | None
    answered_seconds: float | None
    promised: int
    missed: int


def list_at_vendors(period: Period) -> Sequence[AtVendor]:
    """By vendor's name, most cases first."""
    timer = and_(
        SideTimer.tenant_id == VendorCase.tenant_id,
        SideTimer.source_id == VendorCase.id,
        SideTimer.clock == "vendor",
    )
    asked = (
        select(
            VendorCase.vendor,
            func.count(),
            func.count().filter(VendorCase.answered_at.is_(None)),
            _median(VendorCase.acknowledged_at),
            _median(VendorCase.answered_at),
            func.count(VendorCase.promised_minutes),
            func.count(SideTimer.missed_at),
        )
        .outerjoin(SideTimer, timer)
        .where(*_within(VendorCase.tenant_id, VendorCase.sent_at, period))
        .group_by(VendorCase.vendor)
        .order_by(func.count().desc(), VendorCase.vendor)
    )
    return [AtVendor(*row) for row in db.session.execute(asked)]


def _median(until: Any) -> Any:
    """Of the seconds since a case was sent; rows without that moment do not count."""
    return func.percentile_cont(0.5).within_group(func.extract("epoch", until - VendorCase.sent_at))


def _within(tenant_id: Any, at: Any, period: Period) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [at >= period.begin, at < period.end]
    return found if period.tenant_id is None else [tenant_id == period.tenant_id, *found]
