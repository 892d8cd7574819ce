"""The provider's people: role, reach and leaving. Nobody gives more than they hold, and the last owner stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.permissions import STAFF_ROLES, MemberRole
from tenants.people import accounts, links, queries, requests, sessions
from tenants.people.events import RightsChanged, StaffLeft
from tenants.people.invitations import join_company, join_staff
from tenants.people.models import StaffGrant, StaffMember, User
from tenants.people.rules import Reach, may_appoint
from tenants.tenancy.models import Tenant

EFFECTS = ("allow", "deny")
NOWHERE = Reach()


def _locked(member_id: int) -> StaffMember:
    """The row, locked after all owners' rows, always in one order. Raises NotFound when the person left."""
    _lock_owners()
    asked = select(StaffMember).where(StaffMember.id == member_id, StaffMember.state == "active")
    found = db.session.scalar(asked.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def _lock_owners() -> list[int]:
    """Owners, locked: two of them cannot remove each other at once."""
    owners = select(StaffMember.id).where(StaffMember.role == MemberRole.OWNER, StaffMember.state == "active")
    return list(db.session.scalars(owners.order_by(StaffMember.id).with_for_update()))


def _refuse(member: StaffMember, by: Actor) -> None:
    """Only who may give the person's role, and never oneself. Raises Forbidden."""
    if by.id is None or not may_appoint(by.role, MemberRole(member.role)):
        raise Forbidden
    if member.user_id == by.id:
        raise Forbidden(_l("Somebody else has to do this."))


def _refuse_wider(member: StaffMember, by: Actor) -> None:
    """Who changes a person's rights must reach everything that the person reaches. Raises Forbidden. Gate's scope."""
    if by.id is None or not queries.find_reach(by.id).covers(queries.find_reach(member.user_id)):
        raise Forbidden(_l("This person works for clients that you may not see. Ask somebody who may."))


def _keep_an_owner(member: StaffMember) -> None:
    if member.role == MemberRole.OWNER and len(_lock_owners()) < 2:
        raise Conflict(_l("This is the last owner. Make somebody else an owner first."))


def change_staff_role(member_id: int, role: MemberRole, *, by: Actor, at: datetime) -> None:
    """Give a staff member another role; the person signs in anew. Gate's scope.

    Raises Forbidden, NotFound, Conflict for the last owner.
    """
    member = _locked(member_id)
    _refuse(member, by)
    if role not in STAFF_ROLES or not may_appoint(by.role, role):
        raise Forbidden
    _refuse_wider(member, by)
    if member.role == role:
        return
    _keep_an_owner(member)
    before, member.role = member.role, role
    sessions.end_sessions_of(member.user_id, at=at)
    _audit("staff.role_changed", member, by=by, at=at, detail={"from": before, "to": role})
    _tell_everywhere(RightsChanged, member, by=by, at=at)


def remove_staff(member_id: int, *, by: Actor, at: datetime) -> None:
    """Let a staff member leave: sessions and tokens end at once, open work is handed on. Gate's scope.

    Raises Forbidden, NotFound, Conflict for the last owner.
    """
    member = _locked(member_id)
    _refuse(member, by)
    _refuse_wider(member, by)
    _keep_an_owner(member)
    member.state, member.left_at, member.all_tenants = "left", at, False
    sessions.end_sessions_of(member.user_id, at=at)
    sessions.end_tokens_of(member.user_id, at=at)
    db.session.execute(delete(StaffGrant).where(StaffGrant.user_id == member.user_id))
    links.void(links.SECOND_FACTOR_RESET, member.user_id, at=at)
    _audit("staff.left", member, by=by, at=at, detail={"role": member.role})
    _tell_everywhere(StaffLeft, member, by=by, at=at)


def _tell_everywhere(happening: type[RightsChanged], member: StaffMember, *, by: Actor, at: datetime) -> None:
    """Tickets may be held where a grant was taken away since, so every tenant is looked through."""
    home = requests.own_tenant_id()
    if home is not None:
        every = tuple(db.session.scalars(select(Tenant.id).order_by(Tenant.id)))
        events.record(happening(tenant_id=home, at=at, by=by, user_id=member.user_id, tenants=every))


def let_staff_in(member_id: int, *, by: Actor, at: datetime) -> None:
    """Vouch for a staff member who lost the second factor. Gate's scope. Raises Forbidden, NotFound, Conflict."""
    member = _locked(member_id)
    _refuse(member, by)
    requests.let_in(member.user_id, by=by, at=at)


def set_reach(
    member: StaffMember,
    *,
    all_tenants: bool,
    effects: Mapping[int, str],
    held: Reach,
    by: Actor,
    at: datetime,
) -> None:
    """Say which clients a staff member sees. In the scope of the one who says it, so foreign grants stay untouched.

    `effects` names allow, deny or "" for each tenant to be set; `held` is what the giver reaches.
    Raises Forbidden, Invalid.
    """
    _refuse(member, by)
    if all_tenants != member.all_tenants and not held.covers(Reach(all_tenants=True)):
        raise Invalid("all_tenants", _l("You can only pass on clients that you may see yourself."))
    if not set(effects) <= by.tenants:
        raise Invalid("tenants", _l("You can only pass on clients that you may see yourself."))
    before = queries.grants_of([member.user_id])[member.user_id]
    for tenant_id, effect in effects.items():
        _set_grant(tenant_id, member.user_id, effect, before.get(tenant_id, ""), at)
    changed = {
        str(tenant): [before.get(tenant, ""), effect]
        for tenant, effect in effects.items()
        if before.get(tenant, "") != effect
    }
    if changed or all_tenants != member.all_tenants:
        detail = {"all_tenants": [member.all_tenants, all_tenants], "tenants": changed}
        touched = set(map(int, changed)) if all_tenants == member.all_tenants else by.tenants
        member.all_tenants = all_tenants
        _audit("staff.reach_changed", member, by=by, at=at, detail=detail)
        _tell_of_reach(member, sorted(touched), by=by, at=at)


def _tell_of_reach(member: StaffMember, tenants: Sequence[int], *, by: Actor, at: datetime) -> None:
    if tenants:
        told = RightsChanged(
            tenant_id=tenants[0], at=at, by=by, user_id=member.user_id, tenants=tuple(tenants)
        )
        events.record(told)


def _set_grant(tenant_id: int, user_id: int, effect: str, before: str, at: datetime) -> None:
    if effect == before:
        return
    here = (StaffGrant.tenant_id == tenant_id, StaffGrant.user_id == user_id)
    if effect not in EFFECTS:
        db.session.execute(delete(StaffGrant).where(*here))
    elif before:
        db.session.execute(update(StaffGrant).where(*here).values(effect=effect, granted_at=at))
    else:
        db.session.add(StaffGrant(tenant_id=tenant_id, user_id=user_id, effect=effect, granted_at=at))
        db.session.flush()


def _audit(
    action: str, member: StaffMember, *, by: Actor, at: datetime, detail: Mapping[str, object]
) -> None:
    audit.record(
        action,
        tenant_id=None,
        by=by,
        object=f"staff:{member.public_id}",
        at=at,
        detail={"email": member.email, **detail},
    )


def create_person(
    *,
    email: str,
    name: str,
    password: str,
    role: MemberRole,
    reach: Reach = NOWHERE,
    tenant_id: int | None = None,
    language: str | None = None,
    by: Actor,
    at: datetime,
) -> User:
    """An account with its role at once: only the console may, which is how the first owner comes in. Gate's scope.

    Raises Forbidden for anybody but the console, Invalid, Conflict.
    """
    if by.kind is not ActorKind.SYSTEM:
        raise Forbidden
    if (role in STAFF_ROLES) == (tenant_id is not None):
        raise Invalid("tenant", _l("A client's role needs one client, and a staff role needs none."))
    user = accounts.create_user(email=email, name=name, password=password, at=at, language=language)
    if tenant_id is None:
        join_staff(user, role, reach, at=at)
    else:
        join_company(tenant_id, user, role, at=at)
    audit.record(
        "person.created",
        tenant_id=None,
        by=by,
        object=accounts.user_object(user),
        at=at,
        detail={"email": user.email, "role": role, "all_tenants": reach.all_tenants, "tenant": tenant_id},
    )
    return user
