"""The way between a contract's form and the terms' document, and back to the field where something is wrong."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from contracts.clock.calendar import WEEKDAYS
from contracts.terms import ola
from contracts.terms.difference import span_words
from contracts.terms.document import PAUSE_REASONS, PRIORITIES, calendar_of, default_terms, read_promise
from contracts.terms.promise import MISS, Promise
from msp.console.contract_forms import CLOCKS, NOTIFIED, TermsForm
from msp.promises.changes import holiday_country
from msp.promises.holidays import Offer, country_of, offers
from tenants.foundation.errors import InvalidMany

_HOURS = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\b[\s:,]*(.*)", re.ASCII)
_PLAIN = (
    "auto_close_days",
    "reopen_days",
    "statement_day",
    "included_hours",
    "patch_promise_days",
    "maintenance",
)
_RULES = ("reopen", "change", "update_start")
MOST_YEARS = 12


@dataclass
class Draft:
    """A document as the form describes it, and from which field each of its members came."""

    document: dict[str, Any]
    places: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, Any]] = field(default_factory=list)

    def field_of(self, member: str) -> str:
        """The form's field for a member such as `windows.2.from`; its first part where none is known."""
        parts = member.split(".")
        names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self.places[name] for name in names if name in self.places), parts[0])


def first_terms(time_zone: str, today: date) -> dict[str, Any]:
    """Default terms with this year's and next year's public holidays of the zone's country."""
    terms, country = default_terms(time_zone), country_of(time_zone)
    found = offers(country, (today.year, today.year + 1))
    terms["calendar"]["holidays"] = [offer.on.isoformat() for offer in found if not offer.is_extra]
    return terms | {"country": country}


# -- from a document to fields ----------------------------------------------------------------------------


def fields_of(terms: dict[str, Any], time_zone: str) -> dict[str, Any]:
    """The form's values for a document that was read before; `time_zone` is the contract's."""
    promise = read_promise(terms)
    return {
        **{name: getattr(promise, name) for name in _PLAIN},
        **{name: terms[name] for name in _RULES},
        **_level_fields(terms),
        **_calendar_fields(terms, promise, time_zone),
        "miss_warning": MISS in terms["warn_at_percent"],
        **_action_fields(promise),
        **_credit_fields(promise),
        **_freeze_fields(promise),
    }


def _level_fields(terms: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for priority, level in terms["service_levels"].items():
        values[f"{priority}_always"] = level.get("always", False)
        values |= {f"{priority}_{clock}": level.get(f"{clock}_minutes") for clock in CLOCKS}
    for clock in CLOCKS:
        chosen = terms["pause_reasons"][clock]
        values |= {f"pause_{clock}_{reason}": reason in chosen for reason in PAUSE_REASONS}
    accepted = ola.acceptance_minutes(terms)
    return values | {f"acceptance_{priority}": accepted.get(priority) for priority in PRIORITIES}


def _calendar_fields(terms: dict[str, Any], promise: Promise, time_zone: str) -> dict[str, Any]:
    always = terms["calendar"] == "always"
    calendar = calendar_of(default_terms(time_zone) if always else terms)
    names = dict(promise.holiday_names)
    values: dict[str, Any] = {"always": always}
    for day, name in enumerate(WEEKDAYS):
        values[f"hours_{name}"] = _typed(one.hours for one in calendar.hours if one.weekday == day)
        values[f"window_{name}"] = _typed(one.hours for one in promise.windows if one.weekday == day)
    specials = [f"{special.on} {_typed(special.hours)}".strip() for special in calendar.special_days]
    return values | {
        "special_days": "\n".join(specials),
        "country": (holiday_country(terms) if "country" in terms else country_of(time_zone)) or "",
        "holidays": "\n".join(f"{on} {names.get(on, '')}".strip() for on in sorted(calendar.holidays)),
    }


def _typed(spans: Iterable[Any]) -> str:
    return ", ".join(span_words(hours).replace("–", "-") for hours in spans)


def _action_fields(promise: Promise) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row, action in enumerate(promise.actions):
        name = "miss" if action.at_percent == MISS else f"warning_{row}"
        values[f"{name}_percent"] = action.at_percent
        values[f"{name}_hand_to"] = action.hand_to or ""
        values |= {f"{name}_{who}": who in action.notify for who in NOTIFIED}
    return values


def _credit_fields(promise: Promise) -> dict[str, Any]:
    if promise.credits is None:
        return {}
    values: dict[str, Any] = {"cap_percent": promise.credits.cap_percent}
    for row, step in enumerate(promise.credits.table):
        values[f"credit_{row}_clock"] = step.clock.value
        values[f"credit_{row}_below"] = step.below_percent
        values[f"credit_{row}_credit"] = step.credit_percent
    return values


def _freeze_fields(promise: Promise) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row, freeze in enumerate(promise.freezes):
        values[f"freeze_{row}_from"], values[f"freeze_{row}_to"] = freeze.first_on, freeze.last_on
        values[f"freeze_{row}_name"] = freeze.name
    return values


# -- from fields to a document ----------------------------------------------------------------------------


def draft_of(form: TermsForm, time_zone: str, before: dict[str, Any]) -> Draft:
    """What the form describes; members that it has no field for stay as `before`.

    Raises InvalidMany where a line cannot be understood; whether the terms make sense is the services' business.
    """
    draft = Draft(dict(before), {"calendar.time_zone": "time_zone"})
    _draft_levels(form, draft)
    _draft_acceptance(form, draft)
    _draft_calendar(form, time_zone, draft)
    _draft_actions(form, draft)
    _draft_credits(form, draft)
    _draft_freezes(form, draft)
    draft.document |= {name: form[name].data for name in (*_RULES, *_PLAIN)}
    if draft.errors:
        raise InvalidMany(draft.errors)
    return draft


def _draft_levels(form: TermsForm, draft: Draft) -> None:
    levels: dict[str, Any] = {}
    for priority in PRIORITIES:
        levels[priority] = {f"{clock}_minutes": form[f"{priority}_{clock}"].data for clock in CLOCKS}
        levels[priority]["always"] = bool(form[f"{priority}_always"].data)
        for clock in CLOCKS:
            draft.places[f"service_levels.{priority}.{clock}_minutes"] = f"{priority}_{clock}"
    draft.document["service_levels"] = levels
    draft.document["pause_reasons"] = {
        clock: [reason for reason in PAUSE_REASONS if form[f"pause_{clock}_{reason}"].data]
        for clock in CLOCKS
    }


def _draft_acceptance(form: TermsForm, draft: Draft) -> None:
    """What the provider promises itself; the page offers it in the own company's terms only, others keep theirs."""
    if not any(form[f"acceptance_{priority}"].raw_data for priority in PRIORITIES):
        return
    typed = {priority: form[f"acceptance_{priority}"].data for priority in PRIORITIES}
    minutes = {priority: value for priority, value in typed.items() if value is not None}
    draft.document.pop(ola.MEMBER, None)
    if minutes:
        draft.document[ola.MEMBER] = {"acceptance_minutes": minutes}


def _draft_calendar(form: TermsForm, time_zone: str, draft: Draft) -> None:
    country = form.country.data or None
    days = _accepted_days(form, country, draft)
    calendar = {
        "time_zone": time_zone,
        "hours": _weekly(form, "hours", "calendar.hours", draft),
        "holidays": sorted(days),
        "special_days": list(_special_days(form, draft)),
    }
    draft.places |= {"calendar.holidays": "holidays", "calendar.special_days": "special_days"}
    draft.places["holiday_names"] = "holidays"
    draft.document |= {
        "calendar": "always" if form.always.data else calendar,
        "windows": _weekly(form, "window", "windows", draft),
        "country": country,
        "holiday_names": {on: name for on, name in days.items() if name},
    }


def _accepted_days(form: TermsForm, country: str | None, draft: Draft) -> dict[str, str]:
    """Dates with the names that were typed: ticked ones, those of whole years, and the lines of others."""
    years = [int(year) for year in form.accept_years.data or () if year.isdecimal()]
    days = dict.fromkeys(form.holiday_days.data or (), "")
    days |= {offer.on.isoformat(): "" for offer in offers(country, years) if not offer.is_extra}
    return days | dict(_typed_days(form, draft))


def _typed_days(form: TermsForm, draft: Draft) -> Iterator[tuple[str, str]]:
    for line in (form.holidays.data or "").splitlines():
        found = _DAY.fullmatch(line.strip())
        if found and _is_date(found[1]):
            yield found[1], found[2].strip()
        elif line.strip():
            said = _l("“%(line)s” must be a date such as 2026-12-25, with a name if you like.", line=line)
            draft.errors.append(("holidays", said))


def _special_days(form: TermsForm, draft: Draft) -> Iterator[dict[str, Any]]:
    for line in (form.special_days.data or "").splitlines():
        found = _DAY.fullmatch(line.strip())
        if found and _is_date(found[1]) and not _HOURS.sub("", found[2]).strip(" ,;"):
            hours = [{"from": opens, "to": closes} for opens, closes in _HOURS.findall(found[2])]
            yield {"on": found[1], "hours": hours}
        elif line.strip():
            said = _l("“%(line)s”: write a day and its hours as 2026-12-24 08:00-12:00.", line=line)
            draft.errors.append(("special_days", said))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _weekly(form: TermsForm, group: str, member: str, draft: Draft) -> list[dict[str, str]]:
    """Hours of the week's days; each is noted to have come from its day's field."""
    entries: list[dict[str, str]] = []
    for day in WEEKDAYS:
        typed = form[f"{group}_{day}"].data or ""
        if _HOURS.sub("", typed).strip(" ,;"):
            draft.errors.append((f"{group}_{day}", _l("Write hours as 08:00-12:00, 13:00-17:00.")))
        for opens, closes in _HOURS.findall(typed):
            draft.places[f"{member}.{len(entries)}"] = f"{group}_{day}"
            entries.append({"weekday": day, "from": opens, "to": closes})
    return entries


def _draft_actions(form: TermsForm, draft: Draft) -> None:
    percents: dict[int, str] = {}
    for row in range(form.row_counts["warning"]):
        name = f"warning_{row}"
        percent = form[f"{name}_percent"].data
        if any(form[f"{name}_{part}"].data for part in (*NOTIFIED, "hand_to")):
            _want(form, draft, f"{name}_percent")
        if percent is not None and percent in percents:
            draft.errors.append((f"{name}_percent", _l("This percentage is given twice.")))
        elif percent is not None:
            percents[percent] = name
    ordered = sorted(percents.items())
    kept = [MISS] if form.miss_warning.data else []
    draft.document["warn_at_percent"] = [*(percent for percent, _ in ordered), *kept]
    draft.document["actions"] = [_action(form, *pair) for pair in (*ordered, (MISS, "miss"))]
    for place, (_, name) in enumerate(ordered):
        draft.places[f"warn_at_percent.{place}"] = draft.places[f"actions.{place}"] = f"{name}_percent"


def _action(form: TermsForm, percent: int, name: str) -> dict[str, Any]:
    told = [who for who in NOTIFIED if form[f"{name}_{who}"].data]
    return {"at_percent": percent, "notify": told, "hand_to": form[f"{name}_hand_to"].data or None}


def _draft_credits(form: TermsForm, draft: Draft) -> None:
    table: list[dict[str, Any]] = []
    for row in range(form.row_counts["credit"]):
        clock, below, credit = (form[f"credit_{row}_{part}"].data for part in ("clock", "below", "credit"))
        if not clock and below is None and credit is None:
            continue
        for part, member in (("clock", "clock"), ("below", "below_percent"), ("credit", "credit_percent")):
            draft.places[f"credits.table.{len(table)}.{member}"] = f"credit_{row}_{part}"
        _want(form, draft, *(f"credit_{row}_{part}" for part in ("clock", "below", "credit")))
        table.append({"clock": clock, "below_percent": below, "credit_percent": credit})
    cap = form.cap_percent.data
    if table:
        _want(form, draft, "cap_percent")
    elif cap is not None:
        draft.errors.append(("credit_0_clock", _l("A cap needs at least one credit.")))
    draft.places["credits.cap_percent"] = "cap_percent"
    draft.document["credits"] = {"table": table, "cap_percent": cap} if table else None


def _draft_freezes(form: TermsForm, draft: Draft) -> None:
    freezes: list[dict[str, Any]] = []
    for row in range(form.row_counts["freeze"]):
        names = {part: f"freeze_{row}_{part}" for part in ("from", "to", "name")}
        values = {part: form[name].data for part, name in names.items()}
        if not any(values.values()):
            continue
        draft.places |= {f"freezes.{len(freezes)}.{part}": name for part, name in names.items()}
        _want(form, draft, *names.values())
        dates = {part: values[part].isoformat() for part in ("from", "to") if values[part]}
        freezes.append(dates | {"name": values["name"]})
    draft.document["freezes"] = freezes


def _want(form: TermsForm, draft: Draft, *names: str) -> None:
    """What belongs to a line that was begun must be there."""
    missing = [name for name in names if form[name].data in (None, "")]
    draft.errors += [(name, _l("Fill this in, or leave the whole line empty.")) for name in missing]


def beside_fields(errors: Iterable[tuple[str, Any]], draft: Draft | None) -> list[tuple[str, Any]]:
    """Faults of a document, each beside the form's field that it came from."""
    return [(draft.field_of(name) if draft else name, message) for name, message in errors]


# -- holidays on offer ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfferedYear:
    """A year's days on offer, each with whether it is accepted."""

    year: int
    days: list[tuple[Offer, bool]]

    @property
    def accepted(self) -> int:
        return sum(is_accepted for _, is_accepted in self.days)


def settle_days(form: TermsForm, today: date) -> list[OfferedYear]:
    """The country's days year by year; lines of such a day without a name of their own become its tick."""
    draft = Draft({})
    accepted = _accepted_days(form, form.country.data or None, draft)
    begin = form.in_force_on.data or today
    years = {today.year, today.year + 1, *_years(accepted), *range(begin.year, today.year + 2)}
    found = offers(form.country.data or None, sorted(years)[-MOST_YEARS:])
    known = {offer.on.isoformat() for offer in found}
    if not draft.errors:
        own = sorted((on, name) for on, name in accepted.items() if name or on not in known)
        form.holidays.data = "\n".join(f"{on} {name}".strip() for on, name in own)
    listed = sorted({offer.on.year for offer in found})
    return [
        OfferedYear(year, [(one, one.on.isoformat() in accepted) for one in found if one.on.year == year])
        for year in listed
    ]


def _years(days: Iterable[str]) -> set[int]:
    return {date.fromisoformat(on).year for on in days if _is_date(on)}
