"""Campaigns of packages, for machines that really have some."""

from sqlalchemy import update

from msp.campaigns import services
from msp.campaigns.models import Release
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tests import personas
from tests.msp.campaigns import fleet


def rollout_of(app, cast, spec, **more) -> fleet.Rollout:
    """A campaign of a release of packages, started: at Acme, in two waves, if nothing else is said."""
    return fleet.start(draft(app, cast, spec, **more))


def draft(
    app, cast, spec, *, version="2.0", slugs=("acme",), percents=(5, 100), gate=fleet.OPEN_GATE, **columns
) -> fleet.Rollout:
    """The campaign as its author leaves it, whose machines told before what they are."""
    tenant_ids = [cast.tenants[slug] for slug in slugs]
    by = personas.actor(app, cast, "Leo")
    with app.app_context(), enter(by.scope()):
        release = Release(
            kind="deb",
            name="tiny",
            version=version,
            spec=spec,
            created_by="Leo",
            created_at=time.now(),
            **columns,
        )
        db.session.add(release)
        told = {"os_id": "debian", "architecture": "amd64"}
        db.session.execute(
            update(Asset)
            .where(Asset.tenant_id.in_(tenant_ids))
            .values(facts=told)
            .execution_options(synchronize_session=False)
        )
        db.session.flush()
        campaign = services.draft_campaign(title="Tiny", release=release, by=by, at=time.now())
        services.add_assets(campaign, by=by, assets=fleet.enrolled(tenant_ids))
        services.wish(campaign, by=by, percents=percents, gates=[gate], timing=fleet.QUICK)
        db.session.commit()
        return fleet.Rollout(app, cast, campaign.id)
