"""Applying a version from its page: what is said before, a few at once, many in the background, and who reads it."""

import re
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select, update

from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_versions
from contracts.terms.services import add_version
from contracts.timers.verifying import verify_tenant
from msp.timers import applying
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Work
from tenants.tickets.models import Ticket

FASTER = {"P3": {"response_minutes": 60, "resolution_minutes": 480}}
MOMENTS = count(1)


@pytest.fixture
def faster(desk):
    """Three tickets of Tuesday, and terms of Wednesday; the public id of their contract."""
    codes = [desk.ticket(desk.open(n / 60)).code for n in range(3)]
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        contract = db.session.scalars(select(Contract)).one()
        terms = list_versions(contract)[0].terms
        add_version(
            contract,
            in_force_on=date(2026, 11, 18),
            terms=terms | {"service_levels": terms["service_levels"] | FASTER},
            by=Actor.system("test"),
            at=desk.june + timedelta(microseconds=next(MOMENTS)),
        )
        db.session.commit()
        return str(contract.public_id), codes


WEDNESDAY = 25.0
"""Hours after Tuesday morning."""


@pytest.fixture
def wednesday(desk):
    with time.frozen(desk.at(WEDNESDAY)):
        yield


def _path(contract):
    return f"/console/contracts/{contract}/apply"


def _numbers(desk):
    return {one.code: one.rev for one in desk.rows(select(Ticket).order_by(Ticket.id))}


def _audited(desk):
    found = desk.rows(select(AuditEntry).order_by(AuditEntry.seq))
    return [(one.action, one.actor) for one in found if "contract.terms" in one.action]


def test_the_page_says_to_how_many_of_whom_and_what_would_move(desk, faster, wednesday, sign_in):
    contract, _codes = faster
    mia = sign_in("Mia")
    shown = mia.get("/console/tenants/acme/contract").text
    assert shown.count(_path(contract)) == 1
    page = mia.get(_path(contract)).text
    assert "3 open tickets of Acme are measured by earlier terms" in page
    assert "Apply version 2 to 3 tickets of Acme" in page
    figures = dict(re.findall(r"<th[^>]*>([^<]+)</th>\s*<td[^>]*>(\d+)</td>", page))
    assert (figures["due earlier"], figures["missed already, and stay so"]) == ("0", "3")
    assert figures["missed at once"] == "3"
    assert "3 targets would be missed at once" in page


@pytest.mark.parametrize("name", ["Tina", "Leo", "Alice"])
def test_only_who_manages_contracts(faster, wednesday, sign_in, name):
    contract, _codes = faster
    for method in ("get", "post"):
        assert getattr(sign_in(name), method)(_path(contract)).status_code in (403, 404)
    if name != "Alice":
        assert _path(contract) not in sign_in(name).get("/console/tenants/acme/contract").text


def test_a_few_are_moved_on_at_once(desk, faster, wednesday, sign_in):
    contract, codes = faster
    answer = sign_in("Mia").post(_path(contract), data={"version": "2"}, follow_redirects=True)
    assert "Version 2 measures 3 more open tickets from now on." in answer.text
    with desk.app.app_context():
        assert verify_tenant(desk.tenant_id, now=time.now()).differences == []
    assert [action for action, _ in _audited(desk)] == ["contract.terms_applied"]
    empty = sign_in("Mia").get(_path(contract)).text
    assert "Nothing to apply" in empty
    for name, page in (("Bob", f"/portal/tickets/{codes[0]}"), ("Leo", f"/desk/tickets/{codes[0]}")):
        text = sign_in(name).get(page).text
        assert "Measured by version 2 of the contract since" in text
        assert "applied version 2 of the contract" in text


def test_before_it_the_page_of_a_ticket_names_the_first(faster, wednesday, sign_in):
    _contract, codes = faster
    for name, page in (("Bob", f"/portal/tickets/{codes[0]}"), ("Leo", f"/desk/tickets/{codes[0]}")):
        assert "Measured by version 1 of the contract since it was opened" in sign_in(name).get(page).text


@pytest.mark.parametrize("version", ["1", "3", "x", ""])
def test_a_page_that_spoke_of_other_terms_changes_nothing(desk, faster, wednesday, sign_in, version):
    contract, _codes = faster
    before = _numbers(desk)
    answer = sign_in("Mia").post(_path(contract), data={"version": version})
    assert answer.status_code == 409
    assert "Other terms came into force" in answer.text
    assert _numbers(desk) == before


def test_a_contract_that_is_not_in_force(desk, faster, wednesday, sign_in):
    contract, _codes = faster
    desk.act(update(Contract).values(ends_on=date(2026, 11, 17)))
    answer = sign_in("Mia").post(_path(contract), data={"version": "2"}, follow_redirects=True)
    assert "none can be applied" in answer.text
    assert {one.data["version"] for one in desk.history(1) if one.kind == "terms_applied"} == set()


@pytest.fixture
def many(monkeypatch):
    monkeypatch.setattr(applying, "AT_ONCE", 1)
    monkeypatch.setattr(applying, "PIECE", 2)


def test_many_are_moved_on_piece_by_piece(desk, faster, wednesday, many, sign_in):
    contract, _codes = faster
    answer = sign_in("Mia").post(_path(contract), data={"version": "2"}, follow_redirects=True)
    assert "Version 2 is being applied to 3 open tickets." in answer.text
    sign_in("Mia").post(_path(contract), data={"version": "2"})
    desk.work(WEDNESDAY)
    mia = f"user:{desk.cast.users['Mia']}"
    asked, done = "contract.terms_asked_for", "contract.terms_applied"
    assert _audited(desk) == [(asked, mia), (asked, mia), (done, mia)]
    for ticket in desk.rows(select(Ticket.id)):
        (line,) = [one for one in desk.history(ticket) if one.kind == "terms_applied"]
        assert (line.actor_name, line.data["version"]) == ("Mia", 2)
    before = _numbers(desk)
    desk.act(update(Work).where(Work.kind == "apply_version").values(state="due", key=None))
    desk.work(WEDNESDAY)
    assert _numbers(desk) == before
    with desk.app.app_context():
        assert verify_tenant(desk.tenant_id, now=desk.at(WEDNESDAY)).differences == []


def test_the_portal_goes_on_for_who_left(desk, faster, wednesday, many, sign_in):
    contract, _codes = faster
    sign_in("Mia").post(_path(contract), data={"version": "2"})
    desk.act(update(Work).where(Work.kind == "apply_version").values(arguments=_arguments(desk, by=999_999)))
    desk.work(WEDNESDAY)
    (line,) = [one for one in desk.history(desk.rows(select(Ticket.id))[0]) if one.kind == "terms_applied"]
    assert line.actor_kind == "system"


def _arguments(desk, **changes):
    (version,) = desk.rows(select(ContractVersion.id).where(ContractVersion.number == 2))
    return {"version": version, "done": 0} | changes


def test_the_api_tells_clients_the_number_and_nobody_the_rows(
    desk, faster, wednesday, sign_in, client, token
):
    contract, codes = faster
    sign_in("Mia").post(_path(contract), data={"version": "2"})
    for name in ("Alice", "Leo"):
        asked = {"Authorization": f"Bearer {token(name)}"}
        events = client.get(f"/api/v1/tickets/{codes[0]}/events", headers=asked).json["items"]
        (line,) = [one for one in events if one["kind"] == "terms_applied"]
        assert line["data"] == {"version": 2}
        timers = client.get(f"/api/v1/tickets/{codes[0]}/timers", headers=asked).json["items"]
        assert {one["contract_version"] for one in timers if one["state"] != "not_applicable"} == {2}
