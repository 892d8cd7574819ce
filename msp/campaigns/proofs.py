"""Whether an asset's facts and inventory prove that a release is in place: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from msp.agent.versions import compare

Installed = Mapping[str, Sequence[str]]


def has_packages(wanted: Sequence[Mapping[str, Any]], installed: Installed, *, exactly: bool = False) -> bool:
    """Whether each package is there at its version or a higher one; exactly that one after a rollback.

    `installed` holds the versions by name: one for each architecture.
    """
    return all(
        any(_fits(version, one["version"], exactly) for version in installed.get(plain_name(one["name"]), ()))
        for one in wanted
    )


def plain_name(name: str) -> str:
    """A package's name without the architecture that may follow it."""
    return name.partition(":")[0]


def has_rebooted(wish: str | None, before: str | None, now: str | None) -> bool:
    """Whether a reboot that the release always wants is proven: the boot id is another one than at the start."""
    return wish != "always" or (before is not None and now is not None and now != before)


def is_reboot_pending(kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether an installation of packages or a script left a reboot to be done."""
    return kind != "file" and facts.get("reboot_required") == "true"


def _fits(version: str, wanted: str, exactly: bool) -> bool:
    order = compare(version, wanted)
    return order == 0 if exactly else order >= 0
