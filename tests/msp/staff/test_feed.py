"""The feed of one's own duty: parsed back with the library; secret, replaceable, ended when somebody leaves."""

import re
from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from msp.staff.feeds import write_roster
from msp.staff.roster_models import Shift
from tests.msp.staff.conftest import MONDAY


def make_link(client):
    answer = client.post("/console/staff/me/link", data={"what": "make"})
    return re.search(r"/console/roster/[\w-]+\.ics", answer.text)[0]


def test_only_one_s_own_shifts_in_their_zone(client, sign_in, shift):
    public_id = shift("Tina", zone="Asia/Makassar", note="Bring the key")
    shift("Leo")
    answer = client.get(make_link(sign_in("Tina")))
    assert answer.content_type == "text/calendar; charset=utf-8"
    (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert str(event["uid"]).startswith(f"shift-{public_id}@")
    assert event["dtstart"].dt.astimezone(UTC) == MONDAY
    assert event["dtstart"].params["TZID"] == "Asia/Makassar"
    assert (str(event["summary"]), str(event["description"])) == ("Shift, L1", "Bring the key")


def test_a_new_link_ends_the_old_one_and_ending_ends_it(client, sign_in):
    tina = sign_in("Tina")
    old, new = make_link(tina), make_link(tina)
    assert (client.get(old).status_code, client.get(new).status_code) == (404, 200)
    tina.post("/console/staff/me/link", data={"what": "end"})
    assert client.get(new).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 200, "%C3%A4"])
def test_a_wrong_link_is_not_found(client, token):
    assert client.get(f"/console/roster/{token}.ics").status_code == 404


def test_who_left_reads_nothing(client, sign_in, superuser):
    link = make_link(sign_in("Tina"))
    superuser.execute("UPDATE staff_members SET state = 'left' WHERE name = 'Tina'")
    assert client.get(link).status_code == 404


def test_an_hour_that_comes_twice_is_written_in_utc(app):
    begin = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    row = Shift(public_id="x", begins_at=begin, ends_at=begin + timedelta(hours=8), time_zone="Europe/Berlin")
    row.kind, row.tier, row.note = "shift", "L1", ""
    with app.test_request_context():
        written = write_roster([row], name="Duty", host="portal.test", at=MONDAY)
    (event,) = icalendar.Calendar.from_ical(written).walk("VEVENT")
    assert event["dtstart"].dt == begin and event["dtend"].dt == begin + timedelta(hours=8)
