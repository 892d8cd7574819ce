"""From a credential to an Actor: one statement each, in the gate's scope."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from tenants.foundation.actor import Actor
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole, Permission
from tenants.people.models import ApiToken, Membership, SignInSession, StaffGrant, StaffMember, User
from tenants.people.rules import reads_company
from tenants.tenancy.models import Tenant

IDLE_STAFF = timedelta(minutes=30)
IDLE_CLIENT = timedelta(hours=12)
STEP_SEEN = timedelta(minutes=1)


def digest(token: str) -> bytes:
    """SHA-256 of a random token; enough for tokens of 256 bits, which cannot be guessed from the hash."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved credential: the actor, and what the session layer needs to know about it."""

    actor: Actor
    user_id: int
    email: str
    language: str | None
    time_zone: str | None
    # The client company in view, and all companies the person may switch to: id to name.
    tenant_id: int | None
    companies: tuple[tuple[int, str, str], ...]
    has_second_factor: bool
    second_factor_passed: bool
    session_id: int | None = None
    token_id: int | None = None
    seen_long_ago: bool = False


def _memberships() -> Any:
    """A person's active companies as JSON: id, name, slug, role, and who reads whose tickets there."""
    place = (Tenant.id, Tenant.name, Tenant.slug, Membership.role)
    one = func.json_build_array(*place, Tenant.ticket_sharing, Membership.reads_company)
    return (
        select(func.json_agg(aggregate_order_by(one, Tenant.name)))
        .select_from(Membership)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id == User.id, Membership.state == "active", Tenant.state == "active")
        .correlate(User)
        .scalar_subquery()
    )


def _granted() -> Any:
    """The tenants a staff member may see: all, or those allowed, less those denied; suspended ones stay visible."""
    return (
        select(func.array_agg(Tenant.id))
        .where(
            Tenant.state != "offboarded",
            ~_has_grant("deny"),
            or_(StaffMember.all_tenants, _has_grant("allow")),
        )
        .correlate(User, StaffMember)
        .scalar_subquery()
    )


def _has_grant(effect: str) -> Any:
    """Whether this very person has a grant for this very tenant; without `correlate` it would ask of anybody's."""
    grant = aliased(StaffGrant)
    here = (grant.user_id == User.id, grant.tenant_id == Tenant.id, grant.effect == effect)
    return select(1).where(*here).correlate(User, Tenant).exists()


def _person(*columns: Any) -> Select[Any]:
    return (
        select(
            User.id,
            User.name,
            User.email,
            User.language,
            User.time_zone,
            User.totp_confirmed_at.is_not(None).label("has_second_factor"),
            StaffMember.role.label("staff_role"),
            _granted().label("granted"),
            _memberships().label("memberships"),
            *columns,
        )
        .select_from(User)
        .outerjoin(StaffMember, and_(StaffMember.user_id == User.id, StaffMember.state == "active"))
    )


@cache
def _session_statement() -> Select[Any]:
    """Put together once: it is asked at every request."""
    return (
        _person(
            SignInSession.id.label("session_id"),
            SignInSession.tenant_id.label("chosen"),
            SignInSession.second_factor_at,
            SignInSession.last_seen_at,
        )
        .join(SignInSession, SignInSession.user_id == User.id)
        .where(
            SignInSession.token_hash == bindparam("token_hash"),
            SignInSession.revoked_at.is_(None),
            SignInSession.expires_at > bindparam("now"),
            User.state == "active",
        )
        .execution_options(**PREPARED)
    )


def by_session(token: str, at: datetime) -> Principal | None:
    """Resolve a session's token, or None when it is unknown, revoked, expired or idle too long."""
    asked = {"token_hash": digest(token), "now": at}
    row = db.session.execute(_session_statement(), asked).one_or_none()
    if row is None or at - row.last_seen_at > (IDLE_STAFF if row.staff_role else IDLE_CLIENT):
        return None
    found = _principal(row, chosen=row.chosen, via="web")
    return found and replace(
        found,
        session_id=row.session_id,
        second_factor_passed=row.second_factor_at is not None,
        seen_long_ago=at - row.last_seen_at > STEP_SEEN,
    )


@cache
def _token_statement() -> Select[Any]:
    return (
        _person(
            ApiToken.id.label("token_id"),
            ApiToken.tenant_id.label("chosen"),
            ApiToken.permissions,
            ApiToken.last_used_on,
        )
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_hash == bindparam("token_hash"),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > bindparam("now"),
            User.state == "active",
        )
        .execution_options(**PREPARED)
    )


def by_api_token(token: str, at: datetime) -> Principal | None:
    """Resolve a bearer token; its rights are cut to what its maker holds now."""
    row = db.session.execute(_token_statement(), {"token_hash": digest(token), "now": at}).one_or_none()
    found = None if row is None else _principal(row, chosen=row.chosen, via="api", bound=True)
    if row is None or found is None:
        return None
    return replace(
        found,
        actor=_cut(found.actor, row),
        token_id=row.token_id,
        second_factor_passed=True,
        seen_long_ago=row.last_used_on is None or at - row.last_used_on > timedelta(days=1),
    )


def _cut(actor: Actor, row: Any) -> Actor:
    """What the token names of what its maker holds now: rights, and the one client it may be bound to."""
    known = {str(one) for one in Permission}
    rights = actor.permissions & {Permission(one) for one in row.permissions if one in known}
    tenants = actor.tenants if row.chosen is None else actor.tenants & {row.chosen}
    return replace(actor, permissions=rights, tenants=tenants)


def by_user_id(user_id: int) -> Principal | None:
    """Resolve a person as if signed in: for commands, seeding and mails."""
    row = db.session.execute(_person().where(User.id == user_id, User.state == "active")).one_or_none()
    return None if row is None else _principal(row, chosen=None, via="web")


def _principal(row: Any, *, chosen: int | None, via: str, bound: bool = False) -> Principal | None:
    companies = [tuple(one) for one in row.memberships or []]
    if row.staff_role:
        actor = _staff(row, via)
        tenant_id = None
    else:
        own = next((one for one in companies if one[0] == chosen), None)
        if own is None and companies and not bound:
            own = companies[0]
        if own is None:
            return None
        tenant_id = own[0]
        actor = _member(row, own, via)
    return Principal(
        actor=actor,
        user_id=row.id,
        email=row.email,
        language=row.language,
        time_zone=row.time_zone,
        tenant_id=tenant_id,
        companies=tuple((one[0], one[1], one[2]) for one in companies),
        has_second_factor=row.has_second_factor,
        second_factor_passed=False,
    )


def _member(row: Any, company: tuple[Any, ...], via: str) -> Actor:
    tenant_id, _name, _slug, role, sharing, chosen = company
    return Actor.person(
        user_id=row.id,
        name=row.name,
        role=MemberRole(role),
        tenants=frozenset({tenant_id}),
        reads_company=reads_company(sharing, MemberRole(role), chosen=chosen),
        via=via,
    )


def _staff(row: Any, via: str) -> Actor:
    role = MemberRole(row.staff_role)
    return Actor.person(
        user_id=row.id, name=row.name, role=role, tenants=frozenset(row.granted or ()), via=via
    )
