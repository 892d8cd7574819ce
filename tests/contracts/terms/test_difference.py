"""The difference between two versions, member by member, defaults included."""

import copy

import pytest

from contracts.terms.difference import Change, difference
from contracts.terms.document import default_terms
from contracts.terms.promise import Action, Notified

TERMS = default_terms("Asia/Jakarta")
DEFAULTS = {
    "actions": [
        {"at_percent": 75, "notify": ["assignee"]},
        {"at_percent": 100, "notify": ["assignee", "lead"], "hand_to": None},
    ],
    "credits": None,
    "auto_close_days": 7,
    "reopen_days": 14,
    "statement_day": 3,
    "maintenance": "shown",
    "windows": [],
    "country": "ID",
}


def _changed(change):
    after = copy.deepcopy(TERMS)
    change(after)
    return [(one.path, one.before, one.after) for one in difference(TERMS, after)]


def test_equal_terms_do_not_differ_and_spelt_out_defaults_neither():
    assert difference(TERMS, copy.deepcopy(TERMS)) == []
    assert difference(TERMS, TERMS | DEFAULTS) == []
    assert difference(TERMS | DEFAULTS, TERMS) == []


def test_a_target_a_calendar_and_a_rule():
    def change(terms):
        terms["service_levels"]["P1"] |= {"response_minutes": 15, "update_minutes": 60, "always": False}
        terms["calendar"]["hours"][0]["to"] = "12:00"
        del terms["calendar"]["hours"][4]
        terms["pause_reasons"]["resolution"] = []
        terms["reopen"] = "count"

    assert _changed(change) == [
        (("target", "P1", "response"), 30, 15),
        (("target", "P1", "update"), None, 60),
        (("around_the_clock", "P1"), True, None),
        (("hours", "monday"), ("08:00–17:00",), ("08:00–12:00",)),
        (("hours", "friday"), ("08:00–17:00",), None),
        (("pause", "resolution"), ("requester",), None),
        (("reopen",), "continue", "count"),
    ]


def test_days_with_their_names():
    def change(terms):
        terms["calendar"]["holidays"] = ["2027-01-01", "2027-03-12"]
        terms["holiday_names"] = {"2027-03-12": "Joint leave"}
        terms["calendar"]["special_days"] = [
            {"on": "2026-12-24", "hours": [{"from": "08:00", "to": "12:00"}]},
            {"on": "2026-12-31", "hours": []},
        ]

    assert _changed(change) == [
        (("special_day", "2026-12-24"), None, ("08:00–12:00",)),
        (("special_day", "2026-12-31"), None, ("closed",)),
        (("holiday", "2027-01-01"), None, ""),
        (("holiday", "2027-03-12"), None, "Joint leave"),
    ]


def test_what_is_promised_beside_the_clocks():
    def change(terms):
        terms["warn_at_percent"] = [50, 75]
        terms["actions"] = [{"at_percent": 100, "notify": ["lead"], "hand_to": "L2"}]
        terms["credits"] = {
            "table": [
                {"clock": "resolution", "below_percent": 95, "credit_percent": 5},
                {"clock": "response", "below_percent": 100, "credit_percent": 1},
                {"clock": "response", "below_percent": 90, "credit_percent": 2},
            ],
            "cap_percent": 20,
        }
        terms |= {"included_hours": 0, "auto_close_days": None}
        terms["windows"] = [{"weekday": "sunday", "from": "22:00", "to": "04:00"}]
        terms["freezes"] = [{"from": "2026-12-20", "to": "2027-01-03", "name": "Year end"}]

    before = Action(100, (Notified.ASSIGNEE, Notified.LEAD))
    assert _changed(change) == [
        (("action", "90"), Action(90, (Notified.ASSIGNEE,)), None),
        (("action", "100"), before, Action(100, (Notified.LEAD,), "L2")),
        (("auto_close_days",), 7, None),
        (("included_hours",), None, 0),
        (("credit", "response", "100"), None, 1),
        (("credit", "response", "90"), None, 2),
        (("credit", "resolution", "95"), None, 5),
        (("credit_cap",), None, 20),
        (("window", "sunday"), None, ("22:00–04:00",)),
        (("freeze", "2026-12-20", "2027-01-03", "Year end"), None, True),
    ]


def test_around_the_clock_takes_the_place_of_the_week():
    found = _changed(lambda terms: terms.update(calendar="always"))
    assert found[0] == (("always",), None, True)
    assert {path[0] for path, _, _ in found} == {"always", "time_zone", "hours"}


@pytest.mark.parametrize("name", ["reopen_days", "statement_day", "patch_promise_days"])
def test_the_other_way_round_is_the_mirror(name):
    after = TERMS | {name: 28}
    there, back = difference(TERMS, after), difference(after, TERMS)
    assert back == [Change(one.path, one.after, one.before) for one in there]
    assert len(there) == 1
