"""Finding people: doors and lists. Inside a tenant's scope unless a function says that it needs the gate's."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select

from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import MemberRole
from tenants.people.models import Invitation, Membership, StaffGrant, StaffMember
from tenants.people.rules import Reach
from tenants.tenancy.queries import as_uuid


def find_member(tenant_id: int, public_id: str) -> Membership:
    """An active person of a client. Raises NotFound."""
    asked = select(Membership).where(
        Membership.tenant_id == tenant_id,
        Membership.public_id == as_uuid(public_id),
        Membership.state == "active",
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_members(tenant_id: int, *, left: bool = False) -> list[Membership]:
    """A client's people by name; those who left only when asked for."""
    people = select(Membership).where(Membership.tenant_id == tenant_id)
    if not left:
        people = people.where(Membership.state == "active")
    return list(db.session.scalars(people.order_by(Membership.name, Membership.id)))


def find_invitation(tenant_id: int, public_id: str) -> Invitation:
    """An invitation of a tenant that nobody accepted or revoked. Raises NotFound."""
    asked = _open(tenant_id).where(Invitation.public_id == as_uuid(public_id))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def _open(tenant_id: int) -> Select[Invitation]:
    return select(Invitation).where(
        Invitation.tenant_id == tenant_id, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
    )


def list_invitations(tenant_id: int) -> list[Invitation]:
    """Open invitations of a tenant, newest first; expired ones among them, to be sent again."""
    newest = _open(tenant_id).order_by(Invitation.invited_at.desc(), Invitation.id.desc())
    return list(db.session.scalars(newest))


def find_staff(public_id: str) -> StaffMember:
    """One of the provider's active people. Raises NotFound."""
    asked = select(StaffMember).where(
        StaffMember.public_id == as_uuid(public_id), StaffMember.state == "active"
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_staff(*, left: bool = False) -> list[StaffMember]:
    """The provider's people by name."""
    people = select(StaffMember)
    if not left:
        people = people.where(StaffMember.state == "active")
    return list(db.session.scalars(people.order_by(StaffMember.name, StaffMember.id)))


def list_granted(tenant_id: int) -> list[StaffMember]:
    """The provider's active people who may see a tenant, by name: allowed or of all clients, and not denied."""
    granted = select(StaffGrant.user_id).where(StaffGrant.tenant_id == tenant_id)
    allowed, denied = (granted.where(StaffGrant.effect == effect) for effect in ("allow", "deny"))
    found = select(StaffMember).where(
        StaffMember.state == "active",
        or_(StaffMember.all_tenants, StaffMember.user_id.in_(allowed)),
        StaffMember.user_id.not_in(denied),
    )
    return list(db.session.scalars(found.order_by(StaffMember.name, StaffMember.id)))


def list_leads(tenant_id: int) -> list[StaffMember]:
    """Who answers for a client's tickets: its dispatchers and managers, or the owners where there are none."""
    granted = list_granted(tenant_id)
    leads = [one for one in granted if one.role in (MemberRole.DISPATCHER, MemberRole.MANAGER)]
    return leads or [one for one in granted if one.role == MemberRole.OWNER]


def grants_of(user_ids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Grants inside the scope: by person, the effect for each tenant."""
    found: dict[int, dict[int, str]] = {one: {} for one in user_ids}
    for grant in db.session.scalars(select(StaffGrant).where(StaffGrant.user_id.in_(user_ids))):
        found[grant.user_id][grant.tenant_id] = grant.effect
    return found


def find_reach(user_id: int) -> Reach:
    """How far an active staff member's grants go; nowhere for anybody else. Gate's scope, which sees all grants."""
    member = db.session.scalar(
        select(StaffMember).where(StaffMember.user_id == user_id, StaffMember.state == "active")
    )
    if member is None:
        return Reach()
    effects = grants_of([user_id])[user_id]
    return Reach(
        member.all_tenants,
        frozenset(tenant for tenant, effect in effects.items() if effect == "allow"),
        frozenset(tenant for tenant, effect in effects.items() if effect == "deny"),
    )


def is_staff(user_id: int) -> bool:
    """Whether the person is one of the provider's active people. Gate's scope."""
    asked = select(StaffMember.id).where(StaffMember.user_id == user_id, StaffMember.state == "active")
    return db.session.scalar(asked) is not None


def has_company(user_id: int) -> bool:
    """Whether the person belongs to any client. Gate's scope."""
    asked = select(Membership.id).where(Membership.user_id == user_id, Membership.state == "active")
    return db.session.scalar(asked.limit(1)) is not None


def is_open(invitation: Invitation, at: datetime) -> bool:
    """Whether an invitation can still be accepted."""
    return invitation.accepted_at is None and invitation.revoked_at is None and invitation.expires_at > at
