"""Keeping what nightly comparisons found, and finding it again for managers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select, tuple_, update

from contracts.timers.models import TimerCheck, TimerDifference
from contracts.timers.verifying import Check
from tenants.foundation.db import db

KEPT = timedelta(days=90)
MOST_SHOWN = 100


def find_check(tenant_id: int, on: date) -> TimerCheck | None:
    """The comparison that was made for a day of the client's zone."""
    made = select(TimerCheck).where(TimerCheck.tenant_id == tenant_id, TimerCheck.checked_on == on)
    return db.session.scalars(made).one_or_none()


def record_check(tenant_id: int, check: Check, *, on: date, at: datetime) -> TimerCheck:
    """Keep a day's comparison with its differences, and forget those of long ago."""
    row = TimerCheck(
        tenant_id=tenant_id, checked_on=on, checked_at=at, open_tickets=0, closed_tickets=0, differences=0
    )
    db.session.add(row)
    db.session.flush()
    add_to_check(tenant_id, row.id, check)
    _forget(tenant_id, on - KEPT)
    return row


def add_to_check(tenant_id: int, check_id: int, piece: Check) -> None:
    """Add a piece to a day's comparison."""
    db.session.execute(
        update(TimerCheck)
        .where(TimerCheck.tenant_id == tenant_id, TimerCheck.id == check_id)
        .values(
            open_tickets=TimerCheck.open_tickets + piece.open_tickets,
            closed_tickets=TimerCheck.closed_tickets + piece.closed_tickets,
            differences=TimerCheck.differences + len(piece.differences),
        )
    )
    db.session.add_all(
        TimerDifference(tenant_id=tenant_id, check_id=check_id, **one._asdict()) for one in piece.differences
    )
    db.session.flush()


def _forget(tenant_id: int, before: date) -> None:
    old = select(TimerCheck.id).where(TimerCheck.tenant_id == tenant_id, TimerCheck.checked_on < before)
    db.session.execute(
        delete(TimerDifference).where(
            TimerDifference.tenant_id == tenant_id, TimerDifference.check_id.in_(old)
        )
    )
    db.session.execute(
        delete(TimerCheck).where(TimerCheck.tenant_id == tenant_id, TimerCheck.checked_on < before)
    )


def list_latest_checks() -> Sequence[TimerCheck]:
    """The latest comparison of each client in scope, those with differences first."""
    latest = select(TimerCheck.tenant_id, func.max(TimerCheck.checked_on)).group_by(TimerCheck.tenant_id)
    found = select(TimerCheck).where(tuple_(TimerCheck.tenant_id, TimerCheck.checked_on).in_(latest))
    return db.session.scalars(found.order_by(TimerCheck.differences.desc(), TimerCheck.tenant_id)).all()


def list_differences(checks: Sequence[TimerCheck], limit: int = MOST_SHOWN) -> Sequence[TimerDifference]:
    """What these comparisons found, by client and ticket."""
    found = select(TimerDifference).where(
        tuple_(TimerDifference.tenant_id, TimerDifference.check_id).in_(
            [(one.tenant_id, one.id) for one in checks if one.differences]
        )
    )
    return db.session.scalars(
        found.order_by(TimerDifference.tenant_id, TimerDifference.id).limit(limit)
    ).all()
