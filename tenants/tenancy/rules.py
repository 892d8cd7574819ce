"""What a client company may be called and how its tickets are ranked: pure checks and suggestions."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l

SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}")
PREFIX = re.compile(r"[A-Z][A-Z0-9]{1,5}")
LANGUAGES = ("id", "en")
LEVELS = ("high", "medium", "low")
PRIORITIES = ("P1", "P2", "P3", "P4")
# Forms of companies say nothing about which company it is.
_FORMS = {"pt", "cv", "ud", "tbk", "persero", "inc", "ltd", "llc", "gmbh", "co", "corp"}
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Problem = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A place of the client to be."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """All that is needed to take on a client; `priority_matrix` None means the default one."""

    name: str
    slug: str
    prefix: str
    time_zone: str = "Asia/Jakarta"
    language: str = "id"
    address: str = ""
    sites: tuple[SitePlan, ...] = ()
    priority_matrix: Mapping[str, str] | None = None
    kind: str = "client"


def problems(plan: Onboarding) -> Iterator[Problem]:
    """Every field at fault with a sentence that says what to do."""
    yield from name_problems(plan.name)
    if not SLUG.fullmatch(plan.slug):
        yield "slug", _l("Use 2 to 39 small letters, digits and hyphens, beginning with a letter.")
    if not PREFIX.fullmatch(plan.prefix):
        yield "prefix", _l("Use 2 to 6 capital letters and digits, beginning with a letter.")
    yield from place_problems(plan.time_zone, plan.language)
    yield from site_problems(plan.sites)
    if plan.priority_matrix is not None:
        yield from matrix_problems(plan.priority_matrix)


def name_problems(name: str) -> Iterator[Problem]:
    """A name is needed, of at most 120 characters."""
    if not name or len(name) > 120 or _UNSTORABLE.search(name):
        yield "name", _l("Enter a name of 1 to 120 characters.")


def place_problems(time_zone: str, language: str) -> Iterator[Problem]:
    """Zone and language are known ones."""
    if time_zone not in known_zones():
        yield "time_zone", _l("Choose a time zone from the list.")
    if language not in LANGUAGES:
        yield "language", _l("Choose Indonesian or English.")


def site_problems(sites: Iterable[SitePlan]) -> Iterator[Problem]:
    """Sites have names, each once; the field is `sites-0-name` and so on."""
    seen: set[str] = set()
    for place, site in enumerate(sites):
        key = site.name.casefold()
        if not site.name or len(site.name) > 120 or _UNSTORABLE.search(site.name + site.address):
            yield f"sites-{place}-name", _l("Enter a name of 1 to 120 characters.")
        elif key in seen:
            yield f"sites-{place}-name", _l("Another site has this name already.")
        seen.add(key)


def matrix_problems(matrix: Mapping[str, str]) -> Iterator[Problem]:
    """A matrix gives one priority for each impact and urgency."""
    pairs = {cell(impact, urgency) for impact in LEVELS for urgency in LEVELS}
    if set(matrix) != pairs or not set(matrix.values()) <= set(PRIORITIES):
        yield "priority_matrix", _l("Choose a priority for each impact and urgency.")


def cell(impact: str, urgency: str) -> str:
    """The matrix's key for an impact and an urgency."""
    return f"{impact}/{urgency}"


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Zones that people may choose."""
    return frozenset(
        zone for zone in available_timezones() if zone != "Factory" and not zone.startswith("posix")
    )


def suggest_slug(name: str, taken: Collection[str] = ()) -> str:
    """A free short name for addresses, made of the company's name."""
    words = "-".join(_words(name))[:32].strip("-")
    base = words if SLUG.fullmatch(words) else f"client-{words}".strip("-")[:32].strip("-")
    return next(one for one in _numbered(base, "-") if one not in taken)


def suggest_prefix(name: str, taken: Collection[str] = ()) -> str:
    """A free prefix for ticket codes: initials of three words or more, else the first letters."""
    words = [word.upper() for word in _words(name)]
    initials = "".join(word[0] for word in words)
    base = (initials if len(words) > 2 else "".join(words))[:4]
    if not PREFIX.fullmatch(base):
        base = ("C" + base)[:4].ljust(2, "L")
    return next(one for one in _numbered(base, "") if one not in taken)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return [word for word in words if word not in _FORMS] or words


def _numbered(base: str, joint: str) -> Iterator[str]:
    yield base
    for number in range(2, 10_000):
        yield f"{base[: 6 - len(str(number))] if not joint else base}{joint}{number}"


def clean(text: str) -> str:
    """Text for a search: without characters that the database cannot hold."""
    return _UNSTORABLE.sub("", text).strip()
