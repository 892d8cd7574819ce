"""A campaign of packages in roots of their own: the agent is chrooted, and apt and dpkg are those of the root."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from msp.agents.models import AgentCredential
from msp.campaigns import services
from msp.campaigns.models import ActionEvent
from tenants.assets.models import InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests.msp.agent.debtree import NAME
from tests.msp.agent.minimalroot import Root, needs_chroot
from tests.msp.agents import debs
from tests.msp.campaigns import fleet

pytestmark = needs_chroot

FOLDER = "/var/lib/msp-agent"
SPEC = {"packages": [{"name": NAME, "version": "1.1"}], "reboot": "never"}
BROKEN = "etc/msp-tiny.broken"
POSTINST = f"#!/bin/sh\nif test -e /{BROKEN}; then echo 'the certificate store is broken'; exit 1; fi\n"
SLUGS = ("provider", "acme", "globex")


@dataclass
class Host:
    """A machine with a root of its own, and what the portal knows of it."""

    machine: fleet.Agent
    root: Root

    def works(self) -> None:
        """One cycle of its agent."""
        done = self.root.run_agent("once", "--folder", FOLDER)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def hosts(app, cast, served, tmp_path) -> dict[int, Host]:
    """A host of each, by tenant: version 1.0 is installed, and 1.1 waits in its source."""
    found = {}
    for slug in SLUGS:
        (machine,) = fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-root"])
        root = Root(tmp_path / slug)
        first = root.publish("1.0", postinst=POSTINST)
        done = root.run("dpkg", "--install", f"/srv/packages/{first.name}")
        assert done.returncode == 0, done.stderr
        root.publish("1.1", postinst=POSTINST)
        values = {"url": f"{served.portal}/ddi", "tenant": slug, "controller_id": machine.name}
        values |= {"token": machine.token, "minimum_free_bytes": 0}
        config = root.root / FOLDER.lstrip("/") / "config.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps(values))
        found[machine.tenant_id] = Host(machine, root)
    return found


@pytest.fixture
def outside():
    """What this machine's own package manager says about the package, before and after."""

    def look() -> tuple[int, int, bool]:
        words = ["dpkg-query", "--show", NAME]
        asked = subprocess.run(words, capture_output=True, check=False).returncode
        return asked, Path("/var/lib/dpkg/status").stat().st_mtime_ns, Path("/usr/share", NAME).exists()

    before = look()
    yield
    assert look() == before


def packages(within, slug: str) -> list[tuple[str, str]]:
    """What the portal knows to be installed there."""
    with within(slug):
        found = db.session.scalars(select(InstalledSoftware)).all()
        return [(one.name, one.version) for one in found]


def ask_for_inventory(host: Host) -> None:
    """From the next poll on, the portal asks the machine for its facts and its inventory."""
    with host.machine.app.app_context(), enter(of_tenant(host.machine.tenant_id)):
        mine = update(AgentCredential).where(AgentCredential.tenant_id == host.machine.tenant_id)
        db.session.execute(mine.values(facts_due_at=None))
        db.session.commit()


def host_of(hosts: dict[int, Host], rollout: fleet.Rollout, ordinal: int) -> Host:
    """The only host of a wave."""
    (lane,) = [one for one in rollout.lanes() if one.ordinal == ordinal]
    return hosts[lane.tenant_id]


def test_a_campaign_upgrades_roots_and_stops_at_one_that_fails(app, cast, within, hosts, outside):
    rollout = debs.draft(app, cast, SPEC, version="1.1", slugs=SLUGS, percents=(5, 67, 100))
    rollout.act("Leo", services.submit_campaign, at=time.now())
    good, bad, last = (host_of(hosts, rollout, one) for one in (1, 2, 3))
    (bad.root.root / BROKEN).touch()
    ask_for_inventory(good)
    rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    good.works()
    assert (good.root.installed(), good.root.version()) == ("installed 1.1", "1.1")
    assert (good.root.root / f"etc/{NAME}.conf").read_text() == "from = 1.1\n"
    assert packages(within, "provider") == [(NAME, "1.1")]
    assert rollout.outcomes() == {"success": 1, "planned": 2}
    assert rollout.actions()[0].verified_at is not None

    rollout.tick()
    bad.works()
    assert bad.root.installed() == "installed 1.0", "nobody consented yet"
    rollout.let_in()
    rollout.tick()
    bad.works()
    assert bad.root.installed() == "half-configured 1.1"
    assert rollout.tick() == "paused"
    assert [one.state for one in rollout.lanes()] == ["passed", "failed", "waiting"]
    action = next(one for one in rollout.actions() if one.asset_id == bad.machine.asset_id)
    assert (action.outcome, action.reason_code) == ("failed", "packages")
    with app.app_context(), rollout.seen():
        events = db.session.scalars(select(ActionEvent).where(ActionEvent.action_id == action.id)).all()
        told = [line for one in events for line in one.body.get("details", ())]
    assert "the certificate store is broken" in told

    last.works()
    assert last.root.installed() == "installed 1.0"
    assert rollout.outcomes() == {"success": 1, "failed": 1, "planned": 1}
