"""Rate limits counted in PostgreSQL: they hold with Redis down, and for many web processes at once.

Tries are counted in sixths of the window by an upsert, whose row lock puts concurrent tries in one order. A try that is
refused is rolled back and does not count: nobody can prolong another's wait by going on.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tenants.foundation.db import db
from tenants.foundation.errors import TooMany
from tenants.foundation.scope import enter, gate
from tenants.people.models import Attempt

PARTS = 6


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries of one subject in any window of this length."""

    name: str
    most: int
    window: timedelta

    @property
    def part(self) -> timedelta:
        """The length of one counted part of the window."""
        return self.window / PARTS

    def part_of(self, at: datetime) -> datetime:
        """The start of the part that a moment falls into."""
        seconds = self.part.total_seconds()
        return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)

    def subject(self, of: str) -> str:
        """The stored name: hashed, because people type passwords into the wrong field."""
        return f"{self.name}:{hashlib.sha256(of.encode()).hexdigest()[:40]}"


HOUR = timedelta(hours=1)
SIGN_IN_ACCOUNT = Limit("sign-in account", 10, HOUR)
SIGN_IN_DEVICE = Limit("sign-in device", 10, HOUR)
SIGN_IN_SOURCE = Limit("sign-in source", 30, timedelta(minutes=10))
SECOND_FACTOR = Limit("second factor", 10, HOUR)
PASSWORD_CHECK = Limit("password check", 10, HOUR)
RESET_ACCOUNT = Limit("reset account", 3, HOUR)
RESET_SOURCE = Limit("reset source", 30, HOUR)
EMAIL_CHANGE = Limit("email change", 5, HOUR)
INVITATIONS = Limit("invitations", 20, HOUR)
LOST_FACTOR = Limit("lost factor", 3, HOUR)


def source_of(address: str | None) -> str:
    """Who counts as one source: an IPv4 address, or the /64 network that one IPv6 host commands whole."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def take(limit: Limit, of: str, *, at: datetime) -> None:
    """Count one try. Raises TooMany when the limit is reached; the caller's rollback then uncounts this one."""
    subject = limit.subject(of)
    db.session.execute(
        insert(Attempt)
        .values(subject=subject, window_start=limit.part_of(at), count=1)
        .on_conflict_do_update(
            index_elements=[Attempt.subject, Attempt.window_start], set_={"count": Attempt.count + 1}
        )
    )
    counted = _counted(limit, subject, at)
    if sum(count for _start, count in counted) > limit.most:
        raise TooMany(
            _l("There were too many tries. Wait, then try again."),
            retry_after=_wait_seconds(limit, counted, at),
        )


def take_at_once(limit: Limit, of: str, *, at: datetime) -> None:
    """Count one try in a transaction of its own, from any scope. Raises TooMany."""
    with enter(gate()):
        take(limit, of, at=at)
        db.session.commit()


def _counted(limit: Limit, subject: str, at: datetime) -> list[tuple[datetime, int]]:
    """Parts that overlap the window up to now, oldest first; the oldest counts whole, so nothing slips through."""
    rows = db.session.execute(
        select(Attempt.window_start, Attempt.count)
        .where(Attempt.subject == subject, Attempt.window_start > at - limit.window - limit.part)
        .order_by(Attempt.window_start)
    )
    return [(start, count) for start, count in rows]


def _wait_seconds(limit: Limit, counted: list[tuple[datetime, int]], at: datetime) -> int:
    """Whole seconds until enough parts have left the window for one more try."""
    over = sum(count for _start, count in counted) - limit.most
    for start, count in counted:
        over -= count
        if over <= 0:
            return max(1, int((start + limit.window + limit.part - at).total_seconds()) + 1)
    return int(limit.window.total_seconds())


def give_back(limit: Limit, of: str, *, at: datetime) -> None:
    """Uncount one try that turned out right: the limit is for wrong ones."""
    db.session.execute(
        update(Attempt)
        .where(Attempt.subject == limit.subject(of), Attempt.window_start == limit.part_of(at))
        .values(count=func.greatest(Attempt.count - 1, 0))
    )


def forget_old(*, at: datetime) -> None:
    """Remove counts that no limit looks at any more."""
    db.session.execute(delete(Attempt).where(Attempt.window_start < at - timedelta(hours=3)))
