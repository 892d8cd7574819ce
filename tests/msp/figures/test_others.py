"""Load by hour, trends by category, and what clients ask for again and again."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from msp.figures.load import busiest, list_load
from msp.figures.pictures import load_picture, load_title
from msp.figures.repeating import list_repeated
from msp.figures.trends import Trend, list_trends, months_until
from msp.staff.roster_models import Absence, Shift
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets import categories
from tests.msp.figures.conftest import DAY, HOUR, MONDAY, period
from tests.tickets import open_in_scope

JAKARTA = "Asia/Jakarta"


def shift(leo, begin, hours, model=Shift, **more):
    kind = {"kind": "shift", "tier": "L1"} if model is Shift else {"kind": "sickness"}
    row = model(
        user_id=leo.id,
        begins_at=begin,
        ends_at=begin + timedelta(hours=hours),
        time_zone=JAKARTA,
        created_by="Mia",
        created_at=MONDAY,
        **kind | more,
    )
    db.session.add(row)
    db.session.flush()


def load(zone=JAKARTA, **more):
    """Two weeks from the Monday before the first ticket on."""
    days = period(first=date(2026, 11, 2), last=date(2026, 11, 15))
    found = list_load(days, zone, until=MONDAY + 60 * DAY, **more)
    return {(one.weekday, one.hour): one for one in found}, found


def test_every_hour_of_a_week_has_its_tickets_and_people(leo, cast):
    open_in_scope(cast, leo, at=MONDAY)
    open_in_scope(cast, leo, at=MONDAY + timedelta(minutes=59))
    open_in_scope(cast, leo, at=MONDAY + HOUR)
    # Without the reader's own zone a page begins at midnight of UTC; the shift is there in the first week only.
    shift(leo, MONDAY, 1.5)
    cells, found = load()
    assert len(found) == 168
    ten = cells[0, 10]
    assert (ten.tickets, ten.hours, ten.people, ten.unmanned, ten.is_gap) == (2, 2, 0.5, 1, True)
    eleven = cells[0, 11]
    assert (eleven.tickets, eleven.people, eleven.unmanned) == (1, 0.5, 1)
    assert (cells[0, 12].people, cells[0, 12].unmanned, cells[0, 12].is_gap) == (0, 2, False)
    assert busiest(found) == ten
    assert sum(one.tickets for one in found) == 3


def test_who_is_away_is_not_on_duty_and_other_teams_do_not_count(leo, cast):
    open_in_scope(cast, leo, at=MONDAY)
    shift(leo, MONDAY, 8)
    assert load()[0][0, 10].people == 0.5
    assert load(people={leo.id + 1})[0][0, 10].people == 0
    shift(leo, MONDAY - HOUR, 3, Absence)
    assert load()[0][0, 10].people == 0
    assert load()[0][0, 12].people == 0.5


def test_the_zone_decides_the_hour(leo, cast):
    open_in_scope(cast, leo, at=MONDAY)
    assert load("Asia/Jayapura")[0][0, 12].tickets == 1


def test_the_title_says_the_busiest_hour_and_who_is_there(leo, cast):
    assert load_title(load()[1]) == "No ticket was opened in these days"
    open_in_scope(cast, leo, at=MONDAY)
    assert load_title(load()[1]) == (
        "Most tickets are opened on Monday, 10:00–11:00: 1. Nobody was on duty then."
    )
    shift(leo, MONDAY, 1)
    assert load_title(load()[1]).endswith("Nobody was on duty in 1 of 2 weeks.")
    shift(leo, MONDAY + 7 * DAY, 1)
    cells = load()[1]
    assert load_title(cells).endswith("On duty then: 1.0 on average.")
    assert load_picture(cells, "Load").count("heat-frame") == 0


def test_gaps_are_framed(leo, cast):
    open_in_scope(cast, leo, at=MONDAY)
    assert load_picture(load()[1], "Load").count("heat-frame") == 1


# -- trends -----------------------------------------------------------------------------------------------


def test_twelve_months_end_with_the_present_one():
    months = months_until(date(2026, 3, 31))
    assert (months[0], months[-1], len(months)) == (date(2025, 4, 1), date(2026, 3, 1), 12)


@pytest.fixture
def tree(leo):
    top = categories.add_category(name_en="Hardware", name_id="Perangkat", parent=None, by=leo, at=MONDAY)
    low = categories.add_category(name_en="Printer", name_id="Printer", parent=top, by=leo, at=MONDAY)
    return top, low


def trends(under=None, tenant_id=None):
    found = list_trends(
        categories.read_tree(), months_until(date(2026, 11, 30)), JAKARTA, tenant_id=tenant_id, under=under
    )
    return {(one.place.category.name_en if one.place else None, one.is_own): one for one in found}


def test_a_category_counts_what_is_below_it_by_the_reader_s_months(leo, cast, tree):
    top, low = tree
    midnight = datetime(2026, 11, 1, tzinfo=ZoneInfo(JAKARTA))
    open_in_scope(cast, leo, at=midnight, category=low)
    open_in_scope(cast, leo, at=midnight - timedelta(seconds=1), category=top)
    open_in_scope(cast, leo, at=midnight)
    found = trends()
    assert set(found) == {("Hardware", False), (None, True)}
    assert found["Hardware", False].counts[-2:] == (1, 1)
    assert found[None, True].total == 1
    below = trends(categories.read_tree().find(top.id))
    assert {key: one.counts[-2:] for key, one in below.items()} == {
        ("Printer", False): (0, 1),
        ("Hardware", True): (1, 0),
    }
    assert trends(tenant_id=cast.tenants["globex"]) == {}


def test_a_change_needs_enough_and_whole_months():
    counts = (0,) * 5 + (3, 3, 3, 5, 5, 5, 99)
    assert (Trend(None, True, counts).latest, Trend(None, True, counts).before) == (15, 9)
    assert Trend(None, True, counts).change is None
    assert Trend(None, True, (*counts[:5], 4, *counts[6:])).change == 0.5


# -- again and again --------------------------------------------------------------------------------------


def test_repeated_categories_of_a_client(leo, cast, tree):
    _top, low = tree
    for number, who in enumerate(["Bob", "Bob", "Alice"]):
        open_in_scope(cast, leo, at=MONDAY + number * DAY, category=low, who=who)
    open_in_scope(cast, leo, at=MONDAY - 20 * DAY, category=low)
    open_in_scope(cast, leo, at=MONDAY, slug="globex", category=low)
    open_in_scope(cast, leo, at=MONDAY)
    days = period(first=date(2026, 10, 20), last=date(2026, 11, 30))
    (found,) = list_repeated(days, least=2)
    heads = len(db.session.scalars(select(Membership).where(Membership.tenant_id == found.tenant_id)).all())
    assert (found.tenant_id, found.category_id) == (cast.tenants["acme"], low.id)
    assert (found.tickets, found.requesters, found.heads, found.earlier) == (3, 2, heads, 1)
    assert found.per_head is None
    assert [one.tickets for one in list_repeated(days, least=1)] == [3, 1]
    assert list_repeated(period("globex", days.first, days.last), least=2) == []
    assert list_repeated(days, least=4) == []
