"""Installed Debian packages, read from dpkg's own database without running anything."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FIELDS = ("Package", "Status", "Version", "Architecture")


class Package(NamedTuple):
    """One installed package."""

    name: str
    version: str
    architecture: str


def read_packages(status: Path) -> tuple[Package, ...]:
    """Packages whose state is `installed`, sorted; raises OSError."""
    with status.open(encoding="utf-8", errors="replace") as lines:
        return tuple(sorted(_installed(lines)))


def digest(packages: Iterable[Package]) -> str:
    """SHA-256 over the sorted list."""
    lines = "".join(f"{p.name}\t{p.architecture}\t{p.version}\n" for p in sorted(packages))
    return hashlib.sha256(lines.encode()).hexdigest()


def _installed(lines: Iterable[str]) -> Iterator[Package]:
    for fields in _stanzas(lines):
        words = fields.get("Status", "").split()
        if len(words) == 3 and words[2] == "installed" and "Package" in fields:
            yield Package(fields["Package"], fields.get("Version", ""), fields.get("Architecture", ""))


def _stanzas(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line == "\n":
            yield fields
            fields = {}
        elif not line[0].isspace():
            name, _, value = line.partition(":")
            if name in FIELDS:
                fields[name] = value.strip()
    yield fields
