"""Figures as staff read them: histories made through the services, read in the provider's scope."""

from datetime import UTC, date, datetime, timedelta

import pytest

from msp.web.periods import Period
from tenants.foundation import time as clock
from tenants.tenancy.queries import list_tenant_names
from tenants.tickets import services
from tests import personas
from tests.tickets import open_in_scope

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUIET = timedelta(days=14)


@pytest.fixture(autouse=True)
def later():
    with clock.frozen(MONDAY + 60 * DAY):
        yield


@pytest.fixture
def leo(app, cast):
    with personas.within(app, cast, "Leo") as person, app.test_request_context():
        yield person


def period(slug="", first=date(2026, 10, 1), last=date(2026, 12, 1)):
    tenants = list_tenant_names()
    chosen = next((one.id for one in tenants if one.slug == slug), None)
    return Period(first, last, slug, chosen, tenants)


def resolved(cast, by, at=MONDAY, **more):
    """A ticket that somebody took an hour before, and resolved at this moment."""
    ticket = open_in_scope(cast, by, at=at - 2 * HOUR, **more)
    services.take_ticket(ticket, by=by, at=at - HOUR)
    services.resolve_ticket(ticket, solution="Done.", by=by, at=at)
    return ticket
