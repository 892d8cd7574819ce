"""Resolved, reopened, came back, stayed resolved: the parts add up, and too few say so."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.staff.figures import ENOUGH, Figures, figures_of
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.tickets import categories, services
from tests import personas
from tests.msp.staff.conftest import MONDAY
from tests.tickets import open_in_scope

DAY = timedelta(days=1)


@pytest.fixture
def tina(app, cast):
    with personas.within(app, cast, "Tina") as person:
        yield person


def resolved(cast, tina, at=MONDAY, **more):
    ticket = open_in_scope(cast, tina, at=at - DAY, **more)
    services.take_ticket(ticket, by=tina, at=at - DAY)
    services.resolve_ticket(ticket, solution="Done.", by=tina, at=at)
    return ticket


def read(tina, **more):
    found = figures_of([tina.id], MONDAY - 10 * DAY, MONDAY + 10 * DAY, **more)[tina.id]
    return found.resolved, found.reopened, found.came_back


def asset():
    return db.session.scalars(select(Asset)).first()


def test_nothing_resolved_is_nothing(tina):
    assert read(tina) == (0, 0, 0)


def test_only_the_person_s_own_within_the_period(tina, cast, app):
    resolved(cast, tina)
    resolved(cast, tina, at=MONDAY - 11 * DAY)
    resolved(cast, personas.actor(app, cast, "Leo"))
    assert read(tina) == (1, 0, 0)


@pytest.mark.parametrize(("days", "counted"), [(1, 1), (14, 1), (15, 0)])
def test_reopened_within_the_quiet_time(tina, cast, days, counted):
    ticket = resolved(cast, tina)
    services.reopen_ticket(ticket, because="Again.", by=tina, at=MONDAY + days * DAY)
    assert read(tina) == (1, counted, 0)


def test_resolved_twice_counts_once_by_the_first_time(tina, cast):
    ticket = resolved(cast, tina)
    services.reopen_ticket(ticket, because="Again.", by=tina, at=MONDAY + DAY)
    services.resolve_ticket(ticket, solution="Done.", by=tina, at=MONDAY + 2 * DAY)
    assert read(tina) == (1, 1, 0)


@pytest.mark.parametrize(("days", "counted"), [(1, 1), (14, 1), (15, 0)])
def test_the_same_trouble_again_came_back(tina, cast, days, counted):
    resolved(cast, tina, asset=asset())
    open_in_scope(cast, tina, at=MONDAY + days * DAY, asset=asset())
    assert read(tina) == (1, 0, counted)


def test_it_came_back_whoever_reports_it(tina, cast):
    resolved(cast, tina, asset=asset())
    open_in_scope(cast, tina, at=MONDAY + DAY, asset=asset(), who="Alice")
    assert read(tina) == (1, 0, 1)


def test_another_trouble_did_not_come_back(tina, cast):
    resolved(cast, tina, asset=asset())
    open_in_scope(cast, tina, at=MONDAY + DAY)
    printer = categories.add_category(
        name_en="Paper jam", name_id="Kertas macet", parent=None, by=tina, at=MONDAY
    )
    open_in_scope(cast, tina, at=MONDAY + DAY, asset=asset(), category=printer)
    assert read(tina) == (1, 0, 0)


@pytest.mark.parametrize(("days", "counted"), [(14, 1), (15, 0)])
def test_a_follow_up_is_the_same_trouble(tina, cast, days, counted):
    ticket = resolved(cast, tina)
    open_in_scope(cast, tina, at=MONDAY + days * DAY).follows_id = ticket.id
    db.session.flush()
    assert read(tina) == (1, 0, counted)


def test_what_did_both_is_counted_once(tina, cast):
    ticket = resolved(cast, tina, asset=asset())
    services.reopen_ticket(ticket, because="Again.", by=tina, at=MONDAY + DAY)
    open_in_scope(cast, tina, at=MONDAY + 2 * DAY, asset=asset())
    assert read(tina) == (1, 1, 0)


def test_too_few_have_no_share():
    assert Figures(ENOUGH - 1, 0, 0).share is None
    assert Figures(ENOUGH, 2, 1).share == 0.7
    assert Figures(ENOUGH, 2, 1).stayed == 7
