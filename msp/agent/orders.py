"""What a release demands beside being installed: read from its chunk's metadata, refused if it is not understood."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .documents import Chunk
from .reasons import Failure, Reason

REBOOTS = ("never", "if_needed", "always")
SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._:\\-]{0,199}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,199}(:[a-z0-9-]{1,40})?")
VERSION = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.+~:-]{0,198}[0-9A-Za-z])?")
Check = dict[str, Any]


@dataclass(frozen=True)
class Orders:
    """The demands of one chunk. `begin_until`: not to be begun after it; `downgrade_from`: see `granted`."""

    reboot: str = "never"
    before: tuple[Check, ...] = ()
    after: tuple[Check, ...] = ()
    systems: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    least_disk_mb: int = 0
    begin_until: datetime | None = None
    downgrade_from: str | None = None

    def granted(self, name: str) -> str | None:
        """The version from which the named thing may come down: JSON of versions by name, or one version for all."""
        if self.downgrade_from is None:
            return None
        try:
            found = json.loads(self.downgrade_from)
        except ValueError:
            found = self.downgrade_from
        if isinstance(found, dict):
            version = found.get(name)
            return version if isinstance(version, str) else None
        return self.downgrade_from.rpartition("/")[2]


def read_orders(chunk: Chunk) -> Orders:
    """The chunk's demands; raises Failure(UNSUPPORTED) for whatever the agent would not honour."""
    given = chunk.metadata
    platform = _object(given.get("platform", "{}"), "platform")
    reboot = given.get("reboot", "never")
    if reboot not in REBOOTS:
        raise _unsupported("reboot")
    return Orders(
        reboot=reboot,
        before=_checks(given.get("checks_before", "[]"), "checks_before"),
        after=_checks(given.get("checks_after", "[]"), "checks_after"),
        systems=_words(platform, "systems"),
        architectures=_words(platform, "architectures"),
        least_disk_mb=_number(platform.get("least_disk_mb", 0), "least_disk_mb"),
        begin_until=_moment(given.get("begin_until")),
        downgrade_from=given.get("downgrade_from") or None,
    )


def is_check(one: object) -> bool:
    """Whether this is a check that the agent knows and can make."""
    if not isinstance(one, dict):
        return False
    match one:
        case {"kind": "disk_free_mb", "path": str(path), "least": int(least)}:
            return path.startswith("/") and "\0" not in path and least >= 0
        case {"kind": "service_active", "name": str(name)}:
            return SERVICE.fullmatch(name) is not None
        case {"kind": "file_present", "path": str(path)}:
            return path.startswith("/") and "\0" not in path
        case {"kind": "tcp_port_open", "port": int(port)}:
            return 0 < port < 65536
        case {"kind": "package_at_least", "name": str(name), "version": str(version)}:
            return PACKAGE.fullmatch(name) is not None and VERSION.fullmatch(version) is not None
    return False


def _checks(text: str, what: str) -> tuple[Check, ...]:
    found = _json(text, what)
    if not isinstance(found, list) or not all(is_check(one) for one in found):
        raise _unsupported(what)
    return tuple(found)


def _words(platform: dict[str, Any], name: str) -> tuple[str, ...]:
    found = platform.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _unsupported(f"platform's {name}")
    return tuple(found)


def _number(value: object, what: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unsupported(what)
    return value


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _unsupported("begin_until") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _object(text: str, what: str) -> dict[str, Any]:
    found = _json(text, what)
    if not isinstance(found, dict):
        raise _unsupported(what)
    return found


def _json(text: str, what: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _unsupported(what) from None


def _unsupported(what: str) -> Failure:
    return Failure(Reason.UNSUPPORTED, f"unsupported: {what} of the release is not understood")
