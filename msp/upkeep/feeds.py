"""Secret links to a calendar: one live link per person and client, shown once, replaced or ended at any time."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from msp.upkeep.models import CalendarFeed
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db, hold_row
from tenants.foundation.errors import Forbidden, Invalid, NotFound
from tenants.foundation.permissions import PERMISSIONS, MemberRole, Permission
from tenants.foundation.scope import Scope
from tenants.people.limits import Limit
from tenants.people.models import Membership, User
from tenants.people.principals import by_user_id, digest
from tenants.people.rules import reads_company
from tenants.tenancy.models import Tenant

WRONG = Limit("calendar source", 300, timedelta(minutes=10))
LONGEST_TOKEN = 100


def find_feed(tenant_id: int, *, by: Actor) -> CalendarFeed | None:
    """One's own live link to a client's calendar."""
    return db.session.scalar(
        select(CalendarFeed).where(
            CalendarFeed.tenant_id == tenant_id,
            CalendarFeed.user_id == by.id,
            CalendarFeed.revoked_at.is_(None),
        )
    )


def issue_feed(tenant_id: int, *, by: Actor, at: datetime) -> str:
    """A new link's token; the one before it ends at once. Raises Invalid for clients out of reach, Forbidden."""
    if by.id is None:
        raise Forbidden
    if tenant_id not in by.tenants:
        raise Invalid("tenant", _l("Choose one of your clients."))
    hold_row(User, by.id)
    _revoke(tenant_id, by, at)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed(tenant_id=tenant_id, user_id=by.id, token_hash=digest(token), created_at=at)
    db.session.add(feed)
    db.session.flush()
    audit.record(
        "calendar_feed.issue", tenant_id=tenant_id, by=by, object=f"feed:{feed.id}", at=at, detail={}
    )
    return token


def revoke_feed(tenant_id: int, *, by: Actor, at: datetime) -> None:
    """End one's own link, if there is one."""
    feed = find_feed(tenant_id, by=by)
    if feed is not None:
        _revoke(tenant_id, by, at)
        object_ = f"feed:{feed.id}"
        audit.record("calendar_feed.revoke", tenant_id=tenant_id, by=by, object=object_, at=at, detail={})


def _revoke(tenant_id: int, by: Actor, at: datetime) -> None:
    """As one statement: whoever asks twice at once ends with one link."""
    mine = (
        CalendarFeed.tenant_id == tenant_id,
        CalendarFeed.user_id == by.id,
        CalendarFeed.revoked_at.is_(None),
    )
    db.session.execute(update(CalendarFeed).where(*mine).values(revoked_at=at))


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose link was used, and for which client; `actor` is that person as of now, in that client alone."""

    tenant_id: int
    language: str
    time_zone: str
    name: str
    actor: Actor

    @property
    def scope(self) -> Scope:
        """In which the calendar is read."""
        return self.actor.scope()


def resolve_feed(token: str, *, at: datetime) -> Reader:
    """Who reads with this token; the same rights as on the page, as they are now. Gate's scope. Raises NotFound."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise NotFound
    asked = select(CalendarFeed).where(
        CalendarFeed.token_hash == digest(token), CalendarFeed.revoked_at.is_(None)
    )
    feed = db.session.scalar(asked)
    if feed is None:
        raise NotFound
    reader = _reader(feed)
    if feed.last_used_on != at.date():
        used = update(CalendarFeed).where(
            CalendarFeed.tenant_id == feed.tenant_id, CalendarFeed.id == feed.id
        )
        db.session.execute(used.values(last_used_on=at.date()))
        db.session.commit()
    return reader


def _reader(feed: CalendarFeed) -> Reader:
    tenant = db.session.scalar(select(Tenant).where(Tenant.id == feed.tenant_id, Tenant.state == "active"))
    person = db.session.scalar(select(User).where(User.id == feed.user_id, User.state == "active"))
    if tenant is None or person is None:
        raise NotFound
    return Reader(
        tenant_id=tenant.id,
        language=person.language or tenant.language,
        time_zone=tenant.time_zone,
        name=tenant.name,
        actor=_actor_of(feed, tenant),
    )


def _actor_of(feed: CalendarFeed, tenant: Tenant) -> Actor:
    """As a member of the client, else as staff with a grant for it. Raises NotFound for who is neither any more."""
    member = db.session.scalar(
        select(Membership).where(
            Membership.tenant_id == feed.tenant_id,
            Membership.user_id == feed.user_id,
            Membership.state == "active",
        )
    )
    if member is not None and Permission.DECIDE_OWN_LANES in PERMISSIONS[MemberRole(member.role)]:
        return _member_as_actor(member, tenant)
    found = by_user_id(feed.user_id)
    who = found.actor if found else None
    if who is None or not who.is_staff or feed.tenant_id not in who.tenants:
        raise NotFound
    if not who.may(Permission.VIEW_CAMPAIGNS):
        raise NotFound
    return replace(who, tenants=frozenset({tenant.id}))


def _member_as_actor(member: Membership, tenant: Tenant) -> Actor:
    role = MemberRole(member.role)
    return Actor.person(
        user_id=member.user_id,
        name=member.name,
        role=role,
        tenants=frozenset({tenant.id}),
        reads_company=reads_company(tenant.ticket_sharing, role, chosen=member.reads_company),
    )
