"""The calculator's page: the API's answer, each fault beside its field, and nobody else's contract."""

import html
import json
import re

import pytest

from contracts.clock import calculation

CLOCK = {
    "time_zone": "Asia/Jakarta",
    "hours_monday": "08:00-12:00, 13:00-17:00",
    "hours_tuesday": "08:00–17:00",
    "hours_friday": "08:00-17:00",
    "holidays": "2026-11-24",
    "special_days": "2026-11-25 09:00-10:00\n2026-11-26",
    "target_minutes": "240",
    "warn_at_percent": "10, 50",
    "started_at": "2026-11-20 16:30",
    "stopped_at": "",
    "as_of": "2026-11-23 09:00",
    "pause_0_from": "",
    "pause_0_to": "",
    "pause_1_from": "2026-11-23T08:10:00+07:00",
    "pause_1_to": "2026-11-23 08:20",
}


def _post(client, **changes):
    return client.post("/calculator", data=CLOCK | changes)


def _document(page):
    found = re.search(r'<code class="code-block">(.*?)</code>', page.text, re.DOTALL)
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize("name", ["Alice", "Bob", "Tina", "Owen"])
def test_everybody_who_is_signed_in_calculates(sign_in, name):
    client = sign_in(name)
    assert client.get("/calculator").status_code == 200
    page = _post(client)
    assert page.status_code == 200
    assert "1:20:00" in page.text  # 30 minutes on Friday and 50 of Monday's first hour
    assert "2:40:00" in page.text


def test_nobody_else_does(client):
    assert client.get("/calculator").status_code == 302


def test_the_request_for_programs_is_the_page_s_own(sign_in):
    document = _document(_post(sign_in("Bob")))
    assert document["pauses"] == [{"from": "2026-11-23T08:10:00+07:00", "to": "2026-11-23T08:20:00+07:00"}]
    assert document["calendar"]["hours"][0] == {"weekday": "monday", "from": "08:00", "to": "12:00"}
    assert document["calendar"]["special_days"][1] == {"on": "2026-11-26", "hours": []}
    answer = calculation.answer(calculation.parse(document))
    assert (answer["elapsed_seconds"], answer["paused_business_seconds"]) == (80 * 60, 10 * 60)


def test_an_open_pause_has_no_end(sign_in):
    page = _post(sign_in("Bob"), pause_1_to="")
    assert _document(page)["pauses"][0]["to"] is None


def test_the_calendar_that_never_closes(sign_in):
    page = _post(sign_in("Bob"), is_always="y")
    assert _document(page)["calendar"] == "always"


FAULTS = [
    ("target_minutes", "0", "whole number from 1"),
    ("target_minutes", "four", "whole number from 1"),
    ("warn_at_percent", "90, 50", "Percentages must ascend"),
    ("started_at", "yesterday", "date and time with an offset"),
    ("started_at", "2026-11-24 10:00", "before the start"),
    ("stopped_at", "2026-11-19 10:00", "before the start"),
    ("as_of", "", "date and time with an offset"),
    ("time_zone", "Mars/Olympus", "a time zone such as"),
    ("hours_tuesday", "08:00-25:00", "time of day"),
    ("hours_tuesday", "08:00", "time of day"),
    ("hours_monday", "08:00-12:00, 11:00-13:00", "overlaps another"),
    ("holidays", "2026-11-24\n\n25 December", "Line 3: This must be a date"),
    ("special_days", "2026-11-25 09:00-10:00\n2026-11-25", "Line 2: This special day is given twice"),
    ("pause_1_to", "2026-11-23 08:10", "end after it begins"),
    ("pause_0_from", "2026-11-23 08:05", "overlaps another"),
]


@pytest.mark.parametrize(("name", "typed", "said"), FAULTS)
def test_each_fault_stands_beside_its_field_and_what_was_typed_stays(sign_in, name, typed, said):
    also = {"pause_0_to": "2026-11-23 08:15"} if name == "pause_0_from" else {}
    page = _post(sign_in("Bob"), **{name: typed}, **also)
    assert page.status_code == 422
    beside = {
        "started_at": "as_of" if typed.startswith("2026") else "started_at",
        "pause_0_from": "pause_1_from",
    }.get(name, name)
    errors = re.findall(r'id="([a-z_0-9]+)-error">(.*?)</p>', page.text, re.DOTALL)
    assert any(said in html.unescape(words) for field, words in errors if field == beside), errors
    assert name == "time_zone" or html.escape(typed.split("\n")[0]) in page.text
    assert 'id="answer"' not in page.text


def test_more_than_5000_intervals_are_refused_on_as_of(sign_in):
    page = _post(sign_in("Bob"), as_of="2046-11-23 09:00", started_at="1990-01-01 08:00", holidays="")
    assert page.status_code == 422
    assert "5000 intervals" in page.text


def test_a_time_that_the_clocks_skip_is_refused(sign_in):
    page = _post(sign_in("Bob"), time_zone="Europe/Berlin", as_of="2027-03-28 02:30")
    assert page.status_code == 422
    assert "skip this time" in page.text


def test_a_time_that_comes_twice_needs_its_offset(sign_in):
    bob = sign_in("Bob")
    twice = {"time_zone": "Europe/Berlin", "started_at": "2026-10-25 01:00"}
    page = _post(bob, **twice, as_of="2026-10-25 02:30", pause_1_from="", pause_1_to="")
    assert "comes twice" in page.text
    told = _post(bob, **twice, as_of="2026-10-25T02:30:00+01:00", pause_1_from="", pause_1_to="")
    assert told.status_code == 200


def test_more_rows_for_pauses_keep_what_was_typed(sign_in):
    page = _post(sign_in("Bob"), more="1", target_minutes="77")
    assert page.status_code == 200
    assert 'name="pause_5_from"' in page.text
    assert 'value="77"' in page.text
    assert 'id="answer"' not in page.text


def test_a_row_beyond_the_last_is_no_row(sign_in):
    assert _post(sign_in("Bob"), pause_7_from="nonsense").status_code in (200, 422)


def test_totals_add_up_to_the_wall_time(sign_in):
    page = _post(sign_in("Bob"))
    foot = re.search(
        r"From the start to the end.*?<tbody>(.*?)</tbody>.*?<tfoot>(.*?)</tfoot>", page.text, re.DOTALL
    )
    parts = [_seconds(one) for one in re.findall(r"<td>([\d:]+)</td>", foot[1])]
    (whole,) = [_seconds(one) for one in re.findall(r"<td>([\d:]+)</td>", foot[2])]
    assert sum(parts) == whole == 64 * 3600 + 30 * 60


def _seconds(words):
    hours, minutes, seconds = map(int, words.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_staff_begin_with_a_client_s_contract(sign_in):
    page = sign_in("Tina").get("/calculator?client=acme")
    assert page.status_code == 200
    assert 'value="08:00-17:00"' in page.text
    assert sign_in("Tina").get("/calculator?client=globex").status_code == 404


def test_a_client_s_admin_begins_with_the_own_contract_only(sign_in):
    assert sign_in("Alice").get("/calculator?client=acme").status_code == 200
    assert sign_in("Alice").get("/calculator?client=globex").status_code == 404
    assert sign_in("Bob").get("/calculator?client=acme").status_code == 404
