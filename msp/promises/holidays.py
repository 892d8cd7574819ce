"""Public holidays of a country as an offer: staff accept or change them, and the contract keeps the dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from flask_babel import gettext as _
from holidays.constants import GOVERNMENT, PUBLIC

from msp.web.formats import reader_locale

ENGLISH = "en_US"
KNOWN_YEARS = range(2000, 2101)


@dataclass(frozen=True)
class Offer:
    """A day that the country's calendar has; an estimated one depends on the moon or a decree still to come.

    `is_extra` marks days on which government rests and companies may: Indonesia's joint leave.
    """

    on: date
    name: str
    is_estimated: bool = False
    is_extra: bool = False

    @property
    def words(self) -> str:
        """The name, with a word where the date is only estimated."""
        return _("%(name)s (estimated)", name=self.name) if self.is_estimated else self.name


def country_of(time_zone: str) -> str | None:
    """The country in which a zone's people live; None for a zone of no country, such as UTC."""
    found = get_global("zone_territories").get(time_zone)
    return found if found in countries() else None


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """The countries whose holidays are known."""
    return frozenset(code for code in holidays.list_supported_countries(False) if len(code) == 2)


def country_choices() -> list[tuple[str, str]]:
    """Countries by their names in the reader's language, Indonesia first."""
    names = reader_locale().territories
    named = sorted((str(names.get(code, code)), code) for code in countries() - {"ID"})
    return [("ID", str(names.get("ID", "Indonesia"))), *((code, name) for name, code in named)]


def offers(country: str | None, years: Iterable[int]) -> list[Offer]:
    """The days of these years in order, named in the reader's language where the library speaks it."""
    if country not in countries():
        return []
    language = reader_locale().language
    known = sorted(year for year in set(years) if year in KNOWN_YEARS)
    return [offer for year in known for offer in _of_year(country, year, language)]


def names_of_days(country: str | None, days: Iterable[date]) -> dict[date, str]:
    """What the country calls those of the days that it rests on."""
    wanted = set(days)
    found = offers(country, {on.year for on in wanted})
    return {offer.on: offer.words for offer in found if offer.on in wanted}


@lru_cache(maxsize=256)
def _of_year(country: str, year: int, language: str) -> tuple[Offer, ...]:
    known = holidays.country_holidays(country)
    spoken = _spoken(known.supported_languages, known.default_language, language)
    extra = [GOVERNMENT] if GOVERNMENT in known.supported_categories else []
    public = holidays.country_holidays(country, years=year, language=spoken, categories=[PUBLIC])
    every = holidays.country_holidays(country, years=year, language=spoken, categories=[PUBLIC, *extra])
    suffix = every.tr(known.estimated_label).replace("%s", "") if _estimates(known) else ""
    return tuple(
        Offer(on, _plain(every[on], suffix), bool(suffix) and suffix in every[on], on not in public)
        for on in sorted(every)
        if on.year == year
    )


def _plain(name: str, suffix: str) -> str:
    return (name.replace(suffix, "") if suffix else name).replace("; ", ", ")


def _estimates(known: holidays.HolidayBase) -> bool:
    return bool(getattr(known, "estimated_label", None))


def _spoken(languages: Iterable[str], default: str | None, wanted: str) -> str | None:
    """The wanted language where the library has it for this country, else English, else the country's own."""
    have = list(languages)
    found = [one for one in have if _language(one) == wanted and not (wanted == "en" and ENGLISH in have)]
    if found:
        return found[0]
    return ENGLISH if ENGLISH in have else default


def _language(name: str) -> str:
    try:
        return Locale.parse(name).language
    except (UnknownLocaleError, ValueError):
        return name
