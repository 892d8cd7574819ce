"""A client's people: role and leaving. Gate's scope, so that sessions and tokens end in the same transaction."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, NotFound
from tenants.foundation.permissions import CLIENT_ROLES, MemberRole
from tenants.people import links, queries, requests, sessions
from tenants.people.events import MemberLeft
from tenants.people.models import Membership
from tenants.people.rules import may_appoint


def _locked(tenant_id: int, member_id: int) -> Membership:
    """The row, locked. Raises NotFound when it left in the meantime."""
    asked = select(Membership).where(
        Membership.tenant_id == tenant_id, Membership.id == member_id, Membership.state == "active"
    )
    found = db.session.scalar(asked.with_for_update())
    if found is None:
        raise NotFound
    return found


def _refuse(member: Membership, by: Actor) -> None:
    """Only who may give the person's role, in that company, and never oneself. Raises Forbidden."""
    if member.tenant_id not in by.tenants or not may_appoint(by.role, MemberRole(member.role)):
        raise Forbidden
    if member.user_id == by.id:
        raise Forbidden(_l("Somebody else has to do this."))


def change_member_role(tenant_id: int, member_id: int, role: MemberRole, *, by: Actor, at: datetime) -> None:
    """Give a client's person another role; the person signs in anew. Raises Forbidden, NotFound."""
    member = _locked(tenant_id, member_id)
    _refuse(member, by)
    if role not in CLIENT_ROLES or not may_appoint(by.role, role):
        raise Forbidden
    if member.role == role:
        return
    before, member.role = member.role, role
    sessions.end_sessions_of(member.user_id, at=at)
    _audit("member.role_changed", member, by=by, at=at, detail={"from": before, "to": role})


def change_member_phone(member: Membership, phone: str | None, *, by: Actor, at: datetime) -> None:
    """Give a client's person another telephone number in E.164 form, or none. Raises Forbidden.

    What staff write is known; what a client writes is a claim until staff save it too: anybody can write down a number
    of somebody else's, and would then read what that person texts.
    """
    if member.tenant_id not in by.tenants or not may_appoint(by.role, MemberRole(member.role)):
        raise Forbidden
    known = phone if by.is_staff or phone == member.known_phone else None
    if (member.phone, member.known_phone) == (phone, known):
        return
    member.phone, member.known_phone = phone, known
    _audit("member.phone_changed", member, by=by, at=at, detail={})


def remove_member(tenant_id: int, member_id: int, *, by: Actor, at: datetime) -> None:
    """Let a person leave a client: sessions and the company's tokens end at once. Raises Forbidden, NotFound."""
    member = _locked(tenant_id, member_id)
    _refuse(member, by)
    member.state, member.left_at, member.reads_company = "left", at, False
    sessions.end_sessions_of(member.user_id, at=at)
    sessions.end_tokens_of(member.user_id, at=at, tenant_id=tenant_id)
    links.void(links.SECOND_FACTOR_RESET, member.user_id, at=at)
    _audit("member.left", member, by=by, at=at, detail={"role": member.role})
    events.record(MemberLeft(tenant_id=tenant_id, at=at, by=by, user_id=member.user_id))


def let_member_in(tenant_id: int, member_id: int, *, by: Actor, at: datetime) -> None:
    """Vouch for a client's person who lost the second factor. Raises Forbidden, NotFound, Conflict."""
    member = _locked(tenant_id, member_id)
    _refuse(member, by)
    if queries.is_staff(member.user_id):
        raise Forbidden
    requests.let_in(member.user_id, by=by, at=at)
    _audit("member.let_in", member, by=by, at=at, detail={})


def _audit(action: str, member: Membership, *, by: Actor, at: datetime, detail: dict[str, str]) -> None:
    audit.record(
        action,
        tenant_id=member.tenant_id,
        by=by,
        object=f"member:{member.public_id}",
        at=at,
        detail={"email": member.email, **detail},
    )
