"""Facts and packages of a machine, and when they are told."""

import json
import re
from pathlib import Path

import pytest

from msp.agent.agent import Agent
from msp.agent.facts import Machine, inventory_digest
from msp.agent.folder import Folder
from msp.agent.packages import Package, digest, read_packages
from tests.msp.agent.portal import Fault, Portal

STATUS = """\
Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1:1.2.13
Description: compression
 Package: not-a-package
 Status: install ok installed

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: half
Status: install ok half-installed
Version: 1

Package: adduser
Status: hold ok installed
Architecture: all
Version: 3.134"""
PACKAGES = (Package("adduser", "3.134", "all"), Package("zlib1g", "1:1.2.13", "amd64"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine's file system, as far as the facts read it."""
    files = {
        "var/lib/dpkg/status": STATUS,
        "proc/meminfo": "MemTotal:        2048 kB\nMemFree: 1 kB\n",
        "proc/stat": "cpu 1 2\nbtime 1795168800\n",
        "proc/sys/kernel/random/boot_id": "b0-07\n",
        "etc/debian_version": "12.8\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture
def machine(root: Path) -> Machine:
    return Machine(root, root)


def test_only_installed_packages_count(root: Path) -> None:
    assert read_packages(root / "var/lib/dpkg/status") == PACKAGES


def test_the_digest_follows_the_packages_and_not_their_order() -> None:
    assert digest(PACKAGES) == digest(reversed(PACKAGES))
    assert digest(PACKAGES) != digest(PACKAGES[:1])


def test_facts_are_read_from_the_machine(machine: Machine) -> None:
    facts = machine.facts("motd/7")
    expected = {
        "memory_total_bytes": "2097152",
        "booted_at": "2026-11-20T10:00:00Z",
        "boot_id": "b0-07",
        "debian_version": "12.8",
        "reboot_required": "false",
        "packages_count": "2",
        "packages_digest": digest(PACKAGES),
        "installed_release": "motd/7",
    }
    assert {key: facts[key] for key in expected} == expected
    assert {"hostname", "kernel", "architecture", "cpu_count", "disk_total_bytes", "disk_free_bytes"} <= set(
        facts
    )


def test_facts_keep_to_the_portals_limits(machine: Machine) -> None:
    facts = machine.facts("é" * 4000)
    assert len(facts) <= 100
    assert all(re.fullmatch(r"[a-z0-9_.]{1,64}", key) for key in facts)
    assert all(0 < len(value.encode()) <= 4096 for value in facts.values())


def test_a_machine_that_tells_little_still_has_facts(tmp_path: Path) -> None:
    facts = Machine(tmp_path, tmp_path / "nothing").facts(None)
    assert facts["packages_count"] == "0"
    assert not {"boot_id", "memory_total_bytes", "booted_at", "installed_release"} & set(facts)


def test_a_wanted_reboot_shows(machine: Machine, root: Path) -> None:
    (root / "run").mkdir()
    (root / "run/reboot-required").touch()
    assert machine.facts(None)["reboot_required"] == "true"


def test_packages_are_read_again_when_the_database_changed(machine: Machine, root: Path) -> None:
    assert machine.packages() is machine.packages()
    (root / "var/lib/dpkg/status").write_text("")
    assert machine.packages() == ()


def test_free_space_alone_is_no_news(machine: Machine) -> None:
    document = machine.inventory(machine.facts(None))
    other = json.loads(json.dumps(document))
    other["facts"]["disk_free_bytes"] = "1"
    assert inventory_digest(other) == inventory_digest(document)
    other["facts"]["kernel"] = "newer"
    assert inventory_digest(other) != inventory_digest(document)


def test_facts_are_told_when_asked_for(agent: Agent, portal: Portal) -> None:
    agent.cycle()
    assert portal.asked("PUT") == []
    portal.links = ("configData",)
    agent.cycle()
    told = portal.asked("PUT")[0].json
    assert told["mode"] == "merge"
    assert {"kernel", "boot_id", "packages_digest"} <= set(told["data"])


def test_the_inventory_is_told_once_for_the_same_content(
    agent: Agent, portal: Portal, folder: Folder
) -> None:
    portal.links = ("inventory",)
    agent.cycle()
    agent.cycle()
    (told,) = portal.asked("PUT /ddi/acme/controller/v1/acme-pc-1/inventory")
    assert set(told.json) == {"packages", "facts"}
    assert all(set(p) == {"name", "version", "architecture"} for p in told.json["packages"])
    portal.offer("9041", {"motd": b"hello"})
    agent.cycle()
    assert len(portal.asked("/inventory")) == 2
    assert folder.sent_inventory is not None


@pytest.mark.parametrize("fault", [Fault(400), Fault(500)], ids=["refused", "broken"])
def test_an_inventory_not_taken_is_told_again_and_delays_no_poll(
    agent: Agent, portal: Portal, fault: Fault
) -> None:
    portal.links = ("inventory",)
    portal.fail("PUT", fault)
    assert agent.cycle() == 300
    agent.cycle()
    assert len(portal.asked("/inventory")) == 2


def test_a_damaged_note_of_what_was_sent_is_no_harm(agent: Agent, portal: Portal, folder: Folder) -> None:
    portal.links = ("inventory",)
    agent.cycle()
    (folder.path / "sent.json").write_text("[")
    agent.cycle()
    assert len(portal.asked("/inventory")) == 2
