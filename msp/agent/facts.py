"""What this machine is: cheap facts, read from files; a fact that cannot be read is left out."""

import hashlib
import json
import os
import platform
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import VERSION
from .packages import Package, digest, read_packages

VALUE_LIMIT = 4096
REBOOT_MARKS = ("run/reboot-required", "var/run/reboot-required")
# These change by themselves: a new value alone is no news.
RESTLESS = ("disk_free_bytes", "disk_free_mb", "booted_at")
MEGABYTE = 1024 * 1024
# The kernel's names of processors, as Debian calls them.
ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "armhf",
    "armv6l": "armel",
    "i686": "i386",
    "i586": "i386",
    "ppc64le": "ppc64el",
}
Upgradable = Callable[[], dict[tuple[str, str], str] | None]


class Machine:
    """The machine's facts; `root` is the file system to read, `folder` the one whose disk space counts.

    `upgradable` tells what an upgrade would bring; it is asked again only after packages or their sources changed.
    """

    def __init__(self, folder: Path, root: Path = Path("/"), upgradable: Upgradable = dict) -> None:
        self._folder = folder
        self._root = root
        self._ask_upgradable = upgradable
        self._upgradable: dict[tuple[str, str], str] = {}
        self._upgradable_for: tuple[object, ...] | None = None
        self._seen: tuple[int, int] | None = None
        self._packages: tuple[Package, ...] = ()

    @property
    def boot_id(self) -> str:
        """Changes with every start of the kernel; empty when unknown."""
        return self._line("proc/sys/kernel/random/boot_id")

    def packages(self) -> tuple[Package, ...]:
        """Installed Debian packages, read again only after the package database changed."""
        path = self._root / "var/lib/dpkg/status"
        try:
            stat = path.stat()
        except OSError:
            return ()
        if self._seen != (stat.st_mtime_ns, stat.st_size):
            self._packages = read_packages(path)
            self._seen = (stat.st_mtime_ns, stat.st_size)
        return self._packages

    @property
    def is_reboot_required(self) -> bool:
        """Whether something that was installed waits for a reboot."""
        return any((self._root / mark).exists() for mark in REBOOT_MARKS)

    def proof(self) -> dict[str, str]:
        """What the portal judges a reported success by, beside the release itself."""
        return {"boot_id": self.boot_id, "reboot_required": self._reboot_required()}

    def platform(self) -> dict[str, str]:
        """What a release's platform filter looks at."""
        found = {"os_id": self._os_release().get("os_id"), "architecture": _architecture()}
        return {key: str(value) for key, value in found.items() if value}

    def upgradable(self) -> dict[tuple[str, str], str]:
        """The version to which each package could be upgraded, by name and architecture."""
        now = (self.packages(), _changed_at(self._root / "var/lib/apt/lists"))
        if now != self._upgradable_for:
            found = self._ask_upgradable()
            if found is not None:
                self._upgradable, self._upgradable_for = found, now
        return self._upgradable

    def facts(self, installed_release: str | None) -> dict[str, str]:
        """All facts as text, each at most 4,096 bytes; keys of [a-z0-9_.]."""
        sources: dict[str, Callable[[], object]] = {
            "hostname": socket.gethostname,
            "kernel": platform.release,
            "architecture": _architecture,
            "machine": platform.machine,
            "cpu_count": os.cpu_count,
            "memory_total_bytes": self._memory,
            "memory_mb": lambda: self._memory() // MEGABYTE,
            "disk_total_bytes": lambda: shutil.disk_usage(self._folder).total,
            "disk_free_bytes": lambda: shutil.disk_usage(self._folder).free,
            "disk_free_mb": lambda: shutil.disk_usage(self._root).free // MEGABYTE,
            "boot_id": lambda: self.boot_id,
            "booted_at": self._booted_at,
            "reboot_required": self._reboot_required,
            "debian_version": lambda: self._line("etc/debian_version"),
            "packages_count": lambda: len(self.packages()),
            "packages_digest": lambda: digest(self.packages()),
            "updates_available": lambda: len(self.upgradable()),
            "installed_release": lambda: installed_release,
            "agent_version": lambda: VERSION,
        }
        values = self._os_release() | {key: _read(source) for key, source in sources.items()}
        return {key: short(value) for key, value in sorted(values.items()) if value not in (None, "")}

    def inventory(self, facts: dict[str, str]) -> dict[str, Any]:
        """The full document: packages, each with what it could be upgraded to, and facts."""
        newer = self.upgradable()
        packages = [_entry(one, newer.get((one.name, one.architecture))) for one in self.packages()]
        return {"packages": packages, "facts": facts}

    def _os_release(self) -> dict[str, object]:
        names = {"os_id": "ID", "os_version": "VERSION_ID", "os_release": "PRETTY_NAME"}
        values: dict[str, str] = {}
        for path in ("etc/os-release", "usr/lib/os-release"):
            if text := self._line(path):
                words = (line.partition("=") for line in text.splitlines())
                values = {name.strip(): value.strip().strip("\"'") for name, _, value in words}
                break
        return {key: values.get(name) for key, name in names.items()}

    def _memory(self) -> int:
        fields = dict(line.split(":", 1) for line in self._text("proc/meminfo").splitlines())
        return int(fields["MemTotal"].split()[0]) * 1024

    def _booted_at(self) -> str:
        lines = (line.split() for line in self._text("proc/stat").splitlines())
        seconds = next(int(line[1]) for line in lines if line[:1] == ["btime"])
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _reboot_required(self) -> str:
        return "true" if self.is_reboot_required else "false"

    def _line(self, name: str) -> str:
        try:
            return self._text(name).strip()
        except OSError:
            return ""

    def _text(self, name: str) -> str:
        return (self._root / name).read_text("utf-8", "replace")


def inventory_digest(document: dict[str, Any]) -> str:
    """Digest of what matters in the inventory: it changes when, and only when, there is news."""
    facts = {key: value for key, value in document["facts"].items() if key not in RESTLESS}
    content = json.dumps({**document, "facts": facts}, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _entry(package: Package, newer: str | None) -> dict[str, str]:
    entry = {"name": package.name, "version": package.version, "architecture": package.architecture}
    return entry if newer is None else {**entry, "upgradable_to": newer}


def _architecture() -> str:
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def _changed_at(folder: Path) -> int | None:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None


def _read(source: Callable[[], object]) -> object:
    try:
        return source()
    except (OSError, ValueError, LookupError, StopIteration):
        return None


def short(value: object) -> str:
    """The value as text of at most 4,096 bytes."""
    return str(value).encode("utf-8", "replace")[:VALUE_LIMIT].decode("utf-8", "ignore")
