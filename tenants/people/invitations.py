"""Invitations: into a client company, or (in the provider's own tenant) into the staff.

Nobody invites into more than they hold, and what the inviter may is asked again when the invitation is accepted.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.permissions import CLIENT_ROLES, STAFF_ROLES, MemberRole
from tenants.people import queries
from tenants.people.accounts import normal_email
from tenants.people.events import PersonInvited
from tenants.people.keys import is_genuine, link_token, new_nonce, row_of_token
from tenants.people.links import spent
from tenants.people.models import Invitation, Membership, StaffGrant, StaffMember, User
from tenants.people.principals import by_user_id
from tenants.people.rules import Reach, may_appoint
from tenants.tenancy.models import Tenant

LIFETIME = timedelta(days=7)
_PURPOSE = "invitation"


def invite_member(
    tenant_id: int, *, email: str, name: str, role: MemberRole, by: Actor, at: datetime
) -> Invitation:
    """Invite a person into a client, in the scope of one who may. Raises Forbidden, Invalid, Conflict."""
    if role not in CLIENT_ROLES or tenant_id not in by.tenants or not may_appoint(by.role, role):
        raise Forbidden
    address = normal_email(email)
    asked = select(Membership.id).where(
        Membership.tenant_id == tenant_id, Membership.email == address, Membership.state == "active"
    )
    if db.session.scalar(asked) is not None:
        raise Invalid("email", _l("This person belongs to the company already."))
    return _write(tenant_id, address, name, role, Reach(), by=by, at=at)


def invite_staff(
    own_tenant: int, *, email: str, name: str, role: MemberRole, reach: Reach, by: Actor, at: datetime
) -> Invitation:
    """Invite somebody into the staff, in the gate's scope. Raises Forbidden, Invalid, Conflict."""
    if role not in STAFF_ROLES or by.id is None or not may_appoint(by.role, role):
        raise Forbidden
    if not queries.find_reach(by.id).covers(reach):
        raise Invalid("tenants", _l("You can only pass on clients that you may see yourself."))
    address = normal_email(email)
    asked = select(StaffMember.id).where(StaffMember.email == address, StaffMember.state == "active")
    if db.session.scalar(asked) is not None:
        raise Invalid("email", _l("This person belongs to the staff already."))
    return _write(own_tenant, address, name, role, reach, by=by, at=at)


def _write(
    tenant_id: int, email: str, name: str, role: MemberRole, reach: Reach, *, by: Actor, at: datetime
) -> Invitation:
    _clear_expired(tenant_id, email, at)
    invitation = Invitation(
        tenant_id=tenant_id,
        email=email,
        name=name.strip(),
        role=role,
        all_tenants=reach.all_tenants,
        granted_tenants=sorted(reach.allowed),
        nonce=new_nonce(),
        invited_by=by.name,
        invited_by_id=by.id,
        invited_at=at,
        expires_at=at + LIFETIME,
    )
    try:
        with db.session.begin_nested():
            db.session.add(invitation)
    except IntegrityError as twice:
        raise Conflict(
            _l("This person is invited already. Send the invitation again or revoke it."), field="email"
        ) from twice
    _audit("person.invited", invitation, by=by, at=at)
    events.record(PersonInvited(tenant_id=tenant_id, at=at, by=by, invitation_id=invitation.id))
    return invitation


def _clear_expired(tenant_id: int, email: str, at: datetime) -> None:
    """An invitation that ran out gives way to a new one."""
    db.session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == tenant_id,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at <= at,
        )
        .values(revoked_at=at)
    )


def _audit(action: str, invitation: Invitation, *, by: Actor, at: datetime) -> None:
    staff = invitation.role in STAFF_ROLES
    audit.record(
        action,
        tenant_id=None if staff else invitation.tenant_id,
        by=by,
        object=f"invitation:{invitation.public_id}",
        at=at,
        detail={"email": invitation.email, "role": invitation.role},
    )


def may_change(invitation: Invitation, by: Actor) -> bool:
    """Whether somebody may revoke or repeat an invitation: who may give its role."""
    return may_appoint(by.role, MemberRole(invitation.role))


def revoke_invitation(invitation: Invitation, *, by: Actor, at: datetime) -> None:
    """Make an invitation useless. Raises Forbidden."""
    if not may_change(invitation, by):
        raise Forbidden
    invitation.revoked_at = at
    _audit("invitation.revoked", invitation, by=by, at=at)


def repeat_invitation(invitation: Invitation, *, by: Actor, at: datetime) -> None:
    """Send it again with a new link and seven more days; who repeats it vouches for it. Raises Forbidden."""
    if not may_change(invitation, by) or by.id is None:
        raise Forbidden
    if invitation.role in STAFF_ROLES and not queries.find_reach(by.id).covers(_reach(invitation)):
        raise Forbidden
    invitation.invited_by, invitation.invited_by_id = by.name, by.id
    invitation.nonce, invitation.expires_at = new_nonce(), at + LIFETIME
    _audit("invitation.repeated", invitation, by=by, at=at)
    events.record(PersonInvited(tenant_id=invitation.tenant_id, at=at, by=by, invitation_id=invitation.id))


def token_of(invitation: Invitation) -> str:
    """What stands in the mail."""
    return link_token(_PURPOSE, invitation.public_id, invitation.nonce)


def open_invitation(token: str, *, at: datetime) -> Invitation:
    """The invitation behind a token. Gate's scope. Raises NotFound for a false one, Conflict for one that is spent."""
    found = db.session.scalar(select(Invitation).where(Invitation.public_id == row_of_token(token)))
    if found is None or not is_genuine(token, _PURPOSE, found.public_id, found.nonce):
        raise NotFound
    if not queries.is_open(found, at) or not _is_vouched_for(found):
        raise spent()
    return found


def _is_vouched_for(invitation: Invitation) -> bool:
    """Whether the inviter could still give today what the invitation promises."""
    inviter = by_user_id(invitation.invited_by_id)
    role = MemberRole(invitation.role)
    if inviter is None or not may_appoint(inviter.actor.role, role):
        return False
    if role in CLIENT_ROLES:
        return invitation.tenant_id in inviter.actor.tenants
    return queries.find_reach(invitation.invited_by_id).covers(_reach(invitation))


def _reach(invitation: Invitation) -> Reach:
    return Reach(invitation.all_tenants, frozenset(invitation.granted_tenants))


def company_of(invitation: Invitation) -> Tenant:
    """The company that the invitation leads into. Gate's scope."""
    return db.session.get_one(Tenant, invitation.tenant_id)


def accept_invitation(invitation: Invitation, user: User, *, at: datetime) -> Actor:
    """Let the person in, once. Gate's scope.

    Raises Conflict when the invitation is spent, the company is not served, or the account stands on the other side.
    """
    accepted = db.session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == invitation.tenant_id,
            Invitation.id == invitation.id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > at,
        )
        .values(accepted_at=at)
        .returning(Invitation.id)
    )
    if accepted.one_or_none() is None:
        raise spent()
    _join(invitation, user, at)
    db.session.flush()
    joined = by_user_id(user.id)
    if joined is None:
        raise Conflict(_l("The company is not served at present."))
    _audit("invitation.accepted", invitation, by=joined.actor, at=at)
    return joined.actor


def _join(invitation: Invitation, user: User, at: datetime) -> None:
    if MemberRole(invitation.role) in STAFF_ROLES:
        if queries.has_company(user.id):
            raise Conflict(
                _l("This account belongs to a client's person. Ask for an invitation to another address.")
            )
        join_staff(user, MemberRole(invitation.role), _reach(invitation), at=at)
    elif queries.is_staff(user.id):
        raise Conflict(_l("This account belongs to the staff. Ask for an invitation to another address."))
    else:
        join_company(invitation.tenant_id, user, MemberRole(invitation.role), at=at)


def join_company(tenant_id: int, user: User, role: MemberRole, *, at: datetime) -> Membership:
    """Put a person into a client, anew if the person left it before. Gate's scope."""
    asked = select(Membership).where(Membership.tenant_id == tenant_id, Membership.user_id == user.id)
    member = db.session.scalar(asked)
    if member is None:
        member = Membership(tenant_id=tenant_id, user_id=user.id)
        db.session.add(member)
    member.name, member.email, member.role = user.name, user.email, role
    member.state, member.joined_at, member.left_at = "active", at, None
    member.reads_company = False
    db.session.flush()
    return member


def join_staff(user: User, role: MemberRole, reach: Reach, *, at: datetime) -> StaffMember:
    """Put a person into the staff, anew if the person left before; earlier grants count no more. Gate's scope."""
    member = db.session.scalar(select(StaffMember).where(StaffMember.user_id == user.id))
    if member is None:
        member = StaffMember(user_id=user.id)
        db.session.add(member)
    member.name, member.email, member.role = user.name, user.email, role
    member.state, member.joined_at, member.left_at = "active", at, None
    member.all_tenants = reach.all_tenants
    db.session.flush()
    _grant(user.id, reach.allowed, at)
    return member


def _grant(user_id: int, tenants: Iterable[int], at: datetime) -> None:
    db.session.add_all(
        StaffGrant(tenant_id=one, user_id=user_id, effect="allow", granted_at=at) for one in tenants
    )
    db.session.flush()
