"""The reference agent as a process of its own against the real portal: enrol, tell, install, be believed."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from msp.agents import enrolment
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.msp.campaigns import fleet

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def asset_id(app, cast):
    """An asset that was only entered so far, and its enrolment token."""
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        asset = Asset(tenant_id=cast.tenants["acme"], name="Acme PC 7", created_at=time.now())
        db.session.add(asset)
        db.session.flush()
        token = enrolment.issue_token(asset, by=nadia, at=time.now())
        db.session.commit()
        return asset.id, token


def run_once(folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "msp.agent", "once", "--folder", str(folder)],
        cwd=CHECKOUT,
        timeout=60,
        check=False,
        capture_output=True,
    )
    return done.returncode


def read(within, model, *conditions):
    with within("acme"):
        return list(db.session.scalars(select(model).where(*conditions)))


def test_the_agent_enrols_installs_and_is_verified(app, cast, within, served, asset_id, tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "url": f"{served.portal}/ddi",
                "tenant": "acme",
                "controller_id": "Acme-PC-7",
                "enrolment_token": asset_id[1],
            }
        )
    )
    assert run_once(tmp_path) == 0
    (asset,) = read(within, Asset, Asset.id == asset_id[0])
    assert asset.facts["agent_version"]
    assert asset.facts["kernel"]
    assert len(read(within, InstalledSoftware)) > 50

    rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",)))
    assert run_once(tmp_path) == 0
    assert (tmp_path / "root" / "etc" / "motd").read_bytes() == fleet.BYTES
    assert rollout.outcomes() == {"success": 1}
    (asset,) = read(within, Asset, Asset.id == asset_id[0])
    assert asset.installed_release.startswith("motd/")
    rollout.tick()
    assert rollout.tick(at=time.now() + timedelta(seconds=60)) == "completed"
    assert run_once(tmp_path) == 0
