"""A release on its way to real agents of several clients: the second wave fails, and the campaign stops by itself."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from msp.agents import enrolment
from tenants.assets.models import Asset
from tenants.assets.queries import AssetFilter, list_assets
from tenants.assets.rules import Entered
from tenants.assets.services import add_asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tests import personas
from tests.journeys.machines import Machine, cycle

WELCOME = b"Welcome. This machine is looked after by Nusantara Managed Services.\n"
MACHINES = {
    "provider": ["nms-pc-1"],
    "acme": ["acme-pc-1", "acme-pc-2"],
    "globex": ["globex-pc-1", "globex-pc-2"],
}


@pytest.fixture
def fleet(portal, tmp_path):
    """Five enrolled machines of three companies that have told what they are; found by name."""
    portal.set_clock(datetime.now(UTC) - timedelta(hours=2))
    found = {}
    with portal.app.app_context(), portal.clock():
        cast = personas.load()
        nadia = personas.actor(portal.app, cast, "Nadia")
        with enter(nadia.scope()):
            for slug, names in MACHINES.items():
                for name in names:
                    asset = _asset(cast.tenants[slug], name, nadia)
                    token = enrolment.issue_token(asset, by=nadia, at=time.now())
                    config = {
                        "url": f"{portal.url}/ddi",
                        "tenant": slug,
                        "controller_id": asset.controller_id,
                        "enrolment_token": token,
                    }
                    found[name] = Machine(asset, tmp_path / name, config)
            db.session.commit()
    cycle(found.values())
    portal.work()
    return found


def _asset(tenant_id: int, name: str, by) -> Asset:
    known = list_assets(AssetFilter(tenant_id=tenant_id, q=name), at=time.now(), after=None, limit=5)
    return known[0] if known else add_asset(tenant_id, Entered(name=name), by=by, at=time.now())


def go_on(portal, machines=()):
    """Half a minute later: machines call, the campaign is looked at."""
    portal.later(seconds=30)
    portal.work()
    cycle(machines)
    portal.later(seconds=30)
    portal.work()


def draft(leo):
    leo.go("/console/campaigns/")
    leo.picture("no-campaigns")
    leo.follow("New campaign")
    leo.fill("Title", "Welcome text of November")
    leo.fill("Name of the new release", "motd")
    leo.fill("Version", "2026.11")
    leo.fill("Where to put it", "etc/motd")
    file = {"name": "motd", "mimeType": "text/plain", "buffer": WELCOME}
    leo.page.locator("input[type=file]").set_input_files([file])
    leo.picture("new-campaign")
    leo.press("Go on to the assets")
    for client in ("Acme", "Globex", "Nusantara Managed Services"):
        leo.page.get_by_role("checkbox", name=client).check()
    leo.press("Add assets")
    assert "5 assets added." in leo.text
    leo.fill("Waves, in percent of all assets", "20, 60, 100")
    leo.fill("Wait after the last success", "0")
    leo.press("Set the waves")
    leo.picture("draft")


def submit_and_approve(leo, nadia, path):
    """The author cannot approve; another person can."""
    leo.follow("Submit…")
    leo.picture("submit")
    leo.press("Submit for 3 clients, 5 assets")
    assert "Another person has to approve it." in leo.text
    assert not leo.page.get_by_role("link", name="Approve…").count()
    assert leo.go(f"{path}/approve").status in (403, 409)
    leo.picture("may-not-approve")
    nadia.go(path)
    nadia.follow("Approve…")
    nadia.picture("approve")
    nadia.press("Approve for 3 clients, 5 assets")
    nadia.follow("Start…")
    nadia.picture("start")
    nadia.press("Start for 3 clients, 5 assets")


def machines_of_wave(nadia, path, wave):
    """Names of the machines that the page lists in this wave."""
    nadia.go(f"{path}/actions")
    rows = nadia.page.locator("table tbody tr")
    cells = [rows.nth(place).locator("th, td").all_inner_texts() for place in range(rows.count())]
    return [row[0].strip() for row in cells if row[2].strip() == str(wave)]


def test_a_campaign_stops_at_a_wave_that_fails(portal, fleet, visit):
    leo, nadia = visit("Leo").sign_in(), visit("Nadia").sign_in()
    draft(leo)
    path = leo.path.partition("#")[0]
    submit_and_approve(leo, nadia, path)

    go_on(portal)
    (first,) = machines_of_wave(nadia, path, 1)
    assert first == "nms-pc-1", "the provider's own machines come first"
    second, third = (machines_of_wave(nadia, path, wave) for wave in (2, 3))
    broken, sound = second
    go_on(portal, fleet.values())
    assert fleet[first].installed("etc/motd") == WELCOME
    assert all(fleet[name].installed("etc/motd") is None for name in (*second, *third))
    nadia.go(path)
    assert "1 of 1 done" in nadia.part("Waves and clients")
    nadia.picture("wave-1-passed")

    fleet[broken].break_disk()
    go_on(portal, [fleet[name] for name in second])
    assert fleet[sound].installed("etc/motd") == WELCOME
    assert fleet[broken].installed("etc/motd") is None
    nadia.go(path)
    board = nadia.part("Waves and clients")
    assert "1 failed" in board
    assert "It stopped itself: too much failed." in nadia.text
    nadia.picture("wave-2-failed")
    go_on(portal, fleet.values())
    assert all(fleet[name].installed("etc/motd") is None for name in third), (
        "nothing is offered while it stands"
    )

    see_each_asset(nadia, path, broken)
    abort(portal, nadia, path)
    machines = {name: outcome_of(nadia, path, name) for name in fleet}
    assert machines == {
        first: "Success",
        sound: "Success",
        broken: "Failed",
        **dict.fromkeys(third, "Skipped"),
    }
    nadia.picture("outcomes")


def outcome_of(nadia, path, name):
    if nadia.path != f"{path}/actions":
        nadia.go(f"{path}/actions")
    row = nadia.page.locator("table tbody tr").filter(has_text=name)
    return row.locator("th, td").nth(3).inner_text().strip()


def see_each_asset(nadia, path, broken):
    """The failed machine says why, in its own words."""
    nadia.go(f"{path}/actions")
    nadia.picture("assets")
    nadia.follow(broken)
    assert "Failed" in nadia.part("Outcome")
    assert re.search(r"write|read-only|readonly", nadia.text)
    nadia.picture("failed-asset")


def abort(portal, nadia, path):
    nadia.go(path)
    nadia.follow("Abort…")
    nadia.picture("abort")
    nadia.fill("Reason", "The disk of one machine is broken; a new campaign follows.")
    nadia.page.get_by_role("button", name=re.compile("^Abort for 3 clients")).click()
    nadia.page.wait_for_url(f"**{path}")
    go_on(portal)
    nadia.go(path)
    assert "Aborted" in nadia.text
    nadia.picture("aborted")


def test_a_machine_is_enrolled_from_its_page(portal, visit, tmp_path):
    nadia = visit("Nadia").sign_in()
    nadia.go("/console/assets")
    nadia.follow("acme-pc-1")
    nadia.picture("asset-without-agent")
    asset_path = nadia.path
    nadia.go(asset_path.replace("/console/assets/", "/console/agents/enrol/"))
    nadia.press("Make a one-use token")
    nadia.picture("token")
    code = nadia.page.locator(".copyable", has_text="config.json").locator("code").inner_text()
    asset = Asset(name="acme-pc-1")
    machine = Machine(asset, tmp_path / "acme-pc-1", json.loads(code))
    cycle([machine])
    portal.work()
    nadia.go(asset_path)
    assert "Linux" in nadia.text
    nadia.picture("asset-with-facts")
