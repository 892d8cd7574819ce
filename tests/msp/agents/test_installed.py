"""A device says by name and version what it holds already (PUT installedBase)."""

import pytest
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import begin, later

MOTD = {"name": "motd", "version": "1.0"}


@pytest.fixture
def rollout(app, cast, machine):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",), version="1.0"))


def put(machine, body=MOTD, **more):
    return machine.ask("PUT", "/installedBase", **({"json": body} | more)).status_code


def held(within):
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.controller_id == "acme-pc-1")).one()
        return asset.installed_release, asset.facts_at


def test_what_is_new_is_created_and_what_is_known_is_confirmed(machine, rollout, within):
    assert [put(machine), put(machine)] == [201, 200]
    assert held(within)[0] == "motd/1.0"
    machine.tell_facts(installed_release="motd/0.9")
    assert put(machine, {**MOTD, "else": 1}) == 201


def test_it_verifies_what_was_reported_before(machine, rollout, within):
    action = begin(machine)
    machine.report(action, "closed", "success")
    assert rollout.outcomes() == {"verifying": 1}
    with time.frozen(later(seconds=1)):
        assert put(machine) == 201
    assert rollout.outcomes() == {"success": 1}


def test_a_release_that_never_came_to_this_client_is_not_known(app, cast, machine, stranger, rollout, within):
    """Whether another client has it, or the provider at all, is told to nobody."""
    fleet.start(fleet.draft(app, cast, slugs=("globex",), name="issue", version="3"))
    fleet.draft(app, cast, slugs=("acme",), name="draft", version="1")
    before = held(within)
    for name, version in (("issue", "3"), ("draft", "1"), ("motd", "2"), ("nothing", "1")):
        assert put(machine, {"name": name, "version": version}) == 404
    assert put(stranger) == 404
    assert held(within) == before
    assert put(stranger, {"name": "issue", "version": "3"}) == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "motd"},
        {"version": "1.0"},
        {"name": "", "version": "1.0"},
        {"name": "motd", "version": 1},
        {"name": ["motd"], "version": "1.0"},
        {"name": "m" * 81, "version": "1.0"},
        {"name": "motd", "version": "1" * 81},
        {"name": "mo\x00td", "version": "1.0"},
        {"name": "motd", "version": "\ud800"},
        [MOTD],
        {**MOTD, "padding": "x" * 5000},
    ],
    ids=lambda body: str(body)[:40],
)
def test_what_cannot_be_read_is_refused(machine, rollout, within, body):
    before = held(within)
    assert put(machine, body) == 400
    assert held(within) == before


def test_nobody_s_word_counts_without_a_credential(app, machine, stranger, rollout):
    assert app.test_client().put(f"{machine.base}/installedBase", json=MOTD).status_code == 401
    elsewhere = {"Authorization": f"TargetToken {stranger.token}"}
    assert (
        app.test_client().put(f"{machine.base}/installedBase", json=MOTD, headers=elsewhere).status_code
        == 403
    )
