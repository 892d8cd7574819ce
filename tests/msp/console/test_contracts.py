"""Contract pages: staff write terms, clients read them, foreign ones are unknown."""

import pytest
from sqlalchemy import select

from contracts.terms.models import Contract, ContractVersion
from tenants.foundation.db import db

NEW = {
    "in_force_on": "2027-01-04",
    "note": "Faster replies.",
    "P1_response": "15",
    "P1_resolution": "120",
    "P1_always": "y",
    "P2_response": "60",
    "P2_resolution": "480",
    "P3_response": "240",
    "P3_resolution": "1440",
    "P4_response": "480",
    "P4_resolution": "",
    "hours_monday": "08:00-12:00, 13:00-17:00",
    "hours_friday": "22:00-06:00",
    "holidays": "2027-03-10\n2027-03-11",
    "warn_at_percent": "50, 90",
    "pause_resolution_requester": "y",
    "reopen": "continue",
    "change": "from_creation",
}


@pytest.fixture
def acme_contract(within):
    with within("acme"):
        return str(db.session.scalars(select(Contract.public_id)).one())


def _versions(within):
    with within("acme"):
        return list(db.session.scalars(select(ContractVersion).order_by(ContractVersion.number)))


def test_staff_read_the_contract(sign_in):
    page = sign_in("Tina").get("/console/tenants/acme/contract")
    assert page.status_code == 200
    assert "Managed services" in page.text
    assert "in force" in page.text


def test_a_manager_adds_terms(sign_in, acme_contract, within):
    manager = sign_in("Mia")
    address = f"/console/contracts/{acme_contract}/versions/new"
    assert "08:00-17:00" in manager.get(address).text
    assert manager.post(address, data=NEW).status_code == 302
    _first, second = _versions(within)
    assert second.terms["service_levels"]["P1"] == {
        "response_minutes": 15,
        "resolution_minutes": 120,
        "always": True,
    }
    assert second.terms["service_levels"]["P4"]["resolution_minutes"] is None
    assert {"weekday": "friday", "from": "22:00", "to": "06:00"} in second.terms["calendar"]["hours"]
    assert second.terms["warn_at_percent"] == [50, 90]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("in_force_on", "2020-01-01", "after the latest"),
        ("hours_monday", "eight to five", "Write hours as"),
        ("hours_monday", "08:00-12:00, 11:00-13:00", "overlaps"),
        ("hours_monday", "29:00-30:00", "time of day"),
        ("holidays", "soon", "must be a date"),
        ("warn_at_percent", "half", "whole percents"),
        ("warn_at_percent", "50, 101", "1 to 100"),
        ("P1_response", "0", "at least 1"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(sign_in, acme_contract, within, field, value, says):
    page = sign_in("Mia").post(f"/console/contracts/{acme_contract}/versions/new", data={**NEW, field: value})
    assert page.status_code == 422
    assert says in page.text
    assert "Faster replies." in page.text
    assert len(_versions(within)) == 1


def test_a_new_contract_with_holidays_suggested(sign_in, within):
    manager = sign_in("Mia")
    page = manager.get("/console/tenants/provider/contract/new")
    assert "-12-25" in page.text
    given = {
        **NEW,
        "name": "Own services",
        "time_zone": "Asia/Jakarta",
        "currency": "IDR",
        "monthly_fee": "100",
    }
    assert manager.post("/console/tenants/provider/contract/new", data=given).status_code == 302
    with within("provider"):
        assert db.session.scalars(select(Contract.name)).all() == ["Own services"]


def test_engineers_may_not_write_terms(sign_in, acme_contract):
    tina = sign_in("Tina")
    assert tina.post(f"/console/contracts/{acme_contract}/versions/new", data=NEW).status_code == 403
    assert tina.get("/console/tenants/globex/contract").status_code == 404


def test_the_client_admin_reads_contract_and_attainment(sign_in):
    page = sign_in("Alice").get("/portal/contract")
    assert page.status_code == 200
    assert "Managed services" in page.text
    assert "No target was due" in page.text
    assert sign_in("Bob").get("/portal/contract").status_code == 403
    assert sign_in("Alice").get("/portal/contract/decisions").status_code == 200
    assert sign_in("Alice").get("/portal/contract?month=2026-13").status_code == 422


def test_attainment_over_clients(sign_in):
    assert sign_in("Leo").get("/console/attainment").status_code == 200
    assert sign_in("Alice").get("/console/attainment").status_code == 403
