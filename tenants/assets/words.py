"""What kinds of assets and reported facts are called on every page."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

KIND_WORDS: dict[str, Any] = {
    "server": _l("Server"),
    "workstation": _l("Workstation"),
    "network": _l("Network device"),
    "printer": _l("Printer"),
    "phone": _l("Phone"),
    "other": _l("Other"),
}
# In the order in which people ask; what is not named here follows under its own name.
FACT_NAMES: dict[str, Any] = {
    "hostname": _l("Host name"),
    "os_release": _l("Operating system"),
    "kernel": _l("Kernel"),
    "installed_release": _l("Installed release"),
    "reboot_required": _l("Restart needed"),
    "booted_at": _l("Started"),
    "cpu_count": _l("Processors"),
    "memory_total_bytes": _l("Memory"),
    "disk_total_bytes": _l("Disk"),
    "disk_free_bytes": _l("Disk free"),
    "architecture": _l("Architecture"),
    "debian_version": _l("Debian version"),
    "packages_count": _l("Packages"),
    "updates_available": _l("Updates available"),
    "agent_version": _l("Agent version"),
    "os_id": _l("System"),
    "os_version": _l("System version"),
    "boot_id": _l("Boot id"),
    "packages_digest": _l("Digest of packages"),
}
FACT_VALUES: dict[str, Any] = {"true": _l("Yes"), "false": _l("No")}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DIGEST = re.compile(r"[0-9a-f]{40,128}")


def told(facts: Mapping[str, Any]) -> list[tuple[Any, Any, int | None]]:
    """Facts as a page shows them: name, value in words, and the size in bytes where the fact is one."""
    order = {key: place for place, key in enumerate(FACT_NAMES)}
    keys = sorted(facts, key=lambda key: (order.get(key, len(order)), key))
    return [(FACT_NAMES.get(key, key), _value(facts[key]), _size(key, facts[key])) for key in keys]


def _value(value: Any) -> Any:
    text = str(value)
    if _DIGEST.fullmatch(text):
        return f"{text[:12]}…"
    if _MOMENT.fullmatch(text):
        return f"{text[:10]} {text[11:16]} UTC"
    return FACT_VALUES.get(text, text)


def _size(key: str, value: Any) -> int | None:
    text = str(value)
    is_size = key.endswith("_bytes") and text.isascii() and text.isdigit() and len(text) < 18
    return int(text) if is_size else None
