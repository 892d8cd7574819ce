"""A category, a class about it for Acme, and the mail server of the mail's own tests."""

from datetime import timedelta

import pytest

from msp.training import queries, services
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets.categories import add_category
from tests import personas
from tests.msp.knowledge.conftest import write
from tests.msp.mail.conftest import mailing, smtp

__all__ = ["mailing", "smtp", "write"]


@pytest.fixture
def now():
    return time.now().replace(microsecond=0)


@pytest.fixture
def category(app, cast, now):
    """ "Printing", as the row that everybody reads."""
    with personas.within(app, cast, "Mia") as mia:
        made = add_category(name_en="Printing", name_id="Pencetakan", parent=None, by=mia, at=now)
        db.session.commit()
        db.session.expunge(made)
        return made


@pytest.fixture
def plan(now):
    """What is usually planned, with changes."""

    def _plan(**changes):
        usual = {
            "title": "Printing without paper jams",
            "teaches": "How to load paper, and what to do when it jams.",
            "language": "en",
            "begins_at": now + timedelta(days=3),
            "minutes": 60,
            "time_zone": "Asia/Jakarta",
            "place": "Room 2",
        }
        return services.Plan(**usual | changes)

    return _plan


@pytest.fixture
def planned(app, cast, category, plan, now):
    """The public id of a class of Acme that Mia planned."""

    def _planned(at=None, slug="acme", **changes):
        with personas.within(app, cast, "Mia") as mia:
            row = services.plan_class(cast.tenants[slug], category, plan(**changes), by=mia, at=at or now)
            db.session.commit()
            return str(row.public_id)

    return _planned


@pytest.fixture
def act(app, cast, now):
    """Do something with a class as somebody."""

    def _act(who, verb, class_id, *given, at=None, **more):
        with personas.within(app, cast, who) as by:
            found = verb(queries.find_class(class_id), *given, by=by, at=at or now, **more)
            db.session.commit()
            return found

    return _act
