"""The form of a contract's terms, and the way between its fields and the terms' document."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import holidays
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from contracts.clock.calendar import WEEKDAYS
from contracts.terms.document import LONGEST_TARGET, PAUSE_REASONS, PRIORITIES, default_terms
from msp.console.forms import trimmed, zone_choices
from msp.web.fields import options
from tenants.foundation.errors import InvalidMany

DAY_WORDS = dict(
    zip(
        WEEKDAYS,
        (
            _l("Monday"),
            _l("Tuesday"),
            _l("Wednesday"),
            _l("Thursday"),
            _l("Friday"),
            _l("Saturday"),
            _l("Sunday"),
        ),
        strict=True,
    )
)
REASON_WORDS = {
    "requester": _l("waiting for the requester"),
    "vendor": _l("waiting for a vendor"),
    "part": _l("waiting for a part"),
    "visit": _l("waiting for a visit"),
    "change": _l("waiting for a change"),
}
CLOCKS = ("response", "resolution")
_HOURS = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)", re.ASCII)
_WHICH = re.compile(r"calendar\.hours\.(\d+)")


def _minutes(label: Any) -> IntegerField:
    bounds = NumberRange(1, LONGEST_TARGET, _l("Enter whole minutes, at least 1."))
    return IntegerField(label, [Optional(), bounds])


class TermsForm(FlaskForm):
    """A version's terms in fields."""

    in_force_on = DateField(_l("In force from"), [DataRequired(_l("Enter a date."))])
    note = StringField(_l("What changes, in a sentence"), [Length(max=300)], filters=[trimmed])
    holidays = TextAreaField(_l("Holidays, one date a line"), [Length(max=8000)], filters=[trimmed])
    warn_at_percent = StringField(
        _l("Warn when this share of the time is used, in percent"), [Length(max=60)]
    )
    reopen = SelectField(
        _l("When a ticket is reopened"),
        choices=options(
            [
                ("continue", _l("the clock goes on without the time it was resolved")),
                ("count", _l("the time it was resolved counts too")),
                ("new_cycle", _l("a new clock starts")),
            ]
        ),
    )
    change = SelectField(
        _l("When the priority changes"),
        choices=options(
            [
                ("from_creation", _l("the new target is measured from the ticket's creation")),
                ("from_change", _l("the new target is measured from the change")),
            ]
        ),
    )


class ContractForm(TermsForm):
    """A new contract with its first terms."""

    name = StringField(_l("Name"), [DataRequired(_l("Enter a name.")), Length(max=120)], filters=[trimmed])
    time_zone = SelectField(_l("Time zone"), default="Asia/Jakarta")
    ends_on = DateField(_l("Ends on"), [Optional()])
    monthly_fee = IntegerField(
        _l("Monthly fee, in whole units"), [Optional(), NumberRange(0, 10**12, _l("Enter an amount."))]
    )
    currency = StringField(_l("Currency"), [Length(3, 3, _l("Three letters, such as IDR."))], default="IDR")


for _priority in PRIORITIES:
    for _clock in CLOCKS:
        setattr(TermsForm, f"{_priority}_{_clock}", _minutes(f"{_priority} {_clock}"))
    setattr(TermsForm, f"{_priority}_always", BooleanField(_priority))
for _day in WEEKDAYS:
    setattr(TermsForm, f"hours_{_day}", StringField(DAY_WORDS[_day], [Length(max=100)], filters=[trimmed]))
for _clock in CLOCKS:
    for _reason in PAUSE_REASONS:
        setattr(TermsForm, f"pause_{_clock}_{_reason}", BooleanField(REASON_WORDS[_reason]))


def prepare(form: ContractForm) -> None:
    """Choices that depend on the day."""
    form.time_zone.choices = options(zone_choices())


def fields_of(terms: dict[str, Any]) -> dict[str, Any]:
    """The form's values for a document."""
    calendar = terms["calendar"] if isinstance(terms["calendar"], dict) else default_terms("UTC")["calendar"]
    values: dict[str, Any] = {
        "holidays": "\n".join(calendar["holidays"]),
        "warn_at_percent": ", ".join(map(str, terms["warn_at_percent"])),
        "reopen": terms["reopen"],
        "change": terms["change"],
    }
    for day in WEEKDAYS:
        spans = [f"{one['from']}-{one['to']}" for one in calendar["hours"] if one["weekday"] == day]
        values[f"hours_{day}"] = ", ".join(spans)
    for priority, level in terms["service_levels"].items():
        values[f"{priority}_always"] = level.get("always", False)
        values |= {f"{priority}_{clock}": level.get(f"{clock}_minutes") for clock in CLOCKS}
    for clock in CLOCKS:
        chosen = terms["pause_reasons"][clock]
        values |= {f"pause_{clock}_{reason}": reason in chosen for reason in PAUSE_REASONS}
    return values


def document_of(form: TermsForm, time_zone: str, before: dict[str, Any]) -> dict[str, Any]:
    """The document that the form describes; what it has no field for stays as `before`. Raises InvalidMany."""
    errors: list[tuple[str, Any]] = []
    hours = [
        {"weekday": day, "from": opens, "to": closes}
        for day in WEEKDAYS
        for opens, closes in _hours(form, day, errors)
    ]
    percents = _percents(form.warn_at_percent.data or "", errors)
    if errors:
        raise InvalidMany(errors)
    calendar = before["calendar"] if isinstance(before["calendar"], dict) else {}
    return before | {
        "calendar": calendar
        | {"time_zone": time_zone, "hours": hours, "holidays": (form.holidays.data or "").split()},
        "service_levels": {priority: _level(form, priority) for priority in PRIORITIES},
        "pause_reasons": before["pause_reasons"] | {clock: _reasons(form, clock) for clock in CLOCKS},
        "reopen": form.reopen.data,
        "change": form.change.data,
        "warn_at_percent": percents,
    }


def _hours(form: TermsForm, day: str, errors: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    typed = form[f"hours_{day}"].data or ""
    if typed and _HOURS.sub("", typed).strip(" ,;"):
        errors.append((f"hours_{day}", _l("Write hours as 08:00-12:00, 13:00-17:00.")))
    return _HOURS.findall(typed)


def _percents(typed: str, errors: list[tuple[str, Any]]) -> list[int]:
    words = typed.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() for word in words):
        errors.append(("warn_at_percent", _l("Write whole percents, such as 50, 75, 90.")))
        return []
    return [int(word) for word in words]


def _level(form: TermsForm, priority: str) -> dict[str, Any]:
    targets = {f"{clock}_minutes": form[f"{priority}_{clock}"].data for clock in CLOCKS}
    return targets | {"always": bool(form[f"{priority}_always"].data)}


def _reasons(form: TermsForm, clock: str) -> list[str]:
    return [reason for reason in PAUSE_REASONS if form[f"pause_{clock}_{reason}"].data]


def beside_fields(errors: Iterable[tuple[str, Any]], terms: dict[str, Any]) -> list[tuple[str, Any]]:
    """Faults of a document, each beside the form's field that it came from."""
    return [(_field(name, terms), message) for name, message in errors]


def _field(name: str, terms: dict[str, Any]) -> str:
    hour = _WHICH.match(name)
    if hour:
        return f"hours_{terms['calendar']['hours'][int(hour.group(1))]['weekday']}"
    if name.startswith("calendar.holidays"):
        return "holidays"
    if name.startswith("calendar.time_zone"):
        return "time_zone"
    parts = name.split(".")
    if parts[0] == "service_levels" and len(parts) == 3:
        return f"{parts[1]}_{parts[2].removesuffix('_minutes')}"
    return parts[0]


def suggested_holidays(years: Iterable[int], country: str = "ID") -> list[str]:
    """Public holidays to begin with; staff change them, and the contract keeps what they saved."""
    return sorted(on.isoformat() for on in holidays.country_holidays(country, years=list(years)))


def first_terms(time_zone: str, today: date) -> dict[str, Any]:
    """Default terms with this year's and next year's holidays."""
    terms = default_terms(time_zone)
    terms["calendar"]["holidays"] = suggested_holidays((today.year, today.year + 1))
    return terms
