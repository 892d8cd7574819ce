"""Planned maintenance on pages: entered by those who may, cancelled before it begins, seen by the client."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from contracts.timers.models import MaintenanceAsset, MaintenanceInterval
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tenancy.models import Site

NOW = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
PLACE = "/console/tenants/acme/maintenance"
DATA = {
    "title": "New switches",
    "from_at": "2026-11-18T20:00",
    "to_at": "2026-11-18T22:30",
    "reach": "tenant",
}


@pytest.fixture
def ask(sign_in):
    """A request by somebody, at an hour after NOW."""

    def send(who, method, path, hours=0.0, **data):
        with time.frozen(NOW + timedelta(hours=hours)):
            client = sign_in(who)
            return client.post(path, data=data) if method == "post" else client.get(path)

    return send


def rows(within, model=MaintenanceInterval):
    with within("acme"):
        return list(db.session.scalars(select(model)))


def test_planned_in_the_clients_zone_and_shown_to_the_client(ask, within):
    assert ask("Mia", "post", f"{PLACE}/new", **DATA).status_code == 302
    (made,) = rows(within)
    assert made.from_at == datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
    assert (made.reach, made.source, made.recorded_by) == ("tenant", "staff", "Mia")
    for hours in (0, 37, 60):
        assert "New switches" in ask("Alice", "get", "/portal/maintenance", hours).text
        assert "New switches" in ask("Tina", "get", PLACE, hours).text
    assert "New switches" not in ask("Mallory", "get", "/portal/maintenance").text


def test_a_site_and_chosen_assets(ask, within):
    with within("acme"):
        site = db.session.scalars(select(Site)).one()
    ask("Mia", "post", f"{PLACE}/new", **DATA | {"reach": str(site.public_id)})
    named = {"reach": "assets", "assets": "acme-pc-1\r\n\r\nacme-pc-1"}
    ask("Mia", "post", f"{PLACE}/new", **DATA | named)
    by_site, by_asset = rows(within)
    assert (by_site.reach, by_site.site_id, by_asset.reach) == ("site", site.id, "assets")
    assert len(rows(within, MaintenanceAsset)) == 2
    assert "acme-pc-1" in ask("Alice", "get", "/portal/maintenance").text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"title": ""}, "one line of at most 120"),
        ({"from_at": "2026-11-17T08:59"}, "before it begins"),
        ({"to_at": "2026-11-18T20:00"}, "after the begin"),
        ({"from_at": ""}, "Choose a day and a time"),
        ({"from_at": "0001-01-01T00:00"}, "of this century"),
        ({"from_at": "yesterday"}, "Not a valid datetime"),
        ({"reach": "elsewhere"}, "Not a valid choice"),
        ({"reach": "assets", "assets": ""}, "at least one asset"),
        ({"reach": "assets", "assets": "globex-pc-1"}, "no asset of this name: globex-pc-1"),
    ],
)
def test_mistakes_are_named_and_plan_nothing(ask, within, data, says):
    answer = ask("Mia", "post", f"{PLACE}/new", **DATA | data)
    assert answer.status_code == 422
    assert says in answer.text
    assert rows(within) == []


def test_cancelled_before_it_begins_and_never_after(ask, within):
    for _each in "ab":
        ask("Mia", "post", f"{PLACE}/new", **DATA)
    first, second = rows(within)
    assert "Cancel" in ask("Mia", "get", PLACE).text
    ask("Mia", "post", f"{PLACE}/{first.public_id}/cancel")
    ask("Mia", "post", f"{PLACE}/{second.public_id}/cancel", hours=35)
    assert [one.cancelled_at is not None for one in rows(within)] == [True, False]
    assert f"{second.public_id}/cancel" not in ask("Mia", "get", PLACE, hours=35).text


@pytest.mark.parametrize("who", ["Tina", "Leo", "Dana", "Alice", "Bob", "Mallory"])
def test_only_those_with_the_right_plan_it(ask, within, who):
    ask("Mia", "post", f"{PLACE}/new", **DATA)
    (made,) = rows(within)
    for method, path in (
        ("get", f"{PLACE}/new"),
        ("post", f"{PLACE}/new"),
        ("post", f"{PLACE}/{made.public_id}/cancel"),
    ):
        assert ask(who, method, path, **DATA).status_code in (403, 404)
    assert [one.cancelled_at for one in rows(within)] == [None]


def test_another_clients_maintenance_is_not_found_under_this_one(ask, within):
    ask("Mia", "post", f"{PLACE}/new", **DATA)
    (made,) = rows(within)
    answer = ask("Mia", "post", f"/console/tenants/globex/maintenance/{made.public_id}/cancel")
    assert answer.status_code == 404
