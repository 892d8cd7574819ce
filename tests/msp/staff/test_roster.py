"""Shifts, patterns and absences: what fits, and what is refused with its field named."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from msp.staff import queries, roster
from msp.staff.checks import find_person
from msp.staff.coverage import gaps, promised_spans
from msp.staff.patterns import Pattern, hours_of, whole_days
from msp.staff.roster_models import Shift
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tests import personas
from tests.msp.staff.conftest import JAKARTA, MONDAY, member, planned

WORKDAYS = "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR"


def hours(begin, end):
    return MONDAY + timedelta(hours=begin), MONDAY + timedelta(hours=end)


@pytest.fixture
def mia(app, cast):
    with personas.within(app, cast, "Mia") as person:
        yield person


@pytest.mark.parametrize(("begin", "end"), [(0, 8), (-1, 1), (7, 9), (2, 3), (-4, 20)])
def test_a_second_shift_of_one_person_may_not_overlap(mia, begin, end):
    roster.add_shift(planned("Tina"), *hours(0, 8), by=mia, at=MONDAY)
    with pytest.raises(Invalid) as refused:
        roster.add_shift(planned("Tina", kind="on_call"), *hours(begin, end), by=mia, at=MONDAY)
    assert refused.value.field == "begins_at"
    assert "already" in str(refused.value.message)
    assert len(db.session.scalars(select(Shift)).all()) == 1


def test_a_shift_is_not_moved_onto_another(mia):
    roster.add_shift(planned("Tina"), *hours(0, 8), by=mia, at=MONDAY)
    second = roster.add_shift(planned("Tina"), *hours(8, 16), by=mia, at=MONDAY)
    with pytest.raises(Invalid) as refused:
        roster.change_shift(second, planned("Tina"), *hours(7, 16), by=mia, at=MONDAY)
    assert refused.value.field == "begins_at"
    assert second.begins_at == hours(8, 16)[0]
    roster.change_shift(second, planned("Leo"), *hours(7, 16), by=mia, at=MONDAY)


def test_shifts_may_touch_and_others_may_work_beside(mia):
    for name, span in (("Tina", (0, 8)), ("Tina", (8, 16)), ("Tina", (-8, 0)), ("Leo", (0, 8))):
        roster.add_shift(planned(name), *hours(*span), by=mia, at=MONDAY)
    db.session.commit()
    assert len(db.session.scalars(select(Shift)).all()) == 4


def test_the_database_itself_refuses(mia, superuser):
    roster.add_shift(planned("Tina"), *hours(0, 8), by=mia, at=MONDAY)
    db.session.commit()
    with pytest.raises(Exception, match="ex_shifts_one_at_a_time"):
        columns = "user_id, begins_at, ends_at, time_zone, kind, tier, note, created_by, created_at"
        superuser.execute(
            f"INSERT INTO shifts (public_id, {columns}) SELECT gen_random_uuid(), {columns} FROM shifts"
        )


@pytest.mark.parametrize(
    ("said", "span", "field"),
    [
        ({}, (8, 8), "ends_at"),
        ({}, (8, 7), "ends_at"),
        ({}, (0, 24 * 15), "ends_at"),
        ({"zone": "Asia/Atlantis"}, (0, 8), "time_zone"),
        ({"kind": "nap"}, (0, 8), "kind"),
        ({"tier": "L9"}, (0, 8), "tier"),
        ({"tier": "L2"}, (0, 8), "tier"),
        ({"note": "x" * 201}, (0, 8), "note"),
    ],
)
def test_what_is_unfit_is_named(mia, said, span, field):
    with pytest.raises(Invalid) as refused:
        roster.add_shift(planned("Tina", **said), *hours(*span), by=mia, at=MONDAY)
    assert refused.value.field == field


@pytest.mark.parametrize("public_id", ["", "x", "00000000-0000-0000-0000-000000000000", None])
def test_a_stranger_is_not_planned(mia, public_id):
    with pytest.raises(Invalid) as refused:
        find_person(public_id)
    assert refused.value.field == "person"


def test_nobody_is_planned_while_away(mia):
    roster.add_absence(
        member("Tina"), "leave", date(2026, 11, 2), date(2026, 11, 3), JAKARTA, by=mia, at=MONDAY
    )
    with pytest.raises(Invalid) as refused:
        roster.add_shift(planned("Tina"), *hours(0, 8), by=mia, at=MONDAY)
    assert refused.value.field == "begins_at"


def test_an_absence_tells_how_many_shifts_fall_into_it(mia):
    roster.add_shift(planned("Tina"), *hours(0, 8), by=mia, at=MONDAY)
    said = ("sickness", date(2026, 11, 2), date(2026, 11, 2), JAKARTA)
    _row, concerned = roster.add_absence(member("Tina"), *said, by=mia, at=MONDAY)
    assert concerned == 1
    assert queries.list_on_duty(MONDAY + timedelta(hours=1)) == []
    with pytest.raises(Invalid) as refused:
        roster.add_absence(member("Tina"), *said, by=mia, at=MONDAY)
    assert refused.value.field == "first_on"


@pytest.mark.parametrize(
    ("kind", "first", "last", "zone", "field"),
    [
        ("holiday", 2, 3, JAKARTA, "kind"),
        ("leave", 3, 2, JAKARTA, "last_on"),
        ("leave", 2, 3, "Nowhere", "time_zone"),
    ],
)
def test_an_unfit_absence_is_named(mia, kind, first, last, zone, field):
    with pytest.raises(Invalid) as refused:
        roster.add_absence(
            member("Tina"), kind, date(2026, 11, first), date(2026, 11, last), zone, by=mia, at=MONDAY
        )
    assert refused.value.field == field


def lay_out(mia, first=date(2026, 8, 10), last=date(2026, 8, 21), kind="shift", country="ID", rule=WORKDAYS):
    pattern = Pattern(rule, first, last, time(8), time(17), JAKARTA)
    return roster.add_pattern(planned("Tina", kind=kind), pattern, country=country, by=mia, at=MONDAY)


def test_a_pattern_leaves_out_holidays_absences_and_what_is_taken(mia):
    roster.add_absence(
        member("Tina"), "leave", date(2026, 8, 11), date(2026, 8, 11), JAKARTA, by=mia, at=MONDAY
    )
    begin, _ = whole_days(date(2026, 8, 12), date(2026, 8, 12), JAKARTA)
    roster.add_shift(planned("Tina"), begin, begin + timedelta(hours=9), by=mia, at=MONDAY)
    found = lay_out(mia)
    assert found.on_holidays == (date(2026, 8, 17),)
    assert (found.away, found.taken) == ((date(2026, 8, 11),), (date(2026, 8, 12),))
    assert found.count == 7


def test_on_call_knows_no_holidays(mia):
    assert lay_out(mia, kind="on_call").count == 10
    assert lay_out(mia, first=date(2026, 8, 24), last=date(2026, 8, 28), country="").count == 5


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"last": date(2026, 8, 9)}, "last_on"),
        ({"last": date(2027, 9, 9)}, "last_on"),
        ({"country": "XX"}, "country"),
        ({"first": date(2026, 8, 17), "last": date(2026, 8, 17)}, "weekdays"),
    ],
)
def test_an_unfit_pattern_is_named(mia, said, field):
    with pytest.raises(Invalid) as refused:
        lay_out(mia, **said)
    assert refused.value.field == field


def test_ending_a_pattern_takes_only_what_has_not_begun(mia):
    found = lay_out(mia, first=date(2026, 10, 26), last=date(2026, 11, 13), country="")
    assert found.count == 15
    # Monday's has begun at 08:00; it is 10:00.
    assert roster.end_pattern(found.pattern, by=mia, at=MONDAY) == 9
    assert len(db.session.scalars(select(Shift)).all()) == 6


def test_gaps_are_the_promised_hours_without_who_is_there(mia, cast):
    begin, end = whole_days(date(2026, 11, 2), date(2026, 11, 8), JAKARTA)
    promised = promised_spans(begin, end, at=MONDAY)
    assert promised
    nobody = gaps(promised, [], [], begin, end)
    assert set(nobody) == {"L1", "L2", "L3"}
    assert all(hours_of(one) == hours_of(promised) for one in nobody.values())
    whole = roster.add_shift(planned("Tina", kind="on_call"), begin, end, by=mia, at=MONDAY)
    covered = gaps(promised, [whole], [], begin, end)
    assert covered["L1"] == [] and covered["L2"] == nobody["L2"]
    away, _ = roster.add_absence(
        member("Tina"), "leave", date(2026, 11, 4), date(2026, 11, 4), JAKARTA, by=mia, at=MONDAY
    )
    left = gaps(promised, [whole], [away], begin, end)["L1"]
    assert left and all(away.begins_at <= a and b <= away.ends_at for a, b in left)
