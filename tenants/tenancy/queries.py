"""Finding clients and their sites: the doors, and the lists."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tenancy.models import Site, Tenant, TenantExport
from tenants.tenancy.rules import SLUG, clean


def find_tenant(slug: str) -> Tenant:
    """The client with this slug among those in scope. Raises NotFound."""
    found = db.session.scalar(select(Tenant).where(Tenant.slug == slug)) if SLUG.fullmatch(slug) else None
    if found is None:
        raise NotFound
    return found


def find_tenant_by_id(tenant_id: int) -> Tenant:
    """The client of a row id that the server itself knows. Raises NotFound."""
    found = db.session.scalar(select(Tenant).where(Tenant.id == tenant_id))
    if found is None:
        raise NotFound
    return found


def find_onboarded(key: uuid.UUID) -> Tenant | None:
    """The client that a form with this key has taken on already."""
    return db.session.scalar(select(Tenant).where(Tenant.public_id == key))


def list_tenants(
    *, q: str = "", state: str = "", after: Sequence[Any] | None = None, limit: int = 25
) -> list[Tenant]:
    """Clients by name, one more than `limit`; those who left are hidden unless asked for."""
    page = select(Tenant).order_by(Tenant.name, Tenant.id).limit(limit + 1)
    page = page.where(Tenant.state == state) if state else page.where(Tenant.state != "offboarded")
    words = clean(q)
    if words:
        page = page.where(
            or_(Tenant.name.icontains(words, autoescape=True), Tenant.slug.icontains(words, autoescape=True))
        )
    if after:
        page = page.where(tuple_(Tenant.name, Tenant.id) > tuple_(*after))
    return list(db.session.scalars(page))


def list_all_tenants() -> list[Tenant]:
    """Every client in scope that has not left, by name: for choices and for the manager's table."""
    return list(
        db.session.scalars(
            select(Tenant).where(Tenant.state != "offboarded").order_by(Tenant.name, Tenant.id)
        )
    )


@dataclass(frozen=True, slots=True)
class TenantName:
    """What a list shows of a client."""

    id: int
    slug: str
    name: str
    kind: str


def list_tenant_names() -> list[TenantName]:
    """Every client in scope that has not left, by name."""
    return [TenantName(*one) for one in db.session.scalar(_names_statement()) or ()]


@cache
def _names_statement() -> Select[Any]:
    """One row for all: hundreds of rows of four words cost several times as much to read."""
    one = func.json_build_array(Tenant.id, Tenant.slug, Tenant.name, Tenant.kind)
    return select(func.json_agg(aggregate_order_by(one, Tenant.name, Tenant.id))).where(
        Tenant.state != "offboarded"
    )


def names_of(tenant_ids: Sequence[int]) -> dict[int, Tenant]:
    """Clients by id: the second select of lists that span several."""
    found = db.session.scalars(select(Tenant).where(Tenant.id.in_(set(tenant_ids)))) if tenant_ids else ()
    return {tenant.id: tenant for tenant in found}


def taken_names() -> tuple[set[str], set[str]]:
    """Slugs and prefixes in scope, so that suggestions avoid them."""
    rows = db.session.execute(select(Tenant.slug, Tenant.prefix)).all()
    return {row.slug for row in rows}, {row.prefix for row in rows}


def list_sites(tenant_id: int, *, retired: bool = False) -> list[Site]:
    """Sites of a client by name; retired ones only when asked for."""
    sites = select(Site).where(Site.tenant_id == tenant_id).order_by(Site.name)
    return list(db.session.scalars(sites if retired else sites.where(Site.retired_at.is_(None))))


def sites_of(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Site]:
    """Sites by tenant and id: the second select of lists that show them."""
    if not pairs:
        return {}
    found = db.session.scalars(select(Site).where(tuple_(Site.tenant_id, Site.id).in_(sorted(set(pairs)))))
    return {(site.tenant_id, site.id): site for site in found}


def site_of(tenant_id: int, site_id: int | None) -> Site | None:
    """The site with a row id that the server itself knows."""
    return sites_of([(tenant_id, site_id)]).get((tenant_id, site_id)) if site_id else None


def find_site(tenant_id: int, public_id: str) -> Site:
    """A client's site by its public id. Raises NotFound."""
    asked = select(Site).where(Site.tenant_id == tenant_id, Site.public_id == as_uuid(public_id))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def find_export(tenant_id: int, public_id: str, *, by: Actor) -> TenantExport:
    """A client's export by its public id, as far as it was made for one's own side. Raises NotFound."""
    asked = _exports_for(tenant_id, by).where(TenantExport.public_id == as_uuid(public_id))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_exports(tenant_id: int, *, by: Actor, limit: int = 10) -> list[TenantExport]:
    """The latest exports of a client that were made for one's own side, newest first."""
    asked = _exports_for(tenant_id, by)
    newest = asked.order_by(TenantExport.asked_at.desc(), TenantExport.id.desc()).limit(limit)
    return list(db.session.scalars(newest))


def _exports_for(tenant_id: int, by: Actor) -> Select[TenantExport]:
    audience = "staff" if by.is_staff else "client"
    return select(TenantExport).where(TenantExport.tenant_id == tenant_id, TenantExport.audience == audience)


def as_uuid(text: str) -> uuid.UUID:
    """A public id from a request. Raises NotFound for anything that is none, as for one that is unknown."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError) as wrong:
        raise NotFound from wrong
