"""What one version's terms say otherwise than those before, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from contracts.terms.difference import Change, Value, difference
from msp.promises.holidays import country_of, names_of_days
from msp.promises.words import label_of, named_day, value_words


@dataclass(frozen=True)
class Row:
    """One difference as people read it."""

    label: str
    before: str
    after: str


def difference_words(before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    """What later terms say otherwise, in words; holidays year by year."""
    changes = difference(before, after)
    names = _holiday_names(before, after, changes)
    rows: list[Row] = []
    for key, members in groupby(changes, key=_gathered):
        found = list(members)
        rows.append(_holiday_row(key, found, names) if key[0] == "holiday" else _row(found[0]))
    return rows


def _gathered(change: Change) -> tuple[str, ...]:
    """Holidays of one year belong together, everything else stands alone."""
    return ("holiday", change.path[1][:4]) if change.path[0] == "holiday" else change.path


def _row(change: Change) -> Row:
    path = change.path
    return Row(label_of(path), value_words(path, change.before), value_words(path, change.after))


def _holiday_row(key: tuple[str, ...], changes: Sequence[Change], names: dict[date, str]) -> Row:
    def said(values: list[tuple[str, Value]]) -> str:
        days = [(date.fromisoformat(on), name) for on, name in values if name is not None]
        words = [named_day(on, name or names.get(on, "")) for on, name in days]
        count = ngettext("%(num)s day", "%(num)s days", len(words))
        return f"{count}: {'; '.join(words)}" if words else "–"

    before = [(change.path[1], change.before) for change in changes]
    after = [(change.path[1], change.after) for change in changes]
    return Row(_("Holidays of %(year)s that differ", year=key[1]), said(before), said(after))


def _holiday_names(
    before: dict[str, Any], after: dict[str, Any], changes: Sequence[Change]
) -> dict[date, str]:
    days = [date.fromisoformat(change.path[1]) for change in changes if change.path[0] == "holiday"]
    return names_of_days(holiday_country(after) or holiday_country(before), days)


def holiday_country(terms: dict[str, Any]) -> str | None:
    """Whose holidays terms go by: the country that they name, or that of their calendar's zone."""
    calendar = terms["calendar"]
    if "country" in terms:
        return terms["country"] or None
    return country_of(calendar["time_zone"]) if calendar != "always" else None
