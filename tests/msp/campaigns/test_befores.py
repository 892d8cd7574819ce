"""What a machine held before: noted when it takes the release up, shown with its outcome and to whoever rolls back."""

from io import BytesIO

import pytest
from sqlalchemy import select, update

from msp.campaigns import releases
from msp.campaigns.models import Campaign, Release
from tenants.assets.models import InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import begin, later


@pytest.fixture
def machine(app, cast):
    """One machine of Acme."""
    return fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])[0]


def befores(rollout):
    return [one.version_before for one in rollout.actions()]


def running(app, cast, version="1.0"):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",), version=version))


@pytest.mark.parametrize(
    ("told", "before"),
    [
        ("motd/0.9", "0.9"),
        ("issue/3,motd/0.9", "0.9"),
        ("motd/extra/2", None),
        ("issue/3", None),
        ("motd/", None),
        (None, None),
    ],
)
def test_it_is_the_version_that_the_machine_told_of_the_same_release(app, cast, machine, told, before):
    machine.tell_facts(installed_release=told)
    rollout = running(app, cast)
    assert befores(rollout) == [None], "nothing is known of it before the machine takes it up"
    begin(machine)
    assert befores(rollout) == [before]
    machine.installed = "motd/1.0"
    machine.tell_facts()
    assert befores(rollout) == [before], "what it tells afterwards is not what was there before"


def test_a_start_without_a_fetch_is_noted_too(app, cast, machine):
    machine.tell_facts(installed_release="motd/0.9")
    rollout = running(app, cast)
    machine.report(machine.offered(), "proceeding")
    assert befores(rollout) == ["0.9"]


@pytest.mark.parametrize(
    ("wanted", "before"),
    [
        (["tzdata"], "2025b-0"),
        (["tzdata:amd64", "zstd", "absent"], "tzdata 2025b-0, zstd 1.5"),
        (["absent"], None),
    ],
)
def test_of_packages_it_is_theirs(app, cast, machine, within, superuser, wanted, before):
    with within("acme"):
        for name, version in (("tzdata", "2025b-0"), ("zstd", "1.5"), ("bash", "5")):
            db.session.add(
                InstalledSoftware(
                    tenant_id=machine.tenant_id,
                    asset_id=machine.asset_id,
                    name=name,
                    version=version,
                    seen_at=time.now(),
                )
            )
        db.session.commit()
    rollout = running(app, cast)
    with within("Owen"):
        packages = [{"name": name, "version": "9"} for name in wanted]
        db.session.execute(update(Release).values(kind="deb", spec={"packages": packages, "reboot": "never"}))
        db.session.commit()
    begin(machine)
    assert befores(rollout) == [before]


def test_a_second_attempt_keeps_what_was_there_before_the_first(app, cast, machine):
    machine.tell_facts(installed_release="motd/0.9")
    rollout = running(app, cast)
    machine.report(begin(machine), "closed", "failure", code=5)
    machine.tell_facts(installed_release="motd/half")
    rollout.tick()
    with time.frozen(later(minutes=6)):
        rollout.tick(at=time.now())
        begin(machine)
    assert befores(rollout) == ["0.9", "0.9"]


def test_people_see_it_and_are_offered_it_when_they_roll_back(app, cast, machine, sign_in, within):
    with within("Leo") as leo:
        for version in ("0.9", "0.95"):
            files = [("motd", BytesIO(version.encode()))]
            releases.add_release(
                name="motd", version=version, target_path="etc/motd", files=files, by=leo, at=time.now()
            )
        db.session.commit()
    machine.tell_facts(installed_release="motd/0.9")
    rollout = running(app, cast)
    begin(machine)
    with within("Leo"):
        campaign = db.session.scalars(select(Campaign).where(Campaign.id == rollout.id)).one()
        old = db.session.scalars(select(Release).where(Release.version == "0.9")).one()
        page, action = f"/console/campaigns/{campaign.public_id}", rollout.actions()[0].id
    leo = sign_in("Leo")
    shown = leo.get(f"{page}/actions/{action}")
    assert shown.status_code == 200
    assert "Version before" in shown.text
    assert "0.9" in shown.text
    asked = leo.get(f"{page}/rollback").text
    assert "0.9 on 1 asset" in asked
    chosen = asked.partition(f'value="{old.public_id}"')[0].rpartition("<option")[2]
    assert "selected" in chosen or f'selected value="{old.public_id}"' in asked
