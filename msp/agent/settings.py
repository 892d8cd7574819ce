"""What the agent must know: the portal's address, who it is, and its credential."""

import argparse
import dataclasses
import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

CONTROLLER_ID = re.compile(r"[A-Za-z0-9._:-]{1,256}")
TENANT = re.compile(r"[A-Za-z0-9._-]{1,128}")
TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")
MINIMUM_FREE = 16 * 1024 * 1024


class Unusable(Exception):
    """The settings cannot be used; the message names each fault."""


@dataclass(frozen=True)
class Settings:
    """Values of config.json, overruled by flags."""

    url: str
    tenant: str
    controller_id: str
    token: str | None = None
    enrolment_token: str | None = None
    poll_seconds: float | None = None
    minimum_free_bytes: int = MINIMUM_FREE
    ca_file: str | None = None
    allow_plain_http: bool = False
    root: str = "/"
    allow_reboots: bool = False

    @property
    def base(self) -> str:
        """The address of this controller's poll document."""
        tenant, controller = quote(self.tenant, safe=""), quote(self.controller_id, safe=":")
        return f"{self.url.rstrip('/')}/{tenant}/controller/v1/{controller}"


KINDS: dict[str, tuple[type, ...]] = {
    "url": (str,),
    "tenant": (str,),
    "controller_id": (str,),
    "token": (str,),
    "enrolment_token": (str,),
    "poll_seconds": (int, float),
    "minimum_free_bytes": (int,),
    "ca_file": (str,),
    "allow_plain_http": (bool,),
    "root": (str,),
    "allow_reboots": (bool,),
}


def load(config: Path, flags: argparse.Namespace) -> Settings:
    """Settings from the file and the flags; raises Unusable with all faults at once."""
    values = _from_file(config) | _from_flags(flags)
    faults = [*_shape_faults(values)]
    if faults:
        raise Unusable("; ".join(faults))
    settings = Settings(**values)
    faults = [*_faults(settings)]
    if faults:
        raise Unusable("; ".join(faults))
    return settings


def is_loopback(host: str | None) -> bool:
    """Whether the host name can only mean this machine."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_file(config: Path) -> dict[str, Any]:
    try:
        content = json.loads(config.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unusable(f"{config}: {error}") from None
    if not isinstance(content, dict):
        raise Unusable(f"{config}: must be a JSON object")
    return {key: value for key, value in content.items() if value is not None}


def _from_flags(flags: argparse.Namespace) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(Settings)]
    given = {name: getattr(flags, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _shape_faults(values: dict[str, Any]) -> list[str]:
    faults = [f"{name} is missing" for name in ("url", "tenant", "controller_id") if name not in values]
    for name, value in values.items():
        if name not in KINDS:
            faults.append(f"{name} is no setting")
        elif not _fits(value, KINDS[name]):
            faults.append(f"{name} must be {KINDS[name][0].__name__}")
    return faults


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _faults(settings: Settings) -> list[str]:
    faults = _address_faults(settings)
    if not TENANT.fullmatch(settings.tenant) or settings.tenant in (".", ".."):
        faults.append("tenant must be a slug")
    if not CONTROLLER_ID.fullmatch(settings.controller_id) or settings.controller_id in (".", ".."):
        faults.append("controller_id may hold letters, digits and . _ : - only, at most 256")
    for name in ("token", "enrolment_token"):
        value = getattr(settings, name)
        if value is not None and not TOKEN.fullmatch(value):
            faults.append(f"{name} must be printable without spaces")
    if settings.poll_seconds is not None and not 0.05 <= settings.poll_seconds <= 86400:
        faults.append("poll_seconds must lie between 0.05 and 86400")
    if settings.minimum_free_bytes < 0:
        faults.append("minimum_free_bytes must not be negative")
    root = Path(settings.root)
    if not root.is_absolute() or ".." in root.parts or not root.is_dir() or '"' in settings.root:
        faults.append("root must be the absolute path of a folder")
    return faults


def _address_faults(settings: Settings) -> list[str]:
    try:
        parts = urlsplit(settings.url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return ["url is no address"]
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        return ["url must be http(s)://host[:port][/prefix]"]
    if parts.scheme == "http" and not is_loopback(host) and not settings.allow_plain_http:
        return ["url must be https, as the token would travel in the clear (allow_plain_http overrules)"]
    return []
