"""Statements over the API."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from contracts.statements.services import close_month
from contracts.terms.models import Contract
from tenants.foundation.db import db


@pytest.fixture
def statements(within, as_actor):
    """March of Acme and of Globex; their public ids."""
    found = {}
    for slug in ("acme", "globex"):
        with within(slug):
            contract = db.session.scalars(select(Contract)).one()
            at = datetime(2026, 4, 2, tzinfo=UTC)
            made = close_month(contract, date(2026, 3, 1), evidence={}, by=as_actor("Mia"), at=at)
            db.session.commit()
            found[slug] = str(made.public_id)
    return found


def test_each_sees_their_own(call, statements):
    for who, slugs in (("Alice", ["acme"]), ("Mallory", ["globex"]), ("Mia", ["globex", "acme"])):
        listed = call(who).get("/statements").get_json()["items"]
        assert sorted(one["tenant"] for one in listed) == sorted(slugs)
    assert call("Bob").get("/statements").status_code == 403
    assert call("Mallory").get(f"/statements/{statements['acme']}").status_code == 404
    assert call("Mallory").get(f"/statements/{statements['acme']}.pdf").status_code == 404


def test_a_statement_as_document_pdf_and_csv(call, statements):
    alice, path = call("Alice"), f"/statements/{statements['acme']}"
    found = alice.get(path).get_json()
    assert (found["month"], found["number"], found["line_count"], found["figures"]) == ("2026-03", 1, 0, [])
    assert len(found["sha256"]) == 64
    assert alice.get(f"{path}.pdf").data.startswith(b"%PDF-")
    assert alice.get(f"{path}.csv").get_data(as_text=True).startswith('\ufeff"position"')


def test_lists_are_narrowed_and_paged(call, statements):
    mia = call("Mia")
    assert [one["tenant"] for one in mia.get("/statements", tenant="acme").get_json()["items"]] == ["acme"]
    assert mia.get("/statements", month="2026-02").get_json()["items"] == []
    first = mia.get("/statements", limit=1).get_json()
    second = mia.get("/statements", limit=1, after=first["next"]).get_json()
    assert {first["items"][0]["tenant"], second["items"][0]["tenant"]} == {"acme", "globex"}
    refused = mia.get("/statements", month="2026-13")
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "month"
