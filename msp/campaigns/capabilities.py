"""What an asset's client can do: by the name that the client gives itself, unless people know better. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

OWN, SWUPDATE, RAUC, MENDER, UNKNOWN = "msp-agent", "swupdate", "rauc", "mender", "unknown"
CLIENTS = (OWN, SWUPDATE, RAUC, MENDER, UNKNOWN)
# How clients begin their User-Agent header; libcurl is what swupdate leaves there when it says nothing else.
_NAMED = (
    (re.compile(r"msp-agent/", re.I), OWN),
    (re.compile(r"rauc", re.I), RAUC),
    (re.compile(r"swupdate|libcurl-agent/", re.I), SWUPDATE),
    (re.compile(r"mender", re.I), MENDER),
)
_SUFFIXES = {SWUPDATE: ".swu", MENDER: ".mender"}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Whether a client can do a thing; what is not known of a client is not assumed."""

    # `update=skip` means "download and wait" to it, and not "report success".
    understands_skip: bool = False
    # More than one chunk with one file.
    takes_many_files: bool = False
    cancels_download: bool = True
    cancels_install: bool = False
    # Its success means that the machine started again and works.
    confirms_boot: bool = False
    # It tells a result again until the portal has it, through a restart.
    keeps_result: bool = False
    # Runs packages and scripts by itself, and not images of its own format only.
    installs_packages: bool = False


KNOWN: dict[str, Capabilities] = {
    OWN: Capabilities(
        understands_skip=True,
        takes_many_files=True,
        cancels_install=True,
        confirms_boot=True,
        keeps_result=True,
        installs_packages=True,
    ),
    SWUPDATE: Capabilities(takes_many_files=True, confirms_boot=True),
    RAUC: Capabilities(understands_skip=True),
    MENDER: Capabilities(cancels_install=True, confirms_boot=True, keeps_result=True),
    UNKNOWN: Capabilities(),
}
NAMES = tuple(one.name for one in fields(Capabilities))


def client_of(user_agent: str) -> str | None:
    """The client that names itself like this; None for one that is not known."""
    return next((client for pattern, client in _NAMED if pattern.search(user_agent)), None)


def client_named(stored: Mapping[str, Any]) -> str:
    """The client of an asset: what people chose, else what it said."""
    found = stored.get("by_staff", {}).get("client") or stored.get("client") or UNKNOWN
    return str(found) if found in CLIENTS else UNKNOWN


def capabilities_of(stored: Mapping[str, Any]) -> Capabilities:
    """What an asset's record says, overridden where people did so."""
    chosen = stored.get("by_staff", {})
    given = {name: chosen[name] for name in NAMES if isinstance(chosen.get(name), bool)}
    return replace(KNOWN[client_named(stored)], **given)


def overrides(client: str, wanted: Mapping[str, bool]) -> dict[str, bool]:
    """The members in which a wish differs from what is known of the client."""
    known = asdict(KNOWN.get(client, Capabilities()))
    return {name: bool(value) for name, value in wanted.items() if name in known and known[name] != value}


def files_for(client: str, filenames: Collection[str]) -> list[str]:
    """Those of a release's files that this client is to have: images of its own format, or what is no image."""
    suffix = _SUFFIXES.get(client)
    if suffix is not None:
        return [one for one in filenames if one.endswith(suffix)]
    plain = [one for one in filenames if not one.endswith(tuple(_SUFFIXES.values()))]
    return plain or list(filenames)


def can_take(stored: Mapping[str, Any], kind: str, filenames: Collection[str]) -> bool:
    """Whether an asset's client can install a release: images go to their own clients only, packages to none of them.

    A client that has not named itself is asked: it says itself that it cannot, and its wave stops.
    """
    client = client_named(stored)
    if kind != "file":
        return client == UNKNOWN or capabilities_of(stored).installs_packages
    suffix = _SUFFIXES.get(client)
    return suffix is None or any(one.endswith(suffix) for one in filenames)
