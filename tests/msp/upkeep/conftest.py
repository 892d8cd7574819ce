"""Plans and policies as people make them."""

from datetime import UTC, date, datetime, time

import pytest

from msp.upkeep import policies, services
from msp.windows.rules import Recurring
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tests import personas

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SECOND_TUESDAY = Recurring("FREQ=MONTHLY;BYDAY=2TU", date(2026, 11, 1), time(22), 120, "Asia/Jakarta")
DAILY = Recurring("FREQ=DAILY", date(2026, 11, 1), time(9), 60, "Asia/Jakarta")


@pytest.fixture
def plan(app, cast):
    """`plan("acme", lead_days=3)`: Dana's plan at a client; its id and public id."""

    def make(slug="acme", *, rule=SECOND_TUESDAY, at=MONDAY, assets=(), **more):
        with personas.within(app, cast, "Dana") as dana:
            found = list(db.session.query(Asset).where(Asset.name.in_(assets)))
            said = {"title": "Clean the fans", "checklist": ["Fans", "Filters"], "lead_days": 3, **more}
            row = services.add_plan(
                cast.tenants[slug],
                services.Plan(rule=rule, assets=found, **said),
                by=dana,
                at=at,
            )
            db.session.commit()
            return row.id, str(row.public_id)

    return make


@pytest.fixture
def policy(app, cast):
    """`policy("acme", "globex", severity="high")`: Nadia's policy; its id and public id."""

    def make(*slugs, rule=SECOND_TUESDAY, at=MONDAY, **more):
        with personas.within(app, cast, "Nadia") as nadia:
            said = {"name": "Second Tuesday", "severity": "high", "least_age_days": 7, **more}
            ids = [cast.tenants[slug] for slug in slugs or ("acme", "globex")]
            row = policies.add_policy(policies.Policy(tenant_ids=ids, rule=rule, **said), by=nadia, at=at)
            db.session.commit()
            return row.id, str(row.public_id)

    return make
