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
RESTLESS = ("disk_free_bytes", "booted_at")


class Machine:
    """The machine's facts; `root` is the file system to read, `folder` the one whose disk space counts."""

    def __init__(self, folder: Path, root: Path = Path("/")) -> None:
        self._folder = folder
        self._root = root
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

    def facts(self, installed_release: str | None) -> dict[str, str]:
        """All facts as text, each at most 4,096 bytes; keys of [a-z0-9_.]."""
        sources: dict[str, Callable[[], object]] = {
            "hostname": socket.gethostname,
            "kernel": platform.release,
            "architecture": platform.machine,
            "cpu_count": os.cpu_count,
            "memory_total_bytes": self._memory,
            "disk_total_bytes": lambda: shutil.disk_usage(self._folder).total,
            "disk_free_bytes": lambda: shutil.disk_usage(self._folder).free,
            "boot_id": lambda: self.boot_id,
            "booted_at": self._booted_at,
            "reboot_required": self._reboot_required,
            "debian_version": lambda: self._line("etc/debian_version"),
            "packages_count": lambda: len(self.packages()),
            "packages_digest": lambda: digest(self.packages()),
            "installed_release": lambda: installed_release,
            "agent_version": lambda: VERSION,
        }
        values = self._os_release() | {key: _read(source) for key, source in sources.items()}
        return {key: short(value) for key, value in sorted(values.items()) if value not in (None, "")}

    def inventory(self, facts: dict[str, str]) -> dict[str, Any]:
        """The full document: packages and facts."""
        packages = [
            {"name": p.name, "version": p.version, "architecture": p.architecture} for p in self.packages()
        ]
        return {"packages": packages, "facts": facts}

    def _os_release(self) -> dict[str, object]:
        try:
            values = platform.freedesktop_os_release()
        except OSError:
            return {}
        names = {"os_id": "ID", "os_version": "VERSION_ID", "os_release": "PRETTY_NAME"}
        return {key: values.get(name) for key, name in names.items()}

    def _memory(self) -> int:
        fields = dict(line.split(":", 1) for line in self._text("proc/meminfo").splitlines())
        return int(fields["MemTotal"].split()[0]) * 1024

    def _booted_at(self) -> str:
        lines = (line.split() for line in self._text("proc/stat").splitlines())
        seconds = next(int(line[1]) for line in lines if line[:1] == ["btime"])
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _reboot_required(self) -> str:
        return "true" if any((self._root / mark).exists() for mark in REBOOT_MARKS) else "false"

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


def _read(source: Callable[[], object]) -> object:
    try:
        return source()
    except (OSError, ValueError, LookupError, StopIteration):
        return None


def short(value: object) -> str:
    """The value as text of at most 4,096 bytes."""
    return str(value).encode("utf-8", "replace")[:VALUE_LIMIT].decode("utf-8", "ignore")
