"""The calculator over the API, to the letter of its rules; the arithmetic itself is proven in tests/contracts/clock."""

import pytest

from contracts.clock import calculation
from msp.api.schemas.calculations import EXAMPLE

PATH = "/sla/calculations"


def test_every_token_may_calculate(call):
    for name in ("Alice", "Bob", "Tina", "Leo", "Nadia", "Dana", "Mia", "Owen", "Mallory"):
        assert call(name).post(PATH, EXAMPLE).status_code == 200


def test_the_example_of_the_description(call):
    assert call("Bob").post(PATH, EXAMPLE).get_json() == {
        "state": "running",
        "elapsed_seconds": 5400,
        "remaining_seconds": 9000,
        "paused_business_seconds": 0,
        "due_at": "2026-11-23T04:30:00Z",
        "missed_at": None,
        "warnings": [],
        "intervals": [
            {"from": "2026-11-20T09:30:00Z", "to": "2026-11-20T10:00:00Z", "kind": "counted"},
            {"from": "2026-11-20T10:00:00Z", "to": "2026-11-23T01:00:00Z", "kind": "outside_hours"},
            {"from": "2026-11-23T01:00:00Z", "to": "2026-11-23T02:00:00Z", "kind": "counted"},
        ],
    }


def test_it_is_the_calculation_and_nothing_else(call):
    asked = EXAMPLE | {
        "calendar": "always",
        "pauses": [{"from": "2026-11-20T16:40:00+07:00", "to": None}],
        "warn_at_percent": [1, 2],
    }
    assert call("Bob").post(PATH, asked).get_json() == calculation.answer(calculation.parse(asked))


def test_every_fault_is_named(call, fields):
    asked = EXAMPLE | {
        "calendar": {"time_zone": "Mars/Base", "hours": [{"weekday": "monday", "from": "08:00", "to": "8"}]},
        "target_minutes": 0,
        "colour": "red",
    }
    answer = call("Bob").post(PATH, asked)
    assert answer.status_code == 422
    assert sorted(fields(answer)) == ["calendar.hours.0.to", "calendar.time_zone", "colour", "target_minutes"]


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "{}"])
def test_other_json_is_422(call, body):
    caller = call("Bob")
    answer = caller.client.post(
        "/api/v1" + PATH, data=body, content_type="application/json", headers=caller.headers()
    )
    assert answer.status_code == 422


def test_too_many_intervals_name_as_of(call, fields):
    asked = EXAMPLE | {"started_at": "1971-01-01T00:00:00Z", "as_of": "2099-01-01T00:00:00Z"}
    answer = call("Bob").post(PATH, asked)
    assert answer.status_code == 422
    assert fields(answer) == ["as_of"]


def test_the_right_to_calculate_is_asked(superuser, call):
    caller = call("Owen")
    superuser.execute("UPDATE api_tokens SET permissions = '[\"api.use\"]'")
    assert caller.post(PATH, EXAMPLE).status_code == 403
