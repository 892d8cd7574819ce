"""Who of a client reads whose tickets: said by its administrators, or by the provider's managers for them."""

from collections.abc import Collection
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import update

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db, hold_row
from tenants.foundation.errors import Forbidden, Invalid
from tenants.foundation.permissions import MemberRole
from tenants.people.models import Membership
from tenants.people.queries import list_members
from tenants.people.rules import may_appoint, reads_company
from tenants.tenancy.models import TICKET_SHARING, Tenant


def reads_all(member: Membership) -> bool:
    """Whether somebody reads all tickets of the company. In the company's scope."""
    sharing = db.session.get_one(Tenant, member.tenant_id).ticket_sharing
    return reads_company(sharing, MemberRole(member.role), chosen=member.reads_company)


def set_ticket_sharing(
    tenant: Tenant, mode: str, chosen: Collection[str], *, by: Actor, at: datetime
) -> None:
    """Say who reads all tickets of a client: a word of TICKET_SHARING; `chosen` are public ids of its people.

    It holds from the next request on; nobody is signed out. Other choices than `chosen` keep who was chosen, without
    effect. Raises Forbidden, and Invalid on `mode` or `chosen`.
    """
    if tenant.id not in by.tenants or not may_appoint(by.role, MemberRole.CLIENT_USER):
        raise Forbidden
    if mode not in TICKET_SHARING:
        raise Invalid("mode", _l("Choose who reads the company's tickets."))
    hold_row(Tenant, tenant.id)
    db.session.refresh(tenant)
    people = {str(one.public_id): one for one in list_members(tenant.id)}
    before = {key for key, one in people.items() if one.reads_company}
    wanted = _wanted(people, chosen) if mode == "chosen" else before
    was = tenant.ticket_sharing
    if (was, before) == (mode, wanted):
        return
    tenant.ticket_sharing = mode
    _choose(tenant, [people[key].id for key in wanted])
    detail = {
        "from": was,
        "to": mode,
        "chosen": sorted(people[key].email for key in wanted - before),
        "not_chosen": sorted(people[key].email for key in before - wanted),
    }
    audit.record(
        "tenant.ticket_sharing",
        tenant_id=tenant.id,
        by=by,
        object=f"tenant:{tenant.public_id}",
        at=at,
        detail=detail,
    )


def _wanted(people: Collection[str], chosen: Collection[str]) -> set[str]:
    if not chosen:
        raise Invalid("chosen", _l("Choose at least one person, or another answer above."))
    if not set(chosen) <= set(people):
        raise Invalid("chosen", _l("Somebody of these has left the company. Choose again."))
    return set(chosen)


def _choose(tenant: Tenant, ids: Collection[int]) -> None:
    chosen = among(Membership.id, ids)
    changed = (Membership.tenant_id == tenant.id, Membership.reads_company != chosen)
    db.session.execute(update(Membership).where(*changed).values(reads_company=chosen))
    db.session.flush()
