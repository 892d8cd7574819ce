"""What taking on a client means across features: the company, who keeps access, its first person and its contract."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, gate
from tenants.people.invitations import invite_member
from tenants.people.models import StaffGrant
from tenants.people.queries import find_reach
from tenants.tenancy.models import Tenant
from tenants.tenancy.rules import Onboarding
from tenants.tenancy.services import onboard_tenant

_ADMIN_FIELDS = {"email": "admin_email", "name": "admin_name"}


@dataclass(frozen=True, slots=True)
class Admin:
    """The client's first administrator, to be invited."""

    name: str
    email: str


def take_on(
    plan: Onboarding,
    *,
    admin: Admin | None,
    standard_contract: bool,
    by: Actor,
    at: datetime,
    key: uuid.UUID | None,
) -> Tenant:
    """Take on a client whole or not at all. Raises Invalid naming the fields of the guided page."""
    reaches_all = _reaches_all(by)
    tenant = onboard_tenant(plan, by=by, at=at, key=key)
    if by.id is not None and not reaches_all:
        db.session.add(StaffGrant(tenant_id=tenant.id, user_id=by.id, effect="allow", granted_at=at))
    if admin is not None:
        _invite(tenant, admin, by=replace(by, tenants=by.tenants | {tenant.id}), at=at)
    if standard_contract:
        _begin_contract(tenant, by=by, at=at)
    db.session.flush()
    return tenant


def _reaches_all(by: Actor) -> bool:
    """Whether the person sees every client anyway, present and to come."""
    if by.id is None:
        return True
    with enter(gate()):
        return find_reach(by.id).all_tenants


def _invite(tenant: Tenant, admin: Admin, *, by: Actor, at: datetime) -> None:
    if not admin.name:
        raise Invalid("admin_name", _("Enter the name of the person who is to be invited."))
    try:
        invite_member(
            tenant.id, email=admin.email, name=admin.name, role=MemberRole.CLIENT_ADMIN, by=by, at=at
        )
    except Invalid as refused:
        raise InvalidMany(
            [(_ADMIN_FIELDS.get(field, field), message) for field, message in refused.errors]
        ) from refused


def _begin_contract(tenant: Tenant, *, by: Actor, at: datetime) -> None:
    add_contract(
        tenant.id,
        name=_("Service contract"),
        time_zone=tenant.time_zone,
        starts_on=at.astimezone(ZoneInfo(tenant.time_zone)).date(),
        ends_on=None,
        terms=default_terms(tenant.time_zone),
        by=by,
        at=at,
    )
