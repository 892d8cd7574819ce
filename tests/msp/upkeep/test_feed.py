"""The feed: parsed back with the library; secret, replaceable, and never more than its person may see."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msp.upkeep import services
from msp.upkeep.calendar import Entry
from msp.upkeep.ical import write_calendar
from msp.upkeep.models import CalendarFeed
from msp.upkeep.opening import sweep_due_plans
from msp.upkeep.queries import find_plan, recurring
from msp.windows.rules import Recurring, occurrences
from msp.windows.services import add_freeze, add_provider_freeze
from tenants.foundation import time as clock
from tenants.foundation.db import db
from tests import personas
from tests.msp.upkeep.conftest import MONDAY

BERLIN = "Europe/Berlin"
ZONES = ("Asia/Jakarta", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.fixture(autouse=True)
def monday():
    with clock.frozen(MONDAY):
        yield


def make_link(client, path="/portal/calendar/link"):
    answer = client.post(path, data={"what": "make"})
    assert answer.status_code == 200, answer.text
    return re.search(r"/calendar/[\w-]+\.ics", answer.text)[0]


def events(answer):
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/calendar; charset=utf-8"
    return {str(one["uid"]): one for one in icalendar.Calendar.from_ical(answer.data).walk("VEVENT")}


def summaries(found):
    return sorted(str(one["summary"]) for one in found.values())


def test_a_client_s_feed_is_the_calendar(app, cast, client, sign_in, plan):
    plan()
    plan("globex", title="Secret upkeep")
    with personas.within(app, cast, "Mia") as mia:
        span = {"begins_at": MONDAY + timedelta(days=1), "ends_at": MONDAY + timedelta(days=2)}
        add_freeze(tenant_id=cast.tenants["acme"], name="Books", by=mia, at=MONDAY, **span)
        add_provider_freeze(name="Public holidays", by=mia, at=MONDAY, **span)
        db.session.commit()
    found = events(client.get(make_link(sign_in("Alice"))))
    expected = {"Upkeep: Clean the fans", "Freeze: Books", "Freeze: Public holidays"}
    assert expected <= set(summaries(found))
    assert not [one for one in summaries(found) if "Secret" in one]
    assert "Freeze: Public holidays" in summaries(events(client.get(make_link(sign_in("Mallory")))))
    first = next(one for one in found.values() if "Clean" in one["summary"])
    assert first["dtstart"].dt == datetime(2026, 11, 10, 15, tzinfo=UTC)
    assert first["dtstart"].params["TZID"] == "Asia/Jakarta"


def test_an_id_stays_and_its_number_rises(app, cast, client, sign_in, plan):
    """Also when the plan's day becomes a ticket."""
    _id, public_id = plan()
    link = make_link(sign_in("Alice"))
    before = {uid: int(one["sequence"]) for uid, one in events(client.get(link)).items() if "plan-" in uid}
    assert set(before.values()) == {0}
    with personas.within(app, cast, "Dana") as dana:
        row = find_plan(public_id)
        said = services.Plan(title="Wash the fans", rule=recurring(row), lead_days=3)
        services.change_plan(row, said, by=dana, at=MONDAY)
        db.session.commit()
    with app.app_context(), clock.frozen(datetime(2026, 11, 8, tzinfo=UTC)):
        assert sweep_due_plans() == 1
    after = {uid: int(one["sequence"]) for uid, one in events(client.get(link)).items() if "plan-" in uid}
    assert before.keys() == after.keys()
    assert set(after.values()) == {1}


def test_links_are_kept_hashed_and_one_at_a_time(app, cast, client, sign_in):
    alice = sign_in("Alice")
    first = make_link(alice)
    assert client.get(first).status_code == 200
    second = make_link(alice)
    assert first != second
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    with personas.within(app, cast, "acme"):
        kept = db.session.query(CalendarFeed).all()
    token = second.removeprefix("/calendar/").removesuffix(".ics")
    assert all(token.encode() not in bytes(one.token_hash) for one in kept)
    assert {one.last_used_on for one in kept} == {MONDAY.date()}
    alice.post("/portal/calendar/link", data={"what": "end"})
    assert client.get(second).status_code == 404
    assert second not in alice.get("/portal/calendar").text


def test_wrong_links_are_all_the_same_404(client, sign_in):
    real = make_link(sign_in("Alice"))
    ended = make_link(sign_in("Alice"))
    assert ended != real
    answers = [
        client.get(path) for path in (real, f"{ended[:-6]}xx.ics", "/calendar/x.ics", "/calendar/%C3%A9.ics")
    ]
    assert [one.status_code for one in answers] == [404] * 4


def test_who_guesses_is_stopped(client, monkeypatch):
    from dataclasses import replace

    from msp.upkeep import feeds

    monkeypatch.setattr(feeds, "WRONG", replace(feeds.WRONG, most=3))
    assert [client.get(f"/calendar/guess{n}.ics").status_code for n in range(5)] == [404, 404, 404, 429, 429]


def test_who_reads_too_often_is_stopped(client, sign_in):
    link = make_link(sign_in("Alice"))
    seen = [client.get(link).status_code for _ in range(62)]
    assert seen == [200] * 60 + [429] * 2


def test_a_link_ends_with_the_right_to_read(app, cast, client, sign_in, superuser):
    link = make_link(sign_in("Alice"))
    superuser.execute("UPDATE memberships SET role = 'client_user' WHERE name = 'Alice'")
    assert client.get(link).status_code == 404
    superuser.execute("UPDATE memberships SET role = 'client_admin', state = 'left' WHERE name = 'Alice'")
    assert client.get(link).status_code == 404
    superuser.execute("UPDATE memberships SET state = 'active' WHERE name = 'Alice'")
    assert client.get(link).status_code == 200
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    assert client.get(link).status_code == 404


def test_staff_have_a_link_per_client_and_grant(app, cast, client, sign_in, plan, superuser):
    plan()
    tina = sign_in("Tina")
    link = make_link(tina, "/console/calendar/link/acme")
    assert "Upkeep: Clean the fans" in summaries(events(client.get(link)))
    assert tina.post("/console/calendar/link/globex", data={"what": "make"}).status_code == 404
    superuser.execute("DELETE FROM staff_grants WHERE user_id = %s", (cast.users["Tina"],))
    assert client.get(link).status_code == 404


def test_nobody_ends_or_sees_another_s_link(client, sign_in):
    """Alice and Tina both have one for Acme."""
    alice, tina = make_link(sign_in("Alice")), make_link(sign_in("Tina"), "/console/calendar/link/acme")
    sign_in("Tina").post("/console/calendar/link/acme", data={"what": "end"})
    assert (client.get(alice).status_code, client.get(tina).status_code) == (200, 404)
    assert "You have a link since" not in sign_in("Leo").get("/console/calendar?tenant=acme").text


moments = st.integers(0, 3 * 366 * 1_440).map(lambda n: MONDAY + timedelta(minutes=n))


@settings(max_examples=60)
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 60, BERLIN)
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 60, BERLIN)
@example(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 60, BERLIN)
@given(moments, st.integers(1, 60 * 24 * 9), st.sampled_from(ZONES))
def test_every_moment_is_read_back_as_it_was(begin, minutes, zone):
    """Also inside the hour that comes twice."""
    entry = Entry("k", "upkeep", "Fans", begin, begin + timedelta(minutes=minutes), 1)
    (event,) = icalendar.Calendar.from_ical(
        write_calendar([entry], name="x", time_zone=zone, host="h", at=MONDAY)
    ).walk("VEVENT")
    read = [event[name].dt.astimezone(UTC) for name in ("dtstart", "dtend")]
    assert read == [entry.begins_at, entry.ends_at]
    assert str(event["uid"]) == "k@h"


@pytest.mark.parametrize("first", [date(2026, 3, 27), date(2026, 10, 23)])
def test_a_night_in_which_clocks_change_keeps_its_zone(first):
    """The zone's definition travels with the file, and other programs come to the same moments."""
    rule = Recurring("FREQ=DAILY", first, time(22), 120, BERLIN)
    begin = datetime.combine(first, time(), ZoneInfo(BERLIN))
    spans = list(occurrences(rule, begin, begin + timedelta(days=4)))
    entries = [Entry(f"k{n}", "window", "", *span, 1) for n, span in enumerate(spans)]
    parsed = icalendar.Calendar.from_ical(
        write_calendar(entries, name="x", time_zone=BERLIN, host="h", at=MONDAY)
    )
    assert [str(one["tzid"]) for one in parsed.walk("VTIMEZONE")] == [BERLIN]
    starts = [one["dtstart"].dt for one in parsed.walk("VEVENT")]
    assert [one.astimezone(UTC) for one in starts] == [span[0] for span in spans]
    assert {one.hour for one in starts} == {22}
