"""Terms as people read them: every member has words, holidays are offered by name, and a week is drawn to scale."""

import copy
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import fromstring

import pytest
from flask_babel import force_locale

from contracts.terms.difference import laid_out
from contracts.terms.document import default_terms
from msp.promises import holidays
from msp.promises.changes import difference_words
from msp.promises.sheet import sheet_of
from msp.promises.week import week_of
from msp.promises.words import label_of, value_words
from tests.msp.web.samples import HOSTILE, small_app

FULL = default_terms("Asia/Jakarta") | {
    "actions": [{"at_percent": 100, "notify": [], "hand_to": "L3"}],
    "credits": {
        "table": [
            {"clock": clock, "below_percent": below, "credit_percent": 5}
            for clock, below in (("response", 90), ("update", 80), ("resolution", 95))
        ],
        "cap_percent": 20,
    },
    "auto_close_days": None,
    "reopen_days": None,
    "maintenance": "excluded",
    "included_hours": 0,
    "patch_promise_days": 1,
    "windows": [{"weekday": "sunday", "from": "22:00", "to": "04:00"}],
    "freezes": [{"from": "2026-12-20", "to": "2027-01-03", "name": "Year end"}],
}


@pytest.fixture(autouse=True)
def reading() -> Iterator[None]:
    with small_app().app_context():
        yield


def _terms(**calendar):
    terms = copy.deepcopy(FULL)
    terms["calendar"] |= calendar
    return terms


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_member_has_a_name_and_words_also_when_it_is_gone(language):
    days = {"special_days": [{"on": "2026-12-24"}], "holidays": ["2026-12-25"]}
    terms = _terms(**days)
    members = laid_out(terms) | laid_out(terms | {"calendar": "always"})
    with force_locale(language):
        for path, value in members.items():
            if path[0] != "holiday":
                assert label_of(path)
                assert value_words(path, value)
                assert value_words(path, None)
        assert difference_words(default_terms("Asia/Jakarta"), terms)
        assert sheet_of(terms, "Asia/Jakarta").holidays[0][1]


def test_a_removed_holiday_is_named_before_and_an_added_one_after():
    before, after = _terms(holidays=["2026-12-25"]), _terms(holidays=["2026-08-17"])
    (row,) = difference_words(before, after)
    assert row.label == "Holidays of 2026 that differ"
    assert row.before == "1 day: 25 Dec Christmas Day"
    assert row.after == "1 day: 17 Aug Independence Day"


def test_nothing_in_words_is_zero_hours():
    sheet = dict(sheet_of(FULL, "Asia/Jakarta").days)
    assert sheet["Hours included a month"] == "0 h"
    assert sheet["Critical updates installed within"] == "1 day"
    assert sheet["Solved tickets are closed"] == "never by themselves"
    assert sheet["Closed tickets can be reopened"] == "at any time"


# -- holidays ---------------------------------------------------------------------------------------------


def _offered(language, country="ID"):
    with force_locale(language):
        return {offer.on: offer for offer in holidays.offers(country, (2027,))}


def test_indonesia_s_days_are_named_in_both_languages():
    assert _offered("id")[date(2027, 8, 17)].name == "Hari Kemerdekaan Republik Indonesia"
    assert _offered("en")[date(2027, 8, 17)].name == "Independence Day"


@pytest.mark.parametrize("language", ["en", "id"])
def test_estimated_days_are_marked_apart_from_their_name(language):
    eid = _offered(language)[date(2027, 3, 10)]
    assert eid.is_estimated
    assert "(" not in eid.name
    assert "(" in eid.words
    assert not _offered(language)[date(2027, 12, 25)].is_estimated


def test_joint_leave_is_offered_as_optional():
    found = _offered("en")
    assert found[date(2027, 3, 12)].is_extra
    assert not found[date(2027, 3, 10)].is_extra


def test_a_country_without_the_language_speaks_english():
    assert _offered("id", "DE")[date(2027, 10, 3)].name == "German Unity Day"


def test_every_country_can_be_offered():
    with force_locale("id"):
        chosen = [code for code, _name in holidays.country_choices()]
    assert chosen[0] == "ID"
    assert len(chosen) == len(set(chosen)) > 200
    for code in chosen:
        holidays.offers(code, (2027,))


@pytest.mark.parametrize("years", [(1066,), (2101, 9999), ()])
def test_years_without_a_calendar_offer_nothing(years):
    assert holidays.offers("ID", years) == []


def test_no_country_offers_nothing():
    assert holidays.offers(None, (2027,)) == holidays.offers("XX", (2027,)) == []


def test_a_zone_knows_its_country():
    assert holidays.country_of("Asia/Makassar") == "ID"
    assert holidays.country_of("UTC") is None


# -- the week ---------------------------------------------------------------------------------------------


def _bars(week):
    root = fromstring(str(week.picture))  # noqa: S314 - our own output
    return [
        (each.findtext("title"), each.attrib) for each in root.iter("rect") if each.find("title") is not None
    ]


def test_a_week_is_drawn_to_scale():
    week = week_of(_terms(hours=[{"weekday": "monday", "from": "06:00", "to": "12:00"}]), date(2026, 11, 18))
    assert week.title == "Week from Mon, 16 Nov 2026 to Sun, 22 Nov 2026"
    words, bar = _bars(week)[0]
    assert words == "Business hours: 06:00–12:00"
    assert (bar["x"], bar["width"]) == ("38.5%", "20.5%")


def test_a_night_s_window_reaches_into_the_next_day():
    windows = [words for words, _bar in _bars(week_of(FULL, date(2026, 11, 18))) if "window" in words]
    assert windows == ["Maintenance window: 00:00–04:00", "Maintenance window: 22:00–24:00"]


def test_what_differs_is_noted_behind_the_picture():
    days = {"special_days": [{"on": "2026-12-24"}], "holidays": ["2026-12-25"]}
    lines = week_of(_terms(**days), date(2026, 12, 24)).lines
    assert lines[3] == ["Thu, 24 Dec 2026", "closed", "–", "hours of its own, Year end"]
    assert lines[4] == ["Fri, 25 Dec 2026", "closed", "–", "Christmas Day, Year end"]


def test_around_the_clock_is_one_bar_a_day():
    bars = _bars(week_of(FULL | {"calendar": "always", "windows": []}, date(2026, 11, 18)))
    assert [words for words, _bar in bars] == ["Business hours: 00:00–24:00"] * 7


def test_names_cannot_break_the_picture():
    terms = _terms(holidays=["2026-12-26"]) | {"holiday_names": {"2026-12-26": HOSTILE[:100]}}
    assert fromstring(str(week_of(terms, date(2026, 12, 26)).picture)) is not None  # noqa: S314 - our own output
