"""A release on its way to real agents: clients decide, the second wave fails and stops it, and a rollback mends it."""

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from msp.agents import enrolment
from msp.campaigns.releases import add_release
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
    leo.fill("Waves, in percent of all assets", "20, 100")
    leo.fill("Wait after the last success", "0")
    leo.fill("Assets at once", "4")
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


def ask_the_clients(portal, alice, mallory):
    """By mail and at home; Acme lets it in, Globex puts it off."""
    portal.work()
    mail = portal.mails_to(personas.email("Alice"))[-1]
    assert mail["Subject"].startswith(("Your decision is needed", "Keputusan Anda diperlukan"))
    page = re.search(r"https?://\S+/portal/maintenance/\S+", mail.get_body(("plain",)).get_content())[0]
    alice.go("/portal/")
    assert "1 decision about maintenance waits for you." in alice.text
    alice.picture("home")
    alice.follow("Look and decide")
    alice.picture("maintenance")
    alice.go(page)
    assert all(name in alice.text for name in MACHINES["acme"])
    assert "globex" not in alice.text.lower()
    alice.picture("asked")
    alice.follow("Let it in…")
    alice.picture("consent")
    alice.press("Let it in on 2 machines")
    assert "You let it in." in alice.text
    mallory.go("/portal/maintenance")
    mallory.follow("Welcome text of November")
    mallory.follow("Postpone…")
    mallory.fill("Until", (datetime.now(UTC) + timedelta(days=4)).date().isoformat())
    mallory.fill("Reason (if you like)", "Stock taking until Friday")
    mallory.picture("postpone")
    mallory.press("Postpone it for 2 machines")
    assert "Postponed until" in mallory.text
    mallory.picture("postponed")
    return page


def test_a_campaign_stops_at_a_wave_that_fails_and_is_rolled_back(portal, fleet, visit):
    leo, nadia = visit("Leo").sign_in(), visit("Nadia").sign_in()
    alice, mallory = visit("Alice").sign_in(), visit("Mallory").sign_in()
    draft(leo)
    path = leo.path.partition("#")[0]
    submit_and_approve(leo, nadia, path)
    part = ask_the_clients(portal, alice, mallory)
    nadia.go(path)
    nadia.follow("Start…")
    nadia.picture("start")
    nadia.press("Start for 3 clients, 5 assets")
    assert "Stock taking until Friday" in nadia.part("Waves and clients")

    first, own = "nms-pc-1", [fleet[name] for name in MACHINES["acme"]]
    go_on(portal)
    broken, sound = MACHINES["acme"]
    nadia.page.locator(".live-on").wait_for(state="visible")
    go_on(portal, fleet.values())
    assert fleet[first].installed("etc/motd") == WELCOME, "the provider's own machines come first"
    assert all(machine.installed("etc/motd") is None for machine in own)
    # The board hears of it by itself.
    nadia.page.locator(".board", has_text="1 of 1 done").wait_for()
    nadia.picture("wave-1-passed")

    fleet[broken].break_disk()
    go_on(portal, own)
    # An offer may hold the campaign's row at the very moment of a look: the next one sees the same.
    go_on(portal)
    nadia.page.locator(".alert", has_text="It stopped itself: too much failed.").wait_for(timeout=30_000)
    assert fleet[sound].installed("etc/motd") == WELCOME
    assert fleet[broken].installed("etc/motd") is None
    assert "1 failed" in nadia.part("Waves and clients")
    nadia.picture("wave-2-failed")
    go_on(portal, fleet.values())
    assert all(fleet[name].installed("etc/motd") is None for name in MACHINES["globex"]), "Globex put it off"
    alice.go(part)
    assert "Could not be updated" in alice.text
    assert "Updated, and proven" in alice.text
    alice.picture("what-happened")
    see_the_ticket(portal, nadia, alice, mallory, path, broken)

    see_each_asset(nadia, path, broken)
    abort(portal, nadia, path)
    machines = {name: outcome_of(nadia, path, name) for name in fleet}
    assert machines == {
        first: "Success",
        sound: "Success",
        broken: "Failed",
        **dict.fromkeys(MACHINES["globex"], "Skipped"),
    }
    nadia.picture("outcomes")
    roll_back(portal, leo, nadia, alice, path, fleet)


def see_the_ticket(portal, nadia, alice, mallory, path, broken):
    """One at the client concerned, linked both ways; the other client has none."""
    portal.work()
    nadia.go(path)
    code = re.search(r"ACME-\w{4}-\w{4}", nadia.part("Tickets"))[0]
    nadia.picture("ticket-on-the-board")
    alice.go(f"/portal/tickets/{code}")
    assert broken in alice.text
    alice.picture("ticket")
    alice.follow("Welcome text of November")
    assert alice.path.startswith("/portal/maintenance/")
    mallory.go("/portal/tickets")
    assert "motd" not in mallory.text


OLD = b"The text of October.\n"


def roll_back(portal, leo, nadia, alice, path, fleet):
    """To the version of before, which was a release too; approved and let in like any campaign."""
    with portal.app.app_context(), portal.clock():
        by = personas.actor(portal.app, personas.load(), "Leo")
        with enter(by.scope()):
            files = [("motd", BytesIO(OLD))]
            old = {"name": "motd", "version": "2026.10", "target_path": "etc/motd", "files": files}
            add_release(**old, by=by, at=time.now())
            db.session.commit()
    (fleet["acme-pc-1"].folder / "root" / ".readonly").unlink()
    leo.go(path)
    leo.follow("Roll back…")
    leo.choose("Back to", "motd/2026.10")
    leo.picture("roll-back")
    leo.press("Draft the rollback")
    assert "Rolls back" in leo.text
    leo.picture("rollback-drafted")
    back = leo.path.partition("#")[0]
    leo.follow("Submit…")
    leo.press("Submit for 2 clients, 3 assets")
    nadia.go(back)
    nadia.follow("Approve…")
    nadia.press("Approve for 2 clients, 3 assets")
    alice.go("/portal/maintenance")
    alice.follow("Look and decide ↩ Welcome text of November")
    assert "Takes back" in alice.text
    alice.follow("Let it in…")
    alice.press("Let it in on 2 machines")
    nadia.go(back)
    nadia.follow("Start…")
    nadia.press("Start for 2 clients, 3 assets")
    for _ in range(5):
        go_on(portal, fleet.values())
    assert all(fleet[name].installed("etc/motd") == OLD for name in ("nms-pc-1", "acme-pc-1", "acme-pc-2"))
    assert fleet["globex-pc-1"].installed("etc/motd") is None
    nadia.go(back)
    assert re.search("Complet", nadia.text)
    nadia.picture("rolled-back")


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
