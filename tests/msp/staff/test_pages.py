"""Pages of staff: who may see and change what, what they say, and that bad input is named."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from msp.staff.models import Skill, Team
from msp.staff.roster_models import Shift
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets.categories import add_category
from tests import personas
from tests.msp.staff.conftest import member
from tests.tickets import opened

READ = (
    "/console/roster",
    "/console/roster/patterns",
    "/console/roster/notes",
    "/console/staff/skills",
    "/console/staff/teams",
    "/console/staff/me",
)
MANAGE = (
    "/console/roster/shifts/new",
    "/console/roster/patterns/new",
    "/console/roster/absences/new",
    "/console/staff/skills/new",
    "/console/staff/certificates/new",
    "/console/staff/teams/new",
)


@pytest.fixture
def person(app, cast):
    """The public id of one of the staff."""

    def find(name):
        with personas.within(app, cast, "Mia"):
            return str(member(name).public_id)

    return find


@pytest.mark.parametrize("path", READ)
def test_engineers_read_and_clients_do_not(sign_in, path):
    assert sign_in("Tina").get(path).status_code == 200
    assert sign_in("Alice").get(path).status_code == 403


@pytest.mark.parametrize("path", MANAGE)
def test_only_managers_change(sign_in, path):
    assert sign_in("Mia").get(path).status_code == 200
    for name in ("Tina", "Dana"):
        assert sign_in(name).get(path).status_code == 403
        assert sign_in(name).post(path).status_code == 403


def test_a_person_sees_the_own_page_and_managers_all(sign_in, person):
    path = "/console/staff/people/"
    assert sign_in("Tina").get(path + person("Tina")).status_code == 200
    assert sign_in("Tina").get(path + person("Leo")).status_code == 403
    assert sign_in("Mia").get(path + person("Leo")).status_code == 200
    assert sign_in("Mia").get(path + "nobody").status_code == 404


def test_the_certificates_of_all_are_for_who_sees_staff(sign_in):
    assert sign_in("Dana").get("/console/staff/certificates").status_code == 200
    assert sign_in("Tina").get("/console/staff/certificates").status_code == 403


SHIFT = {
    "kind": "shift",
    "tier": "L1",
    "begins_at": "2026-11-03T08:00",
    "ends_at": "2026-11-03T17:00",
    "time_zone": "Asia/Jakarta",
}


def test_a_shift_is_planned_changed_and_taken_out(app, cast, sign_in, person):
    mia, said = sign_in("Mia"), {**SHIFT, "person": person("Tina")}
    answer = mia.post("/console/roster/shifts/new", data=said, follow_redirects=True)
    assert "The shift is planned." in answer.text
    assert "Tina" in answer.text and "<svg" in answer.text
    with personas.within(app, cast, "Mia"):
        row = db.session.scalars(select(Shift)).one()
        assert (row.begins_at.hour, row.ends_at.hour) == (1, 10)
        path = f"/console/roster/shifts/{row.public_id}"
    assert 'value="2026-11-03T08:00"' in mia.get(path).text
    changed = mia.post(path, data={**said, "ends_at": "2026-11-03T12:00"}, follow_redirects=True)
    assert "12:00" in changed.text
    assert "taken out" in mia.post(path + "/remove", follow_redirects=True).text
    with personas.within(app, cast, "Mia"):
        assert db.session.scalars(select(Shift)).all() == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"ends_at": "2026-11-03T07:00"}, "ends_at"),
        ({"time_zone": "Asia/Atlantis"}, "time_zone"),
        ({"person": "00000000-0000-0000-0000-000000000000"}, "person"),
        ({"begins_at": "soon"}, "begins_at"),
        ({"tier": "L3"}, "tier"),
        (
            {"begins_at": "9999-12-31T08:00", "ends_at": "9999-12-31T20:00", "time_zone": "America/New_York"},
            "begins_at",
        ),
        ({"begins_at": "2099-12-31T20:00", "ends_at": "2100-01-01T04:00"}, "ends_at"),
        ({"begins_at": "0001-01-01T00:00", "ends_at": "0001-01-01T08:00"}, "begins_at"),
    ],
)
def test_an_unfit_shift_is_shown_again_with_the_field_named(sign_in, person, wrong, field):
    said = {**SHIFT, "person": person("Tina"), **wrong}
    answer = sign_in("Mia").post("/console/roster/shifts/new", data=said)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-error"', answer.text)


def test_an_overlap_is_told_at_its_field(sign_in, person):
    mia, said = sign_in("Mia"), {**SHIFT, "person": person("Tina")}
    mia.post("/console/roster/shifts/new", data=said)
    answer = mia.post("/console/roster/shifts/new", data=said)
    assert answer.status_code == 422
    assert "This person is on duty at that time already." in answer.text


def test_a_pattern_says_what_was_left_out(sign_in, person):
    said = {
        "person": person("Tina"),
        "kind": "shift",
        "tier": "L1",
        "time_zone": "Asia/Jakarta",
        "weekdays": ["MO", "FR"],
        "every": "1",
        "starts_at": "08:00",
        "ends_at": "17:00",
        "first_on": "2026-12-21",
        "last_on": "2026-12-28",
        "country": "ID",
    }
    mia = sign_in("Mia")
    answer = mia.post("/console/roster/patterns/new", data=said, follow_redirects=True)
    assert "2 shifts are planned. Left out as public holidays: Fri, 25 Dec 2026." in answer.text
    without = {**said, "weekdays": []}
    assert 'id="weekdays-error"' in mia.post("/console/roster/patterns/new", data=without).text
    end = re.search(r"/console/roster/patterns/[\w-]+/end", mia.get("/console/roster/patterns").text)[0]
    assert "2 coming shifts are taken out." in mia.post(end, follow_redirects=True).text


def test_an_absence_tells_of_planned_shifts(sign_in, person, shift):
    shift("Tina")
    said = {"person": person("Tina"), "kind": "leave", "first_on": "2026-11-02", "last_on": "2026-11-02"}
    mia = sign_in("Mia")
    answer = mia.post("/console/roster/absences/new", data=said, follow_redirects=True)
    assert "1 planned shift falls into it" in answer.text
    assert "Nobody is on duty now." in answer.text
    out = re.search(r"/console/roster/absences/[\w-]+/remove", answer.text)[0]
    assert "until Mon 2 Nov 2026 18:00 WIB" in mia.post(out, follow_redirects=True).text


@pytest.mark.parametrize(
    ("first_on", "last_on", "field"),
    [
        ("0001-01-01", "0001-01-01", "first_on"),
        ("9999-12-31", "9999-12-31", "first_on"),
        ("2099-12-31", "2100-01-01", "last_on"),
    ],
)
def test_days_that_the_roster_does_not_show_are_refused(sign_in, person, first_on, last_on, field):
    said = {"person": person("Tina"), "kind": "leave", "first_on": first_on, "last_on": last_on}
    answer = sign_in("Mia").post("/console/roster/absences/new", data=said)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


@pytest.mark.parametrize("week", ["tomorrow", "1999-01-01", "2100-01-01", "2026-13-01"])
def test_a_week_that_is_none_is_refused(sign_in, week):
    assert sign_in("Tina").get(f"/console/roster?week={week}").status_code == 422


def test_the_week_is_the_one_of_the_day(sign_in, shift):
    shift("Tina")
    assert "Tina" in sign_in("Leo").get("/console/roster?week=2026-11-08").text
    assert "Nobody is planned in this week" in sign_in("Leo").get("/console/roster?week=2026-11-09").text


def test_skills_are_named_given_and_retired(app, cast, sign_in, person):
    mia, said = sign_in("Mia"), {"name_en": "Networks", "name_id": "Jaringan", "is_active": "y"}
    mia.post("/console/staff/skills/new", data=said)
    again = mia.post("/console/staff/skills/new", data={**said, "name_id": "Lain"})
    assert again.status_code == 422 and 'id="name_en-error"' in again.text
    with personas.within(app, cast, "Mia"):
        skill = db.session.scalars(select(Skill)).one().public_id
    levels = f"/console/staff/people/{person('Tina')}/skills"
    assert mia.post(levels, data={f"level-{skill}": "9"}).status_code == 422
    assert (
        "The skills are saved." in mia.post(levels, data={f"level-{skill}": "2"}, follow_redirects=True).text
    )
    assert "2: works alone" in sign_in("Tina").get("/console/staff/me").text
    assert "Tina (2)" in sign_in("Leo").get("/console/staff/skills").text
    mia.post(f"/console/staff/skills/{skill}", data={"name_en": "Networks", "name_id": "Jaringan"})
    assert "Networks" not in sign_in("Leo").get("/console/staff/skills").text
    assert "Not in use" in mia.get("/console/staff/skills").text


def test_a_certificate_that_expires_before_it_was_issued(sign_in, person):
    said = {
        "person": person("Tina"),
        "name": "Network basics",
        "issuer": "An institute",
        "issued_on": "2026-01-02",
        "expires_on": "2026-01-01",
    }
    mia = sign_in("Mia")
    answer = mia.post("/console/staff/certificates/new", data=said)
    assert answer.status_code == 422 and 'id="expires_on-error"' in answer.text
    answer = mia.post(
        "/console/staff/certificates/new", data={**said, "expires_on": "2026-11-12"}, follow_redirects=True
    )
    assert "10 days left" in answer.text
    path = re.search(r"/console/staff/certificates/[\w-]{36}", answer.text)[0]
    renewed = mia.post(path, data={**said, "expires_on": "2030-01-01"}, follow_redirects=True)
    assert "days left" not in renewed.text
    assert "is removed" in mia.post(path + "/remove", follow_redirects=True).text


def test_a_team_has_people_and_a_lead(app, cast, sign_in, person):
    mia = sign_in("Mia")
    said = {"name": "Night", "members": [person("Tina")], "lead": person("Leo"), "default_tier": "L1"}
    page = mia.post("/console/staff/teams/new", data=said, follow_redirects=True).text
    assert "Leo, Tina" in page
    assert 'id="name-error"' in mia.post("/console/staff/teams/new", data=said).text
    assert 'id="members-error"' in mia.post("/console/staff/teams/new", data={"name": "Empty"}).text
    with personas.within(app, cast, "Mia"):
        team = db.session.scalars(select(Team)).one().public_id
    path = f"/console/staff/teams/{team}"
    assert "checked" in mia.get(path).text
    assert "Day" in mia.post(path, data={**said, "name": "Day"}, follow_redirects=True).text
    assert "No team yet" in mia.post(path + "/remove", follow_redirects=True).text


def test_categories_ask_for_skills(app, cast, sign_in):
    mia = sign_in("Mia")
    assert "What categories ask for" not in mia.get("/console/staff/skills").text
    with personas.within(app, cast, "Mia") as by:
        top = add_category(name_en="Network", name_id="Jaringan", parent=None, by=by, at=time.now())
        category = add_category(
            name_en="Wi-Fi", name_id="Nirkabel", parent=top, by=by, at=time.now()
        ).public_id
        db.session.commit()
    path = f"/console/staff/categories/{category}/skills"
    listed = mia.get("/console/staff/skills").text
    assert "Network / Wi-Fi" in listed and path in listed
    mia.post("/console/staff/skills/new", data={"name_en": "Radio", "name_id": "Radio"})
    with personas.within(app, cast, "Mia"):
        skill = db.session.scalars(select(Skill)).one().public_id
    assert mia.post(path, data={f"level-{skill}": "2"}).status_code == 302
    assert "selected" in mia.get(path).text
    assert mia.get(path.replace(str(category), str(uuid4()))).status_code == 404


def test_the_best_is_suggested_with_reasons_and_assigned(app, cast, sign_in, shift):
    shift("Tina", -2, 6)
    code = opened(app, cast)
    page = sign_in("Dana").get(f"/desk/tickets/{code}/assign").text
    assert "Assign to the best: Tina" in page
    assert "On duty until 16:00 WIB." in page and "Holds no open ticket." in page
    assert page.index("Assign to the best: Tina") < page.index("No duty is planned.")
    form = re.search(r'name="rev" value="(\d+)"><input type="hidden" name="to" value="([\w-]+)"', page)
    answer = sign_in("Dana").post(
        f"/desk/tickets/{code}/assign", data={"rev": form[1], "to": form[2]}, follow_redirects=True
    )
    assert "The ticket is assigned." in answer.text
    assert "Assign to the best: Tina" not in sign_in("Dana").get(f"/desk/tickets/{code}/assign").text


def test_a_shift_is_handed_over_on_one_page(app, cast, sign_in, shift, person):
    shift("Leo", -2, 6, tier="L2")
    code, tina = opened(app, cast), sign_in("Tina")
    tina.post(f"/desk/tickets/{code}/take")
    page = tina.get("/console/roster/leave").text
    assert code in page and "Leo, on duty now" in page
    assert 'id="body-error"' in tina.post("/console/roster/leave", data={"body": ""}).text
    said = {"body": "Watch the till.\nIt may stop.", f"to-{code}": person("Leo")}
    answer = tina.post("/console/roster/leave", data=said, follow_redirects=True)
    assert "1 ticket is passed on. 0 are back in the queue. 0 stay with you." in answer.text
    leo = sign_in("Leo")
    home = leo.get("/desk/").text
    assert "Watch the till." in home and f"{code}</a>" in home
    read = re.search(r"/console/roster/notes/[\w-]+/read", home)[0]
    assert "From the shift before" not in leo.post(read, follow_redirects=True).text
    assert "Watch the till." in leo.get("/console/roster/notes").text
    assert "From the shift before" not in tina.get("/desk/").text
