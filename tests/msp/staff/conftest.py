"""Staff as the manager plans them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from msp.staff import roster
from tenants.foundation import time as clock
from tenants.foundation.db import db
from tenants.people.models import StaffMember
from tests import personas

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
JAKARTA = "Asia/Jakarta"


@pytest.fixture(autouse=True)
def monday():
    with clock.frozen(MONDAY):
        yield


def member(name):
    """The provider's person of this name."""
    return db.session.scalars(select(StaffMember).where(StaffMember.name == name)).one()


def planned(name, kind="shift", tier="L1", zone=JAKARTA, note=""):
    return roster.Planned(person=member(name), kind=kind, tier=tier, time_zone=zone, note=note)


@pytest.fixture
def shift(app, cast):
    """`shift("Tina", 0, 8)`: on duty from so many hours after MONDAY to so many; its public id."""

    def make(name, begin=0, end=8, **said):
        with personas.within(app, cast, "Mia") as mia:
            at = (MONDAY + timedelta(hours=begin), MONDAY + timedelta(hours=end))
            row = roster.add_shift(planned(name, **said), *at, by=mia, at=MONDAY)
            db.session.commit()
            return str(row.public_id)

    return make
