"""Contract pages: staff write terms, clients read them, foreign ones are unknown."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from contracts.terms.document import read_promise
from contracts.terms.models import Contract, ContractVersion
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db

NEW = {
    "in_force_on": "2027-01-04",
    "note": "Faster replies.",
    "P1_response": "15",
    "P1_update": "60",
    "P1_resolution": "120",
    "P1_always": "y",
    "P2_response": "60",
    "P2_resolution": "480",
    "P3_response": "240",
    "P3_resolution": "1440",
    "P4_response": "480",
    "P4_resolution": "",
    "update_start": "staff_reply",
    "warning_0_percent": "90",
    "warning_0_assignee": "y",
    "warning_0_hand_to": "L2",
    "warning_2_percent": "50",
    "miss_lead": "y",
    "miss_admins": "y",
    "miss_hand_to": "L3",
    "hours_monday": "08:00-12:00, 13:00-17:00",
    "hours_friday": "22:00-06:00",
    "window_sunday": "22:00-04:00",
    "special_days": "2026-12-24 08:00-12:00",
    "maintenance": "excluded",
    "country": "ID",
    "holiday_days": ["2027-03-10", "2027-03-11"],
    "holidays": "2027-03-12 Company outing",
    "freeze_1_name": "Year end",
    "freeze_1_from": "2027-12-20",
    "freeze_1_to": "2028-01-03",
    "pause_resolution_requester": "y",
    "pause_update_vendor": "y",
    "reopen": "continue",
    "change": "from_creation",
    "credit_0_clock": "resolution",
    "credit_0_below": "95",
    "credit_0_credit": "5",
    "credit_1_clock": "resolution",
    "credit_1_below": "90",
    "credit_1_credit": "10",
    "cap_percent": "20",
    "auto_close_days": "",
    "reopen_days": "30",
    "statement_day": "5",
    "included_hours": "20",
    "patch_promise_days": "14",
}


@pytest.fixture
def acme_contract(within):
    with within("acme"):
        return str(db.session.scalars(select(Contract.public_id)).one())


def _address(contract):
    return f"/console/contracts/{contract}/versions/new"


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
    address = _address(acme_contract)
    assert "08:00-17:00" in manager.get(address).text
    assert manager.post(address, data=NEW).status_code == 302
    _first, second = _versions(within)
    assert second.terms["service_levels"]["P1"] == {
        "response_minutes": 15,
        "update_minutes": 60,
        "resolution_minutes": 120,
        "always": True,
    }
    assert second.terms["service_levels"]["P4"]["resolution_minutes"] is None
    assert {"weekday": "friday", "from": "22:00", "to": "06:00"} in second.terms["calendar"]["hours"]
    assert second.terms["warn_at_percent"] == [50, 90]
    assert second.terms["pause_reasons"] == {
        "response": [],
        "update": ["vendor"],
        "resolution": ["requester"],
    }
    assert second.terms["calendar"]["holidays"] == ["2027-03-10", "2027-03-11", "2027-03-12"]
    assert second.terms["calendar"]["special_days"][0]["on"] == "2026-12-24"
    assert second.terms["holiday_names"] == {"2027-03-12": "Company outing"}


def test_a_manager_adds_what_is_promised_beside_the_clocks(sign_in, acme_contract, within):
    assert sign_in("Mia").post(_address(acme_contract), data=NEW).status_code == 302
    promise = read_promise(_versions(within)[1].terms)
    assert [(one.at_percent, one.notify, one.hand_to) for one in promise.actions] == [
        (50, (), None),
        (90, ("assignee",), "L2"),
        (100, ("lead", "admins"), "L3"),
    ]
    assert [(step.below_percent, step.credit_percent) for step in promise.credits.table] == [
        (95, 5),
        (90, 10),
    ]
    assert promise.credits.cap_percent == 20
    assert (promise.auto_close_days, promise.reopen_days, promise.statement_day) == (None, 30, 5)
    assert (promise.included_hours, promise.patch_promise_days, promise.maintenance) == (20, 14, "excluded")
    assert [window.weekday for window in promise.windows] == [6]
    assert [freeze.name for freeze in promise.freezes] == ["Year end"]


def test_the_form_shows_the_terms_that_it_wrote(sign_in, acme_contract, within):
    manager, address = sign_in("Mia"), _address(acme_contract)
    manager.post(address, data=NEW)
    page = manager.get(address).text
    again = {name: value for name, value in _fields(page).items() if name != "csrf_token"}
    assert manager.post(address, data=again | {"in_force_on": "2027-02-01"}).status_code == 302
    _first, second, third = _versions(within)
    assert third.terms == second.terms


def _fields(page):
    """What a browser would send of the form: typed, ticked, chosen."""
    form = page[page.index("data-guard") : page.index("</form>", page.index("data-guard"))]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is None or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        found.setdefault(name[1], []).append(value[1] if value else "")
    for name, body in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = body.strip()
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', body)
        found[name] = chosen[1] if chosen else ""
    return found


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("in_force_on", "2020-01-01", "after the latest"),
        ("in_force_on", "2026-01-01", "after the latest"),
        ("in_force_on", "2026-01-02", "Terms in force are not changed"),
        ("in_force_on", "soon", "Enter a date|Not a valid date"),
        ("hours_monday", "eight to five", "Write hours as"),
        ("hours_monday", "08:00-12:00, 11:00-13:00", "overlaps"),
        ("hours_friday", "22:00-06:00, 23:00-23:30", "overlaps"),
        ("hours_monday", "29:00-30:00", "time of day"),
        ("hours_monday", "08:00-08:00", "end at another time"),
        ("window_sunday", "22:00-04:00, 23:00-23:30", "overlaps"),
        ("window_monday", "late", "Write hours as"),
        ("special_days", "2026-12-24 noon", "write a day and its hours"),
        ("special_days", "2026-12-24\n2026-12-24", "given twice"),
        ("special_days", "2026-12-24 08:00-12:00, 11:00-13:00", "overlaps"),
        ("holidays", "soon", "must be a date"),
        ("holidays", "2027-02-30", "must be a date"),
        ("warning_0_percent", "half", "Not a valid integer"),
        ("warning_0_percent", "101", "1 to 99"),
        ("warning_2_percent", "90", "given twice"),
        ("P1_response", "0", "at least 1"),
        ("P1_update", "-5", "at least 1"),
        ("credit_0_below", "101", "1 to 100"),
        ("credit_0_below", "", "leave the whole line empty"),
        ("credit_1_below", "95", "given twice"),
        ("credit_1_credit", "4", "must not give a smaller credit"),
        ("cap_percent", "120", "1 to 100"),
        ("cap_percent", "", "leave the whole line empty"),
        ("auto_close_days", "91", "1 to 90"),
        ("reopen_days", "0", "1 to 90"),
        ("statement_day", "29", "1 to 28"),
        ("statement_day", "", "1 to 28"),
        ("included_hours", "10001", "0 to 10000"),
        ("patch_promise_days", "366", "1 to 365"),
        ("freeze_1_to", "2027-12-01", "must not end before it begins"),
        ("freeze_1_name", "", "leave the whole line empty"),
        ("freeze_1_name", "Year\x00end", "plain text"),
        ("freeze_1_from", "0001-01-01", "1970 to 2100"),
        ("in_force_on", "9999-12-31", "1970 to 2100"),
        ("week_on", "9999-12-31", "1970 to 2100"),
        ("maintenance", "hidden", "Not a valid choice"),
        ("reopen", "perhaps", "Not a valid choice"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(sign_in, acme_contract, within, field, value, says):
    entries = _audited(within)
    page = sign_in("Mia").post(_address(acme_contract), data={**NEW, field: value})
    assert page.status_code == 422
    assert re.search(rf'href="#{field}"[^<]*<[^<]*(?:{says})', page.text), page.text
    assert "Faster replies." in page.text
    if field not in ("maintenance", "reopen") and "\x00" not in value:
        assert all(line in page.text for line in value.splitlines())
    assert len(_versions(within)) == 1
    assert _audited(within) == entries


def _audited(within):
    with within("acme"):
        return db.session.scalar(select(func.count()).where(AuditEntry.action.like("contract.%")))


def test_a_preview_shows_what_changes_and_saves_nothing(sign_in, acme_contract, within):
    entries = _audited(within)
    page = sign_in("Mia").post(_address(acme_contract), data=NEW | {"step": "preview"})
    assert page.status_code == 200
    shown = page.text[page.text.index('id="preview"') :]
    assert "Nothing is saved yet" in shown
    for words in (
        "P1: First reply within",
        "30 min",
        "15 min",
        "Maintenance window on Sunday",
        "22:00–04:00",
        "Holidays of 2027 that differ",
        "3 days: 10 Mar Eid al-Fitr (estimated); 11 Mar Eid al-Fitr Second Day (estimated); 12 Mar Company outing",
        "Credit when less than 95\u202f% of solutions were in time",
        "Nothing is changed: Year end",
        "Week from Mon, 4 Jan 2027 to Sun, 10 Jan 2027",
    ):
        assert words in shown, words
    assert "Faster replies." in page.text
    assert len(_versions(within)) == 1
    assert _audited(within) == entries


def test_the_picture_shows_the_week_that_was_asked_for(sign_in, acme_contract):
    asked = NEW | {"step": "preview", "week_on": "2027-03-12"}
    page = sign_in("Mia").post(_address(acme_contract), data=asked).text
    picture = page[page.index('<svg class="drawing week"') :]
    picture = picture[: picture.index("</svg>")]
    assert "Week from Mon, 8 Mar 2027" in picture
    assert "Eid al-Fitr (estimated)" in picture
    assert "Company outing" in picture
    assert "Business hours: 08:00–12:00" in picture
    assert "Maintenance window: 22:00–24:00" in picture


def test_terms_that_change_nothing_say_so(sign_in, acme_contract):
    manager, address = sign_in("Mia"), _address(acme_contract)
    as_they_are = _fields(manager.get(address).text) | {"in_force_on": "2027-01-04", "step": "preview"}
    assert "Nothing: both versions say the same." in manager.post(address, data=as_they_are).text


def test_a_year_s_holidays_are_accepted_at_once(sign_in, acme_contract):
    asked = NEW | {"step": "preview", "accept_years": "2027", "holiday_days": []}
    page = sign_in("Mia").post(_address(acme_contract), data=asked).text
    assert re.search(r'value="2027-08-17"[^>]* checked', page)
    assert not re.search(r'value="2027-03-15"[^>]* checked', page), "joint leave is offered, not accepted"
    assert "2027-03-12 Company outing" in page


def test_another_country_s_holidays_are_offered(sign_in, acme_contract):
    asked = NEW | {"step": "preview", "country": "SG", "holiday_days": [], "in_force_on": "2027-01-04"}
    page = sign_in("Mia").post(_address(acme_contract), data=asked).text
    assert 'value="2027-08-09"' in page
    assert "National Day" in page


def test_holidays_are_named_in_the_reader_s_language(sign_in, acme_contract):
    manager = sign_in("Mia")
    manager.post("/language", data={"language": "id"})
    page = manager.get(_address(acme_contract)).text
    assert "Hari kedua dari Hari Raya Idul Fitri" in page


def test_a_new_contract_with_holidays_suggested(sign_in, within):
    manager = sign_in("Mia")
    page = manager.get("/console/tenants/provider/contract/new")
    assert re.search(r'value="\d{4}-12-25"[^>]* checked', page.text)
    assert manager.post(OWN, data=CONTRACT | {"step": "preview"}).status_code == 200
    with within("provider"):
        assert db.session.scalars(select(Contract.name)).all() == []
    assert manager.post(OWN, data=CONTRACT).status_code == 302
    with within("provider"):
        assert db.session.scalars(select(Contract.name)).all() == ["Own services"]


OWN = "/console/tenants/provider/contract/new"
CONTRACT = {
    **NEW,
    "name": "Own services",
    "time_zone": "Asia/Jakarta",
    "ends_on": "",
    "currency": "IDR",
    "monthly_fee": "100",
}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ends_on", "2027-01-03", "cannot end before it begins"),
        ("in_force_on", "0001-01-01", "1970 to 2100"),
        ("name", "Own\x00services", "plain text"),
        ("holidays", "2027-03-12 Out\x00ing", "plain text"),
        ("time_zone", "Asia/Atlantis", "Not a valid choice"),
        ("name", "", "Enter a name"),
        ("monthly_fee", "-1", "0 to 1"),
        ("currency", "rupiah", "Three letters"),
        ("currency", "idr", "three capital letters"),
        ("hours_monday", "08:00-12:00, 11:00-13:00", "overlaps"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "save"])
def test_an_impossible_contract_is_refused_whole(sign_in, within, field, value, says, step):
    page = sign_in("Mia").post(OWN, data=CONTRACT | {field: value, "step": step})
    assert page.status_code == 422
    assert re.search(rf'href="#{field}"[^<]*<[^<]*(?:{says})', page.text)
    assert "2027-12-20" in page.text
    assert 'id="preview"' not in page.text
    with within("provider"):
        assert db.session.scalars(select(Contract)).all() == []
        assert db.session.scalars(select(ContractVersion)).all() == []


def test_engineers_may_not_write_terms(sign_in, acme_contract):
    tina = sign_in("Tina")
    assert tina.post(_address(acme_contract), data=NEW).status_code == 403
    assert tina.get("/console/tenants/globex/contract").status_code == 404


@pytest.mark.parametrize(
    ("name", "path"), [("Tina", "/console/tenants/acme/contract"), ("Alice", "/portal/contract")]
)
def test_every_version_is_read_beside_the_one_before(sign_in, acme_contract, name, path):
    sign_in("Mia").post(_address(acme_contract), data=NEW)
    page = sign_in(name).get(path).text
    assert page.count("What changed against version") == 1
    for words in (
        "Version 1, in force from",
        "Version 2, in force from Monday, 4 January 2027",
        "Faster replies.",
        "Company outing",
        "Year end",
        "5\u202f% of the monthly fee",
        "for 30 days",
        "never by themselves",
        "on day 5 of the month after",
        "20 h",
        "14 days",
        "left out of the figures",
        "22:00–04:00",
        "drawing week",
    ):
        assert words in page, words


@pytest.mark.parametrize("path", ["/portal/contract", "/console/attainment"])
def test_any_older_month_is_reached(sign_in, path):
    page = sign_in("Alice" if path.startswith("/portal") else "Leo")
    shown = page.get(f"{path}?month=2016-03").text
    assert f'href="{path}?month=2016-02"' in shown
    assert f'href="{path}?month=2016-04"' in shown
    assert 'type="month"' in shown
    assert 'value="2016-03"' in shown
    with time.frozen(datetime(2026, 11, 20, 3, 0, tzinfo=UTC)):
        now = page.get(path).text
    assert f'href="{path}?month=2026-10"' in now
    assert "month=2026-12" not in now


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
