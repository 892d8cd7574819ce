"""Secret links to one's own duty: one live link per person, shown once, replaced or ended at any time."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
from sqlalchemy import select, update

from msp.staff.checks import audited
from msp.staff.roster_models import RosterFeed, Shift
from msp.staff.words import KIND_WORDS
from tenants.foundation.actor import Actor
from tenants.foundation.db import db, hold_row
from tenants.foundation.errors import Forbidden, NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Scope
from tenants.people.limits import Limit
from tenants.people.models import User
from tenants.people.principals import by_user_id, digest

WRONG = Limit("roster source", 300, timedelta(minutes=10))
LONGEST_TOKEN = 100
MAKER = "-//MSP Portal//Roster//EN"
MEDIA_TYPE = "text/calendar"
AGAIN_AFTER = timedelta(hours=1)


def find_feed(*, by: Actor) -> RosterFeed | None:
    """One's own live link."""
    mine = select(RosterFeed).where(RosterFeed.user_id == by.id, RosterFeed.revoked_at.is_(None))
    return db.session.scalar(mine)


def issue_feed(*, by: Actor, at: datetime) -> str:
    """A new link's token; the one before it ends at once. Raises Forbidden."""
    if by.id is None or not by.is_staff:
        raise Forbidden
    hold_row(User, by.id)
    _revoke(by, at)
    token = secrets.token_urlsafe(32)
    feed = RosterFeed(user_id=by.id, token_hash=digest(token), created_at=at)
    db.session.add(feed)
    db.session.flush()
    audited("roster_feed.issue", f"roster_feed:{feed.id}", by, at)
    return token


def revoke_feed(*, by: Actor, at: datetime) -> None:
    """End one's own link, if there is one."""
    feed = find_feed(by=by)
    if feed is not None:
        _revoke(by, at)
        audited("roster_feed.revoke", f"roster_feed:{feed.id}", by, at)


def _revoke(by: Actor, at: datetime) -> None:
    """As one statement: whoever asks twice at once ends with one link."""
    mine = update(RosterFeed).where(RosterFeed.user_id == by.id, RosterFeed.revoked_at.is_(None))
    db.session.execute(mine.values(revoked_at=at))


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose link was used, and the scope in which the roster is read."""

    user_id: int
    language: str | None
    scope: Scope


def resolve_feed(token: str, *, at: datetime) -> Reader:
    """Whose duty the token shows, as long as the person works here. Gate's scope. Raises NotFound."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise NotFound
    live = select(RosterFeed).where(RosterFeed.token_hash == digest(token), RosterFeed.revoked_at.is_(None))
    feed = db.session.scalar(live)
    found = by_user_id(feed.user_id) if feed else None
    if feed is None or found is None or not found.actor.may(Permission.VIEW_DESK):
        raise NotFound
    language = db.session.scalar(select(User.language).where(User.id == feed.user_id))
    if feed.last_used_on != at.date():
        used = update(RosterFeed).where(RosterFeed.id == feed.id)
        db.session.execute(used.values(last_used_on=at.date()))
        db.session.commit()
    return Reader(feed.user_id, language, found.actor.scope())


def write_roster(shifts: Iterable[Shift], *, name: str, host: str, at: datetime) -> bytes:
    """The file of RFC 5545: one event per shift, in the zone in which it was planned."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", AGAIN_AFTER, parameters={"value": "DURATION"})
    for shift in shifts:
        calendar.add_component(_event(shift, host, at))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(shift: Shift, host: str, at: datetime) -> icalendar.Event:
    event, zone = icalendar.Event(), ZoneInfo(shift.time_zone)
    event.add("uid", f"shift-{shift.public_id}@{host}")
    event.add("dtstamp", at)
    event.add("dtstart", _local(shift.begins_at, zone))
    event.add("dtend", _local(shift.ends_at, zone))
    event.add("summary", f"{KIND_WORDS[shift.kind]}, {shift.tier}")
    if shift.note:
        event.add("description", shift.note)
    event.add("transp", "OPAQUE" if shift.kind == "shift" else "TRANSPARENT")
    return event


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """The zone's wall clock; an hour that comes twice is written in UTC, since the second one has no other name."""
    local = at.astimezone(zone)
    return at.astimezone(UTC) if local.fold else local
