"""What makes a reported success believed: the asset's own facts, and nothing less."""

import json
from datetime import UTC, datetime

import pytest

from msp.agents.documents import metadata
from msp.campaigns import proofs
from msp.campaigns.models import Release
from msp.campaigns.releases import downgrade_grant
from tests.msp.campaigns import fleet

PACKAGES = [{"name": "openssl", "version": "3.0.15"}]


@pytest.fixture
def machine(app, cast):
    return fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])[0]


@pytest.fixture
def rollout(app, cast, machine):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))


@pytest.fixture
def packages(rollout, superuser):
    """The rollout's release names packages now."""
    superuser.execute("UPDATE releases SET kind = 'deb', spec = %s", [json.dumps({"packages": PACKAGES})])


def report(machine, rollout):
    """Taken up, done and told, with the release's name; the phase or outcome afterwards."""
    action = machine.offered()
    chunk = machine.take(action)["deployment"]["chunks"][0]
    machine.report(action, "proceeding")
    machine.report(action, "closed", "success")
    machine.installed = f"{chunk['name']}/{chunk['version']}"
    return action


def tell_packages(machine, version, **facts):
    package = {"name": "openssl", "version": version, "architecture": "amd64"}
    answer = machine.ask("PUT", "/inventory", json={"packages": [package], "facts": facts})
    assert answer.status_code == 200


def put_facts(superuser, machine, *, version=None, **columns):
    """Facts that no request has looked at: only the tick will."""
    columns = {"installed_release": machine.installed, **columns}
    sets = ", ".join(f"{name} = %s" for name in columns)
    superuser.execute(
        f"UPDATE assets SET {sets}, facts_at = now() + interval '1 second' WHERE id = %s",
        [*columns.values(), machine.asset_id],
    )
    if version is not None:
        superuser.execute(
            "UPDATE assets SET software_at = now() + interval '1 second' WHERE id = %s", [machine.asset_id]
        )
        superuser.execute(
            "INSERT INTO installed_software (tenant_id, asset_id, name, version, architecture, seen_at)"
            " VALUES (%s, %s, 'openssl', %s, 'amd64', now())",
            [machine.tenant_id, machine.asset_id, version],
        )


@pytest.mark.parametrize(
    ("installed", "exactly", "expected"),
    [
        ({"openssl": ["3.0.15"]}, False, True),
        ({"openssl": ["3.0.16"]}, False, True),
        ({"openssl": ["3.0.9"]}, False, False),
        ({"openssl": ["1:1.0"]}, False, True),
        ({}, False, False),
        ({"openssl": ["3.0.9", "3.0.15"]}, False, True),
        ({"openssl": ["3.0.16"]}, True, False),
        ({"openssl": ["3.0.15"]}, True, True),
    ],
)
def test_packages_are_proven_by_their_versions(installed, exactly, expected):
    assert proofs.has_packages(PACKAGES, installed, exactly=exactly) is expected


@pytest.mark.parametrize(
    ("wish", "before", "now", "expected"),
    [
        ("always", "a", "b", True),
        ("always", "a", "a", False),
        ("always", None, "b", False),
        ("always", "a", None, False),
        ("if_needed", "a", "a", True),
        (None, None, None, True),
    ],
)
def test_a_reboot_is_proven_by_another_boot_id(wish, before, now, expected):
    assert proofs.has_rebooted(wish, before, now) is expected


@pytest.mark.usefixtures("packages")
class TestPackages:
    def test_an_inventory_that_shows_them_proves_them(self, machine, rollout):
        report(machine, rollout)
        assert rollout.outcomes() == {"verifying": 1}
        tell_packages(machine, "3.0.9", installed_release=machine.installed)
        assert rollout.outcomes() == {"verifying": 1}
        tell_packages(machine, "3.0.16", installed_release=machine.installed)
        assert rollout.outcomes() == {"success": 1}

    def test_without_an_inventory_since_the_start_the_label_does(self, machine, rollout):
        tell_packages(machine, "3.0.9")
        report(machine, rollout)
        machine.tell_facts()
        assert rollout.outcomes() == {"success": 1}

    def test_a_package_that_is_gone_disproves_them(self, machine, rollout):
        report(machine, rollout)
        machine.ask(
            "PUT", "/inventory", json={"packages": [], "facts": {"installed_release": machine.installed}}
        )
        assert rollout.outcomes() == {"verifying": 1}

    @pytest.mark.parametrize(
        ("version", "expected"),
        [("3.0.15", "success"), ("3.0.16", "success"), ("3.0.9", "verifying"), (None, "success")],
    )
    def test_the_tick_looks_as_closely(self, machine, rollout, superuser, version, expected):
        report(machine, rollout)
        put_facts(superuser, machine, version=version)
        rollout.tick()
        assert rollout.outcomes() == {expected: 1}

    def test_after_a_rollback_a_higher_version_disproves_it(self, machine, rollout, superuser):
        superuser.execute("UPDATE campaign_tenants SET kind = 'rollback'")
        superuser.execute("UPDATE campaigns SET kind = 'rollback', rollback_of_id = id")
        report(machine, rollout)
        put_facts(superuser, machine, version="3.0.16")
        rollout.tick()
        tell_packages(machine, "3.0.16", installed_release=machine.installed)
        assert rollout.outcomes() == {"verifying": 1}
        tell_packages(machine, "3.0.15")
        assert rollout.outcomes() == {"success": 1}


class TestReboots:
    @pytest.fixture
    def always(self, rollout, superuser):
        superuser.execute(
            "UPDATE releases SET kind = 'script', spec = %s",
            [json.dumps({"interpreter": "/bin/sh", "timeout_seconds": 60, "reboot": "always"})],
        )

    def begin(self, machine):
        machine.tell_facts(boot_id="boot-1")

    def test_it_is_waited_for(self, machine, rollout, always):
        self.begin(machine)
        report(machine, rollout)
        machine.tell_facts(boot_id="boot-1")
        rollout.tick()
        assert rollout.outcomes() == {"verifying": 1}
        machine.tell_facts(boot_id="boot-2")
        assert rollout.outcomes() == {"success": 1}
        (action,) = rollout.actions()
        assert (action.boot_id_before, action.boots) == ("boot-1", 1)

    def test_the_tick_waits_for_it_too(self, machine, rollout, always, superuser):
        self.begin(machine)
        report(machine, rollout)
        put_facts(superuser, machine, boot_id="boot-1")
        rollout.tick()
        assert rollout.outcomes() == {"verifying": 1}
        put_facts(superuser, machine, boot_id="boot-2")
        rollout.tick()
        assert rollout.outcomes() == {"success": 1}

    def test_a_boot_that_was_not_known_before_proves_nothing(self, machine, rollout, always):
        report(machine, rollout)
        machine.tell_facts(boot_id="boot-2")
        rollout.tick()
        assert rollout.outcomes() == {"verifying": 1}

    def test_boots_are_counted_while_the_wave_is_watched(self, machine, rollout):
        self.begin(machine)
        report(machine, rollout)
        for boot in ("boot-1", "boot-2", "boot-2", "boot-3"):
            machine.tell_facts(boot_id=boot)
        tell_packages(machine, "1", boot_id="boot-4")
        (action,) = rollout.actions()
        assert (action.outcome, action.boots) == ("success", 3)

    def test_a_boot_before_the_start_is_not_counted(self, machine, rollout):
        for boot in ("boot-0", "boot-1"):
            machine.tell_facts(boot_id=boot)
        report(machine, rollout)
        machine.tell_facts(boot_id="boot-1")
        assert [one.boots for one in rollout.actions()] == [0]

    @pytest.mark.parametrize(("required", "pending"), [("true", True), ("false", False)])
    def test_a_reboot_left_to_do_is_noted(self, machine, rollout, packages, superuser, required, pending):
        report(machine, rollout)
        machine.tell_facts(reboot_required=required)
        assert [(one.outcome, one.reboot_pending) for one in rollout.actions()] == [("success", pending)]

    def test_the_tick_notes_it_too(self, machine, rollout, packages, superuser):
        report(machine, rollout)
        put_facts(superuser, machine, facts=json.dumps({"reboot_required": "true"}))
        rollout.tick()
        assert [(one.outcome, one.reboot_pending) for one in rollout.actions()] == [("success", True)]


def test_what_a_device_is_told_of_packages():
    release = Release(
        kind="deb",
        name="tiny",
        version="2",
        spec={"packages": PACKAGES, "reboot": "if_needed"},
        platform={"systems": ["debian"]},
        checks_before=[],
        checks_after=[{"kind": "service_active", "name": "nginx"}],
    )
    until = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    told = {one["key"]: one["value"] for one in metadata(release, begin_until=until, downgrade_from="{}")}
    assert json.loads(told.pop("packages")) == PACKAGES
    assert told == {
        "reboot": "if_needed",
        "platform": '{"systems":["debian"]}',
        "checks_after": '[{"kind":"service_active","name":"nginx"}]',
        "begin_until": "2026-11-21T03:30:00+00:00",
        "downgrade_from": "{}",
    }
    assert downgrade_grant(release) == '{"openssl": "3.0.15"}'


def test_what_a_device_is_told_of_a_script():
    spec = {"interpreter": "/bin/sh", "timeout_seconds": 60}
    release = Release(kind="script", spec=spec, platform={}, checks_before=[], checks_after=[])
    told = {one["key"]: one["value"] for one in metadata(release)}
    assert told == {"interpreter": "/bin/sh", "timeout_seconds": "60", "reboot": "never"}


def test_a_rollback_of_files_names_the_version_that_it_undoes():
    assert downgrade_grant(Release(kind="file", version="7")) == "7"
