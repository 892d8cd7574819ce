"""Contracts through the API."""

import uuid
from datetime import UTC, date, datetime

import pytest

from contracts.terms.document import default_terms
from contracts.terms.queries import list_contracts
from contracts.terms.services import add_version
from tenants.foundation.actor import Actor
from tenants.foundation.db import db

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


@pytest.fixture
def contracts(within):
    """Public ids of Acme's contract, which gets a second version, and of Globex's."""
    found = {}
    for slug in ("acme", "globex"):
        with within(slug):
            (contract,) = list_contracts()
            found[slug] = str(contract.public_id)
            if slug == "acme":
                later = default_terms("Asia/Jakarta") | {"reopen": "new_cycle"}
                by = Actor.system("test")
                add_version(contract, in_force_on=date(2026, 6, 1), terms=later, note="Better", by=by, at=AT)
                db.session.commit()
    return found


@pytest.mark.parametrize(
    ("name", "slugs"), [("Alice", ["acme"]), ("Tina", ["acme"]), ("Leo", ["acme", "globex"])]
)
def test_everybody_sees_the_contracts_that_are_theirs(call, contracts, name, slugs):
    listed = call(name).get("/contracts").get_json()["items"]
    assert [one["tenant"] for one in listed] == slugs
    assert [one["id"] for one in listed] == [contracts[slug] for slug in slugs]


def test_versions_the_latest_first(call, contracts):
    path = f"/contracts/{contracts['acme']}/versions"
    found = call("Alice").get(path).get_json()
    assert [one["number"] for one in found["items"]] == [2, 1]
    assert found["items"][0]["in_force_from"] == "2026-05-31T17:00:00Z"
    assert found["items"][0]["terms"]["reopen"] == "new_cycle"
    first = call("Alice").get(path, limit=1).get_json()
    assert call("Alice").get(path, limit=1, after=first["next"]).get_json()["items"][0]["number"] == 1


def test_a_client_s_user_sees_none(call, contracts):
    assert call("Bob").get("/contracts").status_code == 403
    assert call("Bob").get(f"/contracts/{contracts['acme']}/versions").status_code == 403


@pytest.mark.parametrize("name", ["Alice", "Tina"])
def test_a_foreign_contract_is_unknown(call, contracts, name):
    answers = [
        call(name).get(f"/contracts/{one}/versions") for one in (contracts["globex"], uuid.uuid4(), "x")
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.data for one in answers}) == 1
    assert call(name).get("/contracts", tenant="globex").status_code == 404
