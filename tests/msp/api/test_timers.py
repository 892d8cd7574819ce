"""Clocks with their strips, through the API."""

import pytest

from contracts.terms.queries import list_contracts
from tenants.foundation import time
from tests import tickets


@pytest.fixture
def promised(within):
    """The public id of Acme's contract."""
    with within("acme"):
        (contract,) = list_contracts()
        return str(contract.public_id)


def test_clocks_are_read_at_this_moment(app, cast, call, promised):
    code = tickets.opened(app, cast)
    with time.frozen(tickets.later(minutes=30)):
        answer = call("Bob").get(f"/tickets/{code}/timers").get_json()
    clocks = {one["clock"]: one for one in answer["items"]}
    resolution = clocks["resolution"]
    assert (resolution["state"], resolution["elapsed_seconds"]) == ("running", 1800)
    assert resolution["elapsed_seconds"] + resolution["remaining_seconds"] == resolution["target_seconds"]
    assert resolution["intervals"] == [
        {
            "from": "2026-03-02T03:00:00Z",
            "to": "2026-03-02T03:30:00Z",
            "kind": "counted",
            "reason": None,
            "by": None,
        }
    ]
    assert (resolution["contract"], resolution["contract_version"]) == (promised, 1)
    assert clocks["response"]["state"] == "running"
    assert clocks["update"]["state"] == "not_applicable"
    assert answer["next"] is None


def test_opening_by_api_starts_the_clocks(call):
    new = {"subject": "Printer", "body": "Smoke", "impact": "high", "urgency": "high"}
    made = call("Bob").post("/tickets", new).get_json()
    assert made["due_clock"] == "response"
    assert made["sla_state"] in ("running", "outside_hours")


def test_a_ticket_without_promises_has_no_clock(app, cast, call):
    code = tickets.opened(app, cast, at=tickets.MONDAY.replace(year=2025))
    clocks = call("Bob").get(f"/tickets/{code}/timers").get_json()["items"]
    assert {one["clock"]: one["state"] for one in clocks} == dict.fromkeys(
        ("response", "update", "resolution"), "not_applicable"
    )
