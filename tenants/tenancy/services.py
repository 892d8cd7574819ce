"""Taking on clients, changing what is known of them, suspending and resuming."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import Sequence as DatabaseSequence

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, InvalidMany
from tenants.foundation.scope import widen
from tenants.tenancy import rules
from tenants.tenancy.clashes import naming_clashes
from tenants.tenancy.events import TenantOffboarded, TenantOnboarded, TenantResumed, TenantSuspended
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.rules import Onboarding, Problem, SitePlan

_ids = DatabaseSequence("tenants_id_seq")
_CLASHES: dict[str, Problem] = {
    "uq_tenants_slug": ("slug", _l("Another client has this short name. Choose another.")),
    "uq_tenants_prefix": ("prefix", _l("Another client has this prefix. Choose another.")),
    "uq_tenants_own": ("kind", _l("The provider's own company exists already.")),
    "uq_sites_name": ("name", _l("Another site has this name already.")),
}
STALE = _l("Somebody else changed this meanwhile. Look at the new values and try again.")


def onboard_tenant(plan: Onboarding, *, by: Actor, at: datetime, key: uuid.UUID | None = None) -> Tenant:
    """Take on a client, with its sites, whole or not at all.

    `key` becomes the public id, so that a form sent twice finds the first one's client. The scope in force is widened
    by the new client in this transaction. Raises Invalid naming each field at fault.
    """
    _refuse(rules.problems(plan))
    tenant_id = db.session.scalar(_ids.next_value())
    assert tenant_id is not None
    widen(tenant_id)
    tenant = Tenant(
        id=tenant_id,
        public_id=key or uuid.uuid4(),
        slug=plan.slug,
        prefix=plan.prefix,
        name=plan.name,
        kind=plan.kind,
        time_zone=plan.time_zone,
        language=plan.language,
        address=plan.address,
        priority_matrix=dict(plan.priority_matrix) if plan.priority_matrix else None,
        created_at=at,
    )
    _insert(tenant)
    db.session.add_all([Site(tenant_id=tenant_id, name=one.name, address=one.address) for one in plan.sites])
    db.session.flush()
    _audit(
        tenant, "tenant.onboarded", by=by, at=at, slug=plan.slug, prefix=plan.prefix, sites=len(plan.sites)
    )
    events.record(TenantOnboarded(tenant_id=tenant_id, at=at, by=by))
    return tenant


def edit_tenant(
    tenant: Tenant,
    *,
    name: str,
    address: str,
    time_zone: str,
    language: str,
    rev: int,
    by: Actor,
    at: datetime,
) -> None:
    """Change a client's facts. Raises Invalid, or Conflict when the page was stale."""
    _refuse([*rules.name_problems(name), *rules.place_problems(time_zone, language)])
    _lock(tenant, rev)
    new = {"name": name, "address": address, "time_zone": time_zone, "language": language}
    changed = {field: value for field, value in new.items() if getattr(tenant, field) != value}
    for field, value in changed.items():
        setattr(tenant, field, value)
    _changed(tenant)
    _audit(tenant, "tenant.edited", by=by, at=at, **changed)


def set_priority_matrix(
    tenant: Tenant, matrix: Mapping[str, str] | None, *, rev: int, by: Actor, at: datetime
) -> None:
    """Rank this client's tickets by its own matrix, or by the default for None. Raises Invalid or Conflict."""
    if matrix is not None:
        _refuse(rules.matrix_problems(matrix))
    _lock(tenant, rev)
    tenant.priority_matrix = dict(matrix) if matrix is not None else None
    _changed(tenant)
    _audit(tenant, "tenant.matrix_set", by=by, at=at, matrix=tenant.priority_matrix)


def suspend_tenant(tenant: Tenant, *, reason: str, rev: int, by: Actor, at: datetime) -> None:
    """Refuse the client's people and agents from the next request on; everything stays. Raises Invalid or Conflict."""
    if not reason or len(reason) > 500:
        raise Invalid("reason", _l("Say why, in 1 to 500 characters."))
    _lock(tenant, rev)
    if tenant.kind == "own":
        raise Conflict(_l("The provider's own company cannot be suspended."))
    _demand_state(tenant, "active", _l("Only an active client can be suspended."))
    tenant.state, tenant.suspended_reason = "suspended", reason
    _changed(tenant)
    _audit(tenant, "tenant.suspended", by=by, at=at, reason=reason)
    events.record(TenantSuspended(tenant_id=tenant.id, at=at, by=by, reason=reason))


def resume_tenant(tenant: Tenant, *, rev: int, by: Actor, at: datetime) -> None:
    """Serve a suspended client again. Raises Conflict."""
    _lock(tenant, rev)
    _demand_state(tenant, "suspended", _l("Only a suspended client can be resumed."))
    tenant.state, tenant.suspended_reason = "active", None
    _changed(tenant)
    _audit(tenant, "tenant.resumed", by=by, at=at)
    events.record(TenantResumed(tenant_id=tenant.id, at=at, by=by))


def offboard_tenant(tenant: Tenant, *, typed_slug: str, rev: int, by: Actor, at: datetime) -> None:
    """Mark a suspended client as gone: it leaves every list, its data waits for removal. Raises Invalid or Conflict."""
    if typed_slug != tenant.slug:
        raise Invalid("typed_slug", _l("Type the client's short name to confirm."))
    _lock(tenant, rev)
    _demand_state(tenant, "suspended", _l("Suspend the client first."))
    tenant.state = "offboarded"
    _changed(tenant)
    _audit(tenant, "tenant.offboarded", by=by, at=at)
    events.record(TenantOffboarded(tenant_id=tenant.id, at=at, by=by))


def add_site(tenant: Tenant, plan: SitePlan, *, by: Actor, at: datetime) -> Site:
    """Add a place. Raises Invalid."""
    _refuse(_of_site(plan))
    site = Site(tenant_id=tenant.id, name=plan.name, address=plan.address)
    _insert(site)
    _audit(tenant, "site.added", by=by, at=at, site=plan.name)
    return site


def edit_site(tenant: Tenant, site: Site, plan: SitePlan, *, by: Actor, at: datetime) -> None:
    """Change a place's name or address. Raises Invalid."""
    _refuse(_of_site(plan))
    with naming_clashes(_CLASHES):
        site.name, site.address = plan.name, plan.address
    _audit(tenant, "site.edited", by=by, at=at, site=plan.name)


def retire_site(tenant: Tenant, site: Site, *, by: Actor, at: datetime) -> None:
    """Hide a place from new choices; what points to it stays."""
    if site.retired_at is None:
        site.retired_at = at
        _audit(tenant, "site.retired", by=by, at=at, site=site.name)


def unretire_site(tenant: Tenant, site: Site, *, by: Actor, at: datetime) -> None:
    """Undo a retirement."""
    if site.retired_at is not None:
        site.retired_at = None
        _audit(tenant, "site.unretired", by=by, at=at, site=site.name)


def _of_site(plan: SitePlan) -> Iterable[Problem]:
    return (("name", message) for _field, message in rules.site_problems([plan]))


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise InvalidMany(found)


def _insert(row: Tenant | Site) -> None:
    with naming_clashes(_CLASHES):
        db.session.add(row)


def _lock(tenant: Tenant, rev: int) -> None:
    db.session.refresh(tenant, with_for_update=True)
    if tenant.rev != rev:
        raise Conflict(STALE)


def _demand_state(tenant: Tenant, state: str, message: object) -> None:
    if tenant.state != state:
        raise Conflict(message)


def _changed(tenant: Tenant) -> None:
    tenant.rev += 1
    db.session.flush()


def _audit(tenant: Tenant, action: str, *, by: Actor, at: datetime, **detail: object) -> None:
    audit.record(
        action, tenant_id=tenant.id, by=by, object=f"tenant:{tenant.public_id}", at=at, detail=detail
    )
