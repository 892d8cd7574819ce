"""What may be said about an asset: pure checks and decisions."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l

from tenants.assets.models import KINDS, Asset
from tenants.foundation.errors import Invalid

SILENT_AFTER = timedelta(minutes=15)
MOST_FACTS = 100
LONGEST_KEY = 128
LONGEST_VALUE = 4096
MOST_PACKAGES = 20_000
LONGEST_NAME = 120
LONGEST_NOTES = 4000
MOST_TAGS = 20
TAG = re.compile(r"[\w.:-]{1,40}")
CONTROLLER_ID = re.compile(r"[A-Za-z0-9._:-]{1,256}")
# Programs for remote work that open by a link; a link that runs a script in the portal is none of them.
REMOTE_SCHEMES = ("https", "rustdesk", "meshcentral", "mcrouter", "anydesk", "teamviewer10")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Package(NamedTuple):
    """An installed package as its asset reports it; `upgradable_to` is empty where it is up to date."""

    name: str
    version: str
    architecture: str = ""
    upgradable_to: str = ""


def clean(text: Any, longest: int) -> str:
    """Text as it may be stored: no control characters or lone surrogates, at most `longest` characters."""
    return _UNPRINTABLE.sub("", str(text)).strip()[:longest]


def merged_facts(stored: Mapping[str, Any], given: Mapping[str, Any], mode: str = "merge") -> dict[str, str]:
    """Facts after a report: `merge` adds (None deletes), `replace` begins anew, `remove` drops the keys.

    Raises Invalid for an unknown mode, too many facts or an unusable key.
    """
    if mode not in ("merge", "replace", "remove"):
        raise Invalid("mode", _l("Use merge, replace or remove."))
    known = {} if mode == "replace" else dict(stored)
    for key, value in given.items():
        if not isinstance(key, str) or not key.strip() or clean(key, LONGEST_KEY) != key:
            raise Invalid("data", _l("A fact's name has 1 to 128 printable characters."))
        known.pop(key, None)
        if mode != "remove" and value is not None:
            known[key] = clean(value, LONGEST_VALUE)
    if len(known) > MOST_FACTS:
        raise Invalid("data", _l("An asset has at most 100 facts."))
    return known


def distinct_packages(given: Iterable[Any]) -> list[Package]:
    """Each name and architecture once, sorted; the last version wins. Raises Invalid for more than 20,000."""
    found: dict[tuple[str, str], Package] = {}
    for name, version, architecture, *newer in given:
        upgradable_to = clean(newer[0], 200) if newer else ""
        one = Package(clean(name, 200), clean(version, 200), clean(architecture, 40), upgradable_to)
        if one.name:
            found[one.name, one.architecture] = one
    if len(found) > MOST_PACKAGES:
        raise Invalid("packages", _l("A report lists at most 20,000 packages."))
    return sorted(found.values())


def packages_digest(packages: Iterable[Package]) -> bytes:
    """SHA-256 over the list: equal lists need no writing."""
    return hashlib.sha256(json.dumps([list(one) for one in packages]).encode()).digest()


def is_asset_silent(asset: Asset, at: datetime) -> bool:
    """Whether an asset that should report has not been heard of for a quarter of an hour."""
    if asset.state != "active" or asset.controller_id is None:
        return False
    return asset.last_seen_at is None or at - asset.last_seen_at > SILENT_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What people say about an asset; `site_id` is a row id that the caller found in the same tenant.

    `remote_url` None leaves the link as it is, an empty one takes it away.
    """

    name: str
    kind: str = "workstation"
    site_id: int | None = None
    serial: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    controller_id: str | None = None
    remote_url: str | None = None


def is_remote_url(url: str) -> bool:
    """Whether a link opens a tool for remote work: a known scheme with a place in it, and no password."""
    return is_link(url, REMOTE_SCHEMES)


def is_link(url: str, schemes: Collection[str]) -> bool:
    """Whether this is a link of one of the schemes that may stand on a page: with a place in it, and no password."""
    if len(url) > 500 or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.netloc or parts.path) and not parts.password
    except ValueError:
        return False


def remote_link(asset: Asset | None) -> str | None:
    """The link to its remote tool as a page may show it: judged again, whichever way it came into the row."""
    url = asset.remote_url if asset is not None else None
    return url if url and is_remote_url(url) else None


def problems(entered: Entered) -> Iterator[tuple[str, Any]]:
    """Every field at fault with a sentence that says what to do."""
    if not entered.name or entered.name != clean(entered.name, LONGEST_NAME):
        yield "name", _l("Enter a name of 1 to 120 characters.")
    if entered.kind not in KINDS:
        yield "kind", _l("Choose one of: server, workstation, network, printer, phone, other.")
    if entered.serial is not None and entered.serial != clean(entered.serial, LONGEST_NAME):
        yield "serial", _l("A serial number has at most 120 characters.")
    if len(entered.tags) > MOST_TAGS or not all(TAG.fullmatch(tag) for tag in entered.tags):
        yield "tags", _l("Use at most 20 tags of up to 40 letters, digits, hyphens and dots.")
    if entered.notes != clean(entered.notes, LONGEST_NOTES):
        yield "notes", _l("Notes have at most 4,000 characters.")
    if entered.remote_url and not is_remote_url(entered.remote_url):
        yield "remote_url", _l("Enter a link such as https://… or rustdesk://…, without a password in it.")
    if entered.controller_id is not None and not CONTROLLER_ID.fullmatch(entered.controller_id):
        yield "controller_id", _l("Use up to 256 letters, digits, dots, colons, hyphens and underscores.")


def split_tags(text: str) -> tuple[str, ...]:
    """Tags from a line of text: separated by commas or spaces, small letters, each once, in order."""
    return tuple(dict.fromkeys(one.lower() for one in re.split(r"[,;\s]+", text) if one))
