"""What stands around the cast in the template: sites, contracts, assets; features add their part here."""

from datetime import date

from flask import Flask

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from tenants.assets.rules import Entered
from tenants.assets.services import add_asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Site
from tests.personas import BEGAN, Cast


def seed(app: Flask, cast: Cast) -> None:
    """Called once, in the template's app context; each part enters the scope it needs and commits."""
    for slug in ("acme", "globex"):
        _seed_contract(cast.tenants[slug])
        _seed_place(cast.tenants[slug], slug)


def _seed_contract(tenant_id: int) -> None:
    """Managed services since January, with the default terms."""
    with enter(of_tenant(tenant_id)):
        add_contract(
            tenant_id,
            name="Managed services",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 1, 1),
            ends_on=None,
            terms=default_terms("Asia/Jakarta"),
            by=Actor.system("scenery"),
            at=BEGAN,
        )
        db.session.commit()


def _seed_place(tenant_id: int, slug: str) -> None:
    """An office and one machine with an agent: `acme-pc-1`, `globex-pc-1`."""
    with enter(of_tenant(tenant_id)):
        site = Site(tenant_id=tenant_id, name=f"{slug.title()} main office")
        db.session.add(site)
        db.session.flush()
        entered = Entered(name=f"{slug}-pc-1", site_id=site.id, controller_id=f"{slug}-pc-1")
        add_asset(tenant_id, entered, by=Actor.system("scenery"), at=BEGAN)
        db.session.commit()
