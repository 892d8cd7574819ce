"""The directory of vendors and the figures of their answers: one's own clients only, formulas that can be checked."""

import re
from datetime import timedelta

import pytest

from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import services
from tenants.tickets.directory import list_vendors
from tenants.tickets.vendors import acknowledge_case, list_cases
from tests import personas
from tests.tickets import open_in_scope

ENTRY = {
    "name": "Printco",
    "contact_name": "Sari",
    "email": "help@printco.test",
    "phone": "021 555",
    "support_hours": "8 to 17",
    "promised_hours": "8",
    "calendar": "always",
    "is_active": "y",
}


def words_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def rev(page):
    return re.search(r'name="rev"[^>]*value="(\d+)"', page.text)[1]


@pytest.fixture
def vendors(app, cast):
    def read():
        with personas.within(app, cast, "Leo"):
            return list(list_vendors(retired=True))

    return read


class TestDirectory:
    def test_added_edited_and_offered_no_more(self, superuser, sign_in, vendors):
        nadia = sign_in("Nadia")
        assert nadia.post("/console/vendors/new", data=ENTRY).status_code == 302
        (vendor,) = vendors()
        assert (vendor.name, vendor.promised_minutes, vendor.calendar) == ("Printco", 480, "always")
        page = f"/console/vendors/{vendor.public_id}/edit"
        form = nadia.get(page)
        assert 'value="help@printco.test"' in form.text
        data = {**ENTRY, "phone": "021 556", "rev": rev(form)}
        del data["is_active"]
        assert nadia.post(page, data=data).status_code == 302
        (vendor,) = vendors()
        assert (vendor.phone, vendor.is_active, vendor.rev) == ("021 556", False, 2)
        assert nadia.post(page, data=data).status_code == 409, "a stale page"
        assert "asked no more" in words_of(sign_in("Tina").get("/console/vendors"))
        acts = superuser.execute(
            "SELECT action FROM system_audit_entries WHERE action LIKE 'vendor.%' ORDER BY seq"
        )
        assert [row[0] for row in acts] == ["vendor.added", "vendor.edited"]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"name": " "}, "Enter a name."),
            ({"name": "x" * 121}, "at most 120"),
            ({"email": "help"}, "This is not an e-mail address."),
            ({"promised_hours": "-1"}, "Give a time between"),
            ({"support_hours": "x" * 301}, "at most 300"),
            ({"calendar": "sometimes"}, "Not a valid choice"),
        ],
    )
    def test_mistakes_are_named(self, sign_in, vendors, changes, says):
        answer = sign_in("Nadia").post("/console/vendors/new", data=ENTRY | changes)
        assert answer.status_code == 422
        assert says in answer.text
        assert vendors() == []

    def test_a_name_is_there_once(self, sign_in, vendors):
        nadia = sign_in("Nadia")
        nadia.post("/console/vendors/new", data=ENTRY)
        answer = nadia.post("/console/vendors/new", data=ENTRY)
        assert answer.status_code == 422
        assert "There is a vendor of this name." in answer.text
        assert len(vendors()) == 1

    def test_who_may(self, sign_in, vendors):
        for who in ("Tina", "Leo", "Dana"):
            assert sign_in(who).post("/console/vendors/new", data=ENTRY).status_code == 403
            assert sign_in(who).get("/console/vendors").status_code == 200
        for who in ("Alice", "Bob"):
            assert sign_in(who).get("/console/vendors").status_code in (403, 404)
            assert sign_in(who).get("/console/hand-overs").status_code in (403, 404)
        assert vendors() == []


def asked(app, cast, slug, at, *, acknowledged=None, answered=None, promised=None):
    """A ticket of a client that waited for Printco."""
    with personas.within(app, cast, "Leo") as leo:
        ticket = open_in_scope(cast, leo, slug=slug, at=at)
        services.take_ticket(ticket, by=leo, at=at)
        ask = services.VendorAsk(vendor="Printco", promised_minutes=promised, calendar="always")
        services.wait_for_vendor(ticket, ask, by=leo, at=at)
        (case,) = list_cases(ticket)
        if acknowledged is not None:
            acknowledge_case(ticket, case, by=leo, at=at + timedelta(minutes=acknowledged))
        if answered is not None:
            services.answer_vendor(ticket, case, answer="Yes", by=leo, at=at + timedelta(minutes=answered))
        db.session.commit()


def test_figures_are_those_of_the_cases(app, cast, sign_in):
    at = time.now() - timedelta(days=2)
    asked(app, cast, "acme", at, acknowledged=10, answered=60, promised=30)
    asked(app, cast, "acme", at, acknowledged=30, answered=120, promised=600)
    asked(app, cast, "acme", at)
    asked(app, cast, "globex", at, acknowledged=20, answered=600)
    all_of_them = words_of(sign_in("Leo").get("/console/vendors"))
    assert "Printco 4 1 20 min 2 h 1 of 2" in all_of_them
    acme = "Printco 3 1 20 min 1 h 30 min 1 of 2"
    assert acme in words_of(sign_in("Leo").get("/console/vendors?tenant=acme"))
    assert acme in words_of(sign_in("Tina").get("/console/vendors")), "only clients that one is granted"
    assert "No vendor was asked" in words_of(sign_in("Tina").get("/console/vendors?tenant=globex"))
    for odd in ("from=x&to=y", "from=2026-12-01&to=2026-01-01", "from=0001-01-01&to=9999-12-31"):
        assert "Printco 3" in words_of(sign_in("Tina").get(f"/console/vendors?{odd}"))
