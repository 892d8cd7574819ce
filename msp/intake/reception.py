"""The provider's own front desk: where calls and texts lie until somebody knows whose they are.

They are rows of the provider's own tenant. Whoever takes calls works in the scope of the own clients and of that one
tenant, for these rows only: pages that look for people, machines and tickets ask for the own clients by name.
"""

from sqlalchemy import select

from msp.web.access import enter_scope
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.tenancy.models import Tenant


def own_tenant_id() -> int:
    """The provider's own tenant. Raises NotFound where there is none yet."""
    with enter(gate()):
        found = db.session.scalar(select(Tenant.id).where(Tenant.kind == "own"))
    if found is None:
        raise NotFound
    return found


def come_in(by: Actor) -> int:
    """Put the front desk's scope in force for the rest of the request; returns the provider's own tenant."""
    own = own_tenant_id()
    enter_scope(Scope(Role.STAFF, by.tenants | {own}, by.id))
    return own
