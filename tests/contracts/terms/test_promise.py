"""What a version promises beside its clocks: read strictly, with defaults for documents from before."""

import copy
from datetime import date

import pytest

from contracts.terms.document import TermsInvalid, default_terms, read_promise, read_terms
from contracts.terms.promise import Action, CreditStep, Freeze, MaintenanceRule, Notified

STEP = {"clock": "resolution", "below_percent": 95, "credit_percent": 5}
FULL = {
    "actions": [
        {"at_percent": 75, "notify": ["assignee", "admins"], "hand_to": None},
        {"at_percent": 100, "notify": ["lead"], "hand_to": "L2"},
    ],
    "credits": {"table": [STEP, STEP | {"below_percent": 90, "credit_percent": 10}], "cap_percent": 20},
    "auto_close_days": None,
    "reopen_days": 30,
    "statement_day": 28,
    "maintenance": "excluded",
    "included_hours": 0,
    "patch_promise_days": 14,
    "country": "ID",
    "holiday_names": {"2027-03-12": "Joint leave"},
    "windows": [{"weekday": "sunday", "from": "22:00", "to": "04:00"}],
    "freezes": [{"from": "2026-12-20", "to": "2027-01-03", "name": "Year end"}],
}


def _document(**members):
    return copy.deepcopy(default_terms("Asia/Jakarta")) | members


def test_a_document_from_before_gets_the_defaults():
    promise = read_promise(default_terms("Asia/Jakarta"))
    warned, missed = (Notified.ASSIGNEE,), (Notified.ASSIGNEE, Notified.LEAD)
    assert promise.actions == (*(Action(percent, warned) for percent in (50, 75, 90)), Action(100, missed))
    assert (promise.auto_close_days, promise.reopen_days, promise.statement_day) == (7, 14, 3)
    assert promise.maintenance is MaintenanceRule.SHOWN
    assert (promise.credits, promise.included_hours, promise.patch_promise_days) == (None, None, None)
    assert (promise.windows, promise.freezes, promise.country) == ((), (), None)


def test_every_member_is_read():
    promise = read_promise(_document(**FULL))
    assert promise.action_at(75).notify == ("assignee", "admins")
    assert promise.action_at(100) == Action(100, (Notified.LEAD,), "L2")
    assert promise.credits.cap_percent == 20
    assert promise.credits.table[1] == CreditStep("resolution", 90, 10)
    assert (promise.auto_close_days, promise.reopen_days, promise.statement_day) == (None, 30, 28)
    assert promise.maintenance is MaintenanceRule.EXCLUDED
    assert (promise.included_hours, promise.patch_promise_days) == (0, 14)
    assert promise.windows[0].hours.span == (22 * 60, 28 * 60)
    assert promise.freezes == (Freeze(date(2026, 12, 20), date(2027, 1, 3), "Year end"),)
    assert promise.holiday_names == ((date(2027, 3, 12), "Joint leave"),)


def test_a_warning_that_is_not_named_acts_as_by_default():
    promise = read_promise(_document(actions=[{"at_percent": 75, "notify": []}]))
    assert [action.at_percent for action in promise.actions] == [50, 75, 90, 100]
    assert promise.action_at(75).notify == ()
    assert promise.action_at(90).notify == ("assignee",)


def test_the_clocks_read_the_longer_document_as_before():
    longer = FULL | {"maintenance": "shown"}
    assert read_terms(_document(**longer)) == read_terms(_document())


def _steps(*steps):
    return {"table": [dict(zip(STEP, step, strict=True)) for step in steps], "cap_percent": 20}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("actions", [{"at_percent": 60, "notify": []}], "actions.0.at_percent"),
        ("actions", [{"at_percent": 75, "notify": []}] * 2, "actions.1.at_percent"),
        ("actions", [{"at_percent": 75, "notify": ["boss"]}], "actions.0.notify.0"),
        ("actions", [{"at_percent": 75, "notify": [], "hand_to": "L4"}], "actions.0.hand_to"),
        ("actions", [{"at_percent": 75}], "actions.0.notify"),
        ("actions", None, "actions"),
        ("credits", {"table": [STEP]}, "credits.cap_percent"),
        ("credits", {"table": [STEP], "cap_percent": 101}, "credits.cap_percent"),
        ("credits", {"table": [], "cap_percent": 20}, "credits.table"),
        ("credits", _steps(("solving", 95, 5)), "credits.table.0.clock"),
        ("credits", _steps(("response", 101, 5)), "credits.table.0.below_percent"),
        ("credits", _steps(("response", 95, 0)), "credits.table.0.credit_percent"),
        ("credits", _steps(("response", 95, 5), ("response", 95, 5)), "credits.table.1.below_percent"),
        ("credits", _steps(("response", 95, 5), ("response", 90, 4)), "credits.table.1.credit_percent"),
        ("credits", _steps(("response", 90, 4), ("response", 95, 5)), "credits.table.1.credit_percent"),
        ("auto_close_days", 0, "auto_close_days"),
        ("auto_close_days", 91, "auto_close_days"),
        ("reopen_days", "7", "reopen_days"),
        ("statement_day", 29, "statement_day"),
        ("statement_day", 0, "statement_day"),
        ("maintenance", "hidden", "maintenance"),
        ("included_hours", -1, "included_hours"),
        ("included_hours", 10_001, "included_hours"),
        ("patch_promise_days", 366, "patch_promise_days"),
        ("country", "Indonesia", "country"),
        ("holiday_names", {"soon": "Leave"}, "holiday_names.soon"),
        ("holiday_names", {"2027-03-12": ""}, "holiday_names.2027-03-12"),
        ("holiday_names", ["2027-03-12"], "holiday_names"),
        ("windows", [{"weekday": "funday", "from": "22:00", "to": "04:00"}], "windows.0.weekday"),
        ("windows", [{"weekday": "monday", "from": "22:00", "to": "22:00"}], "windows.0.to"),
        ("windows", [FULL["windows"][0]] * 2, "windows.1.from"),
        (
            "freezes",
            [{"from": "2027-01-03", "to": "2026-12-20", "name": "Year end"}],
            "freezes.0.to",
        ),
        ("freezes", [{"from": "2026-12-20", "to": "2027-01-03", "name": " "}], "freezes.0.name"),
        ("freezes", [{"from": "2026-12-20", "to": "2027-01-03", "name": "a\x00b"}], "freezes.0.name"),
        ("freezes", [{"from": "2026-12-20", "to": "2026-12-32", "name": "x"}], "freezes.0.to"),
    ],
)
def test_a_wrong_promise_names_the_field(name, value, field):
    with pytest.raises(TermsInvalid) as refused:
        read_promise(_document(**{name: value}))
    assert [named for named, _ in refused.value.errors] == [field]


def test_equal_credits_of_two_steps_and_steps_of_two_clocks_stand_beside_each_other():
    table = _steps(("response", 95, 5), ("response", 90, 5), ("resolution", 99, 20))
    assert len(read_promise(_document(credits=table)).credits.table) == 3
