"""The pages: a preview before anything is saved, fields that are named, and who may do what."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from msp.campaigns import services as campaigns
from msp.upkeep.models import MaintenancePlan, PatchPolicy
from msp.windows.models import Freeze, MaintenanceWindow, ProviderFreeze
from msp.windows.services import add_window
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.upkeep.conftest import MONDAY, SECOND_TUESDAY

WINDOW = {
    "name": "Night",
    "repeat": "monthly",
    "nth": "2",
    "weekday": "TU",
    "first_on": "2026-11-01",
    "starts_at": "22:00",
    "minutes": "120",
    "time_zone": "Asia/Jakarta",
}


@pytest.fixture(autouse=True)
def monday():
    with time.frozen(MONDAY):
        yield


def rows(app, cast, model, who="Owen"):
    with personas.within(app, cast, who):
        return db.session.scalars(select(model)).all()


def looked_at(page):
    """The digest that a shown preview carries."""
    return re.search(r'name="looked_at" type="hidden" value="(\w+)"', page.text)[1]


def save_after_preview(client, path, sent):
    """Look at the dates, then save them."""
    shown = client.post(path, data=sent)
    assert shown.status_code == 200, shown.text
    return client.post(path, data={**sent, "looked_at": looked_at(shown), "save": "1"})


def test_a_window_is_saved_after_its_dates_were_seen(app, cast, sign_in):
    mia, path = sign_in("Mia"), "/console/tenants/acme/windows/new"
    shown = mia.post(path, data={**WINDOW, "save": "1"})
    assert shown.status_code == 200
    for day in ("Tue 10 Nov 2026", "Tue 8 Dec 2026", "Tue 12 Jan 2027", "Tue 9 Feb 2027", "Tue 9 Mar 2027"):
        assert f"{day} 22:00 WIB" in shown.text
    assert rows(app, cast, MaintenanceWindow) == []
    other = {**WINDOW, "weekday": "WE", "looked_at": looked_at(shown), "save": "1"}
    assert "Wed 11 Nov 2026" in mia.post(path, data=other).text, "these dates were not seen yet"
    assert rows(app, cast, MaintenanceWindow) == []
    assert save_after_preview(mia, path, WINDOW).status_code == 302
    (window,) = rows(app, cast, MaintenanceWindow)
    assert (window.rule, window.created_by) == ("FREQ=MONTHLY;BYDAY=2TU", "Mia")
    page = mia.get("/console/tenants/acme/windows").text
    assert "on the second Tuesday of the month" in page
    end = f"/console/tenants/acme/windows/{window.public_id}/end"
    assert "It is the only window" in mia.get(end).text or "kept to the other windows" in mia.get(end).text
    assert mia.get(end.replace("acme", "globex")).status_code == 404
    mia.post(end)
    assert rows(app, cast, MaintenanceWindow)[0].ended_at is not None


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"repeat": "weekly"}, "weekdays", "Choose at least one day of the week."),
        ({"repeat": "rule", "rule": ""}, "rule", "Enter a rule"),
        ({"repeat": "rule", "rule": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"}, "rule", "never occurs"),
        ({"repeat": "rule", "rule": "every tuesday"}, "rule", "can be read"),
        ({"repeat": "rule", "rule": "FREQ=HOURLY"}, "rule", "daily, weekly or monthly"),
        ({"starts_at": "25:99"}, "starts_at", ""),
        ({"minutes": "0"}, "minutes", "from 1 to 10080"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", ""),
    ],
)
def test_what_is_unfit_is_said_beside_its_field(sign_in, typed, field, words):
    answer = sign_in("Mia").post("/console/tenants/acme/windows/new", data={**WINDOW, **typed})
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">.*?</p>', answer.text, re.DOTALL)
    assert error is not None, answer.text
    assert words in error[0]


def test_only_managers_agree_on_windows_and_tina_sees_hers(sign_in):
    tina = sign_in("Tina")
    assert tina.get("/console/tenants/acme/windows").status_code == 200
    assert tina.get("/console/tenants/globex/windows").status_code == 404
    for path in (
        "/console/tenants/acme/windows/new",
        "/console/tenants/acme/freezes/new",
        "/console/freezes/new",
    ):
        assert tina.post(path, data=WINDOW).status_code == 403


FREEZE = {"name": "Closing of the books", "begins_at": "2026-11-20T18:00", "ends_at": "2026-11-23T06:00"}


def test_freezes_of_one_client_and_of_all(app, cast, sign_in):
    mia = sign_in("Mia")
    assert mia.post("/console/tenants/acme/freezes/new", data=FREEZE).status_code == 302
    (freeze,) = rows(app, cast, Freeze)
    assert freeze.begins_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    wrong = mia.post("/console/tenants/acme/freezes/new", data={**FREEZE, "ends_at": "2026-11-19T06:00"})
    assert (wrong.status_code, "It ends after it begins." in wrong.text) == (422, True)
    lift = f"/console/tenants/acme/freezes/{freeze.public_id}/lift"
    assert "Lift this freeze" in mia.get(lift).text
    mia.post(lift)
    assert rows(app, cast, Freeze)[0].lifted_at is not None
    assert mia.post("/console/freezes/new", data=FREEZE).status_code == 302
    (everywhere,) = rows(app, cast, ProviderFreeze)
    assert "Closing of the books" in mia.get("/console/freezes").text
    assert "Closing of the books" in mia.get("/console/tenants/globex/windows").text
    mia.post(f"/console/freezes/{everywhere.public_id}/lift", follow_redirects=True)
    assert "Closing of the books" not in mia.get("/console/freezes").text


def test_a_client_s_own_freeze_holds_at_once(app, cast, sign_in):
    agents = [
        one
        for slug in ("acme", "globex")
        for one in fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-1"])
    ]
    assert len(agents) == 2
    rollout = fleet.draft(app, cast, slugs=("acme", "globex"))
    rollout.act("Leo", campaigns.submit_campaign, at=MONDAY)
    rollout.act("Nadia", campaigns.approve_campaign, seen=rollout.plan_sha256, at=MONDAY)
    rollout.let_in()
    rollout.act("Nadia", campaigns.start_campaign, at=MONDAY)
    rollout.tick(at=MONDAY)
    alice = sign_in("Alice")
    sent = {"name": "Stocktaking", "begins_at": "2026-11-02T10:00", "ends_at": "2026-11-04T10:00"}
    assert alice.post("/portal/windows/freeze", data=sent).status_code == 302
    frozen = (datetime(2026, 11, 2, 3, tzinfo=UTC), datetime(2026, 11, 4, 3, tzinfo=UTC))
    for lane in rollout.lanes():
        spans = [tuple(map(datetime.fromisoformat, span)) for span in lane.room]
        meets = any(begin < frozen[1] and end > frozen[0] for begin, end in spans)
        assert meets == (lane.tenant_id != cast.tenants["acme"]), lane.tenant_id
    page = alice.get("/portal/windows").text
    assert "Stocktaking" in page
    assert "Lift …" not in page
    assert sign_in("Bob").post("/portal/windows/freeze", data=sent).status_code == 403


PLAN = {
    **{name: value for name, value in WINDOW.items() if name != "name"},
    "title": "Clean the fans",
    "checklist": "Fans\n\nFilters",
    "becomes": "request",
    "lead_days": "3",
    "who": "L2",
    "site": "",
}


def test_a_plan_from_the_form_to_its_end(app, cast, sign_in):
    dana = sign_in("Dana")
    answer = save_after_preview(dana, "/console/tenants/acme/upkeep/new", PLAN)
    assert answer.status_code == 302, answer.text
    page = answer.headers["Location"]
    (plan,) = rows(app, cast, MaintenancePlan)
    assert (plan.checklist, plan.tier, plan.look_at) == (
        ["Fans", "Filters"],
        "L2",
        datetime(2026, 11, 7, 15, tzinfo=UTC),
    )
    assert "Tue 10 Nov 2026 22:00 WIB" in dana.get(page).text
    edited = save_after_preview(dana, f"{page}/edit", {**PLAN, "title": "Wash the fans", "weekday": "WE"})
    assert edited.status_code == 302
    assert "Wash the fans" in dana.get("/console/upkeep").text
    dana.post(f"{page}/pause")
    assert "Nothing comes of it until it is resumed." in dana.get(page).text
    dana.post(f"{page}/resume")
    assert "never comes back" in dana.get(f"{page}/end").text
    dana.post(f"{page}/end")
    assert "It has ended." in dana.get(page).text
    assert dana.post(f"{page}/resume").status_code == 409


def test_a_visit_needs_a_site_and_says_so(sign_in):
    dana, path = sign_in("Dana"), "/console/tenants/acme/upkeep/new"
    refused = save_after_preview(dana, path, {**PLAN, "becomes": "visit"})
    assert refused.status_code == 422
    assert re.search(r'id="site-error">.*?Choose the site of the visit', refused.text, re.DOTALL)


def test_who_may_see_and_change_plans(app, cast, sign_in, plan):
    _id, mine = plan()
    _id, foreign = plan("globex")
    tina = sign_in("Tina")
    assert tina.get(f"/console/upkeep/{mine}").status_code == 200
    assert tina.get(f"/console/upkeep/{foreign}").status_code == 404
    assert tina.post(f"/console/upkeep/{mine}/pause").status_code == 403
    alice = sign_in("Alice")
    assert "Clean the fans" in alice.get("/portal/upkeep").text
    assert "Filters" in alice.get(f"/portal/upkeep/{mine}").text
    assert alice.get(f"/portal/upkeep/{foreign}").status_code == 404
    assert sign_in("Bob").get("/portal/upkeep").status_code == 403


def test_a_policy_from_the_form_to_its_pause(app, cast, sign_in):
    leo = sign_in("Leo")
    sent = {**{name: value for name, value in WINDOW.items() if name != "minutes"}, "name": "Grave ones"}
    sent |= {
        "tenants": ["acme", "globex"],
        "kind": "server",
        "severity": "high",
        "least_age_days": "7",
        "tag": "Till",
    }
    answer = save_after_preview(leo, "/console/policies/new", sent)
    assert answer.status_code == 302, answer.text
    (policy,) = rows(app, cast, PatchPolicy)
    assert (policy.tag, policy.asset_kind, len(policy.tenant_ids)) == ("till", "server", 2)
    page = leo.get(answer.headers["Location"])
    assert "Acme, Globex" in page.text
    tina = sign_in("Tina").get(answer.headers["Location"]).text
    assert "Globex" not in tina
    assert "1 more client" in tina
    leo.post(f"{answer.headers['Location']}/pause")
    assert rows(app, cast, PatchPolicy)[0].look_at is None
    nobody = save_after_preview(leo, "/console/policies/new", {**sent, "tenants": []})
    assert re.search(r'id="tenants-error">.*?at least one client', nobody.text, re.DOTALL)


def test_the_calendar_of_staff_and_of_a_client(app, cast, sign_in, plan):
    plan()
    plan("globex", title="Secret upkeep")
    with personas.within(app, cast, "Mia") as mia:
        add_window(
            tenant_id=cast.tenants["acme"],
            name="Night",
            rule=SECOND_TUESDAY.rule,
            first_on=SECOND_TUESDAY.first_on,
            starts_at=SECOND_TUESDAY.starts_at,
            minutes=120,
            time_zone="Asia/Jakarta",
            by=mia,
            at=MONDAY,
        )
        db.session.commit()
    leo = sign_in("Leo")
    every = leo.get("/console/calendar?month=2026-11").text
    assert "Clean the fans" in every
    assert "Secret upkeep" in every
    assert "Night" not in every, "windows are shown once a client is chosen"
    acme = leo.get("/console/calendar?month=2026-11&tenant=acme").text
    assert "Night" in acme
    assert "Secret upkeep" not in acme
    alice = sign_in("Alice").get("/portal/calendar?month=2026-11").text
    assert "Clean the fans" in alice
    assert "Night" in alice
    assert "Secret upkeep" not in alice
    tina = sign_in("Tina").get("/console/calendar?month=2026-11").text
    assert "Secret upkeep" not in tina
    assert sign_in("Tina").get("/console/calendar?tenant=globex").status_code == 404


def test_the_calendar_asks_the_same_number_of_times_for_any_number_of_plans(app, cast, plan):
    from sqlalchemy import event

    from msp.upkeep.calendar import list_entries

    def count():
        asked = []
        with personas.within(app, cast, "Leo") as leo:
            engine = db.engine

            def note(*_arguments):
                asked.append(1)

            event.listen(engine, "before_cursor_execute", note)
            try:
                list_entries(leo.tenants, MONDAY, MONDAY + timedelta(days=30), by=leo, at=MONDAY)
            finally:
                event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    few = count()
    for slug in ("acme", "globex", "provider"):
        plan(slug)
        plan(slug, title="Another")
    assert count() == few
