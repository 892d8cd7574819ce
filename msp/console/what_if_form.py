"""The short form of a draft that is tried out: months, targets, pauses and hours, or a whole document."""

import json
import re
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.history import ClockKind
from contracts.statements.what_if import MOST_MONTHS
from contracts.terms.document import LONGEST_TARGET, PAUSE_REASONS, PRIORITIES
from msp.console.forms import trimmed
from msp.promises.words import REASON_WORDS, TARGET_WORDS, WEEKDAY_WORDS
from msp.web.months import read_month
from tenants.foundation.errors import Invalid, InvalidMany

CLOCKS = tuple(clock.value for clock in ClockKind)
_HOURS = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)", re.ASCII)
_WHICH = re.compile(r"calendar\.hours\.(\d+)")


class WhatIfForm(FlaskForm):
    """A draft, and the months to try it out on."""

    first = StringField(_l("From month"), filters=[trimmed])
    last = StringField(_l("To month"), filters=[trimmed])
    is_always = BooleanField(_l("Around the clock: this calendar never closes"))
    holidays = TextAreaField(_l("Holidays, one date a line"), [Length(max=8000)], filters=[trimmed])
    document = TextAreaField(_l("Terms as a document"), [Length(max=60_000)], filters=[trimmed])


for _priority in PRIORITIES:
    for _clock in CLOCKS:
        _said = _l("Enter a whole number from %(low)s to %(high)s.", low=1, high=LONGEST_TARGET)
        _label = f"{_priority} {_clock}"
        _field = IntegerField(TARGET_WORDS[_clock], [Optional(), NumberRange(1, LONGEST_TARGET, _said)])
        setattr(WhatIfForm, f"{_priority}_{_clock}", _field)
    setattr(WhatIfForm, f"{_priority}_always", BooleanField(_l("Around the clock")))
for _day in WEEKDAYS:
    setattr(
        WhatIfForm, f"hours_{_day}", StringField(WEEKDAY_WORDS[_day], [Length(max=100)], filters=[trimmed])
    )
for _clock in CLOCKS:
    for _reason in PAUSE_REASONS:
        setattr(WhatIfForm, f"pause_{_clock}_{_reason}", BooleanField(REASON_WORDS[_reason]))


def values_of(terms: dict[str, Any], first: date, last: date) -> dict[str, Any]:
    """The form's values for the terms to begin with."""
    calendar = terms["calendar"]
    values: dict[str, Any] = {
        "first": f"{first:%Y-%m}",
        "last": f"{last:%Y-%m}",
        "is_always": calendar == "always",
    }
    if isinstance(calendar, dict):
        values["holidays"] = "\n".join(calendar.get("holidays", ()))
        for day in WEEKDAYS:
            spans = [one for one in calendar.get("hours", ()) if one["weekday"] == day]
            values[f"hours_{day}"] = ", ".join(f"{one['from']}-{one['to']}" for one in spans)
    for priority, level in terms["service_levels"].items():
        values[f"{priority}_always"] = bool(level.get("always"))
        values |= {f"{priority}_{clock}": level.get(f"{clock}_minutes") for clock in CLOCKS}
    for clock in CLOCKS:
        chosen = terms["pause_reasons"][clock]
        values |= {f"pause_{clock}_{reason}": reason in chosen for reason in PAUSE_REASONS}
    return values


def months_of(form: WhatIfForm) -> tuple[date, date]:
    """The months that were chosen. Raises InvalidMany naming the fields."""
    found: dict[str, date] = {}
    errors: list[tuple[str, Any]] = []
    for name in ("first", "last"):
        try:
            found[name] = read_month(form[name].data or "")
        except Invalid:
            errors.append((name, _l("Write a month as 2026-11.")))
    if not errors:
        count = (found["last"].year - found["first"].year) * 12 + found["last"].month - found["first"].month
        if count < 0:
            errors.append(("last", _l("The last month cannot come before the first.")))
        elif count >= MOST_MONTHS:
            errors.append(("last", _l("Choose at most %(count)s months.", count=MOST_MONTHS)))
    if errors:
        raise InvalidMany(errors)
    return found["first"], found["last"]


def draft_of(form: WhatIfForm, before: dict[str, Any], time_zone: str) -> dict[str, Any]:
    """The document that was pasted, else what the fields make of the terms before. Raises InvalidMany."""
    if form.document.data:
        return _pasted(form.document.data)
    errors: list[tuple[str, Any]] = []
    hours = [
        {"weekday": day, "from": opens, "to": closes}
        for day in WEEKDAYS
        for opens, closes in _hours(form, day, errors)
    ]
    if errors:
        raise InvalidMany(errors)
    calendar = before["calendar"] if isinstance(before["calendar"], dict) else {"time_zone": time_zone}
    changed = calendar | {"hours": hours, "holidays": (form.holidays.data or "").split()}
    return before | {
        "calendar": "always" if form.is_always.data else changed,
        "service_levels": {priority: _level(form, priority) for priority in PRIORITIES},
        "pause_reasons": {clock: _reasons(form, clock) for clock in CLOCKS},
    }


def _pasted(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as wrong:
        raise InvalidMany([("document", _l("This is no JSON document."))]) from wrong
    if not isinstance(document, dict):
        raise InvalidMany([("document", _l("Terms are a JSON object."))])
    return document


def _hours(form: WhatIfForm, day: str, errors: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    typed = form[f"hours_{day}"].data or ""
    if _HOURS.sub("", typed).strip(" ,;"):
        errors.append((f"hours_{day}", _l("Write hours as 08:00-12:00, 13:00-17:00.")))
    return _HOURS.findall(typed)


def _level(form: WhatIfForm, priority: str) -> dict[str, Any]:
    targets = {f"{clock}_minutes": form[f"{priority}_{clock}"].data for clock in CLOCKS}
    return targets | {"always": bool(form[f"{priority}_always"].data)}


def _reasons(form: WhatIfForm, clock: str) -> list[str]:
    return [reason for reason in PAUSE_REASONS if form[f"pause_{clock}_{reason}"].data]


def field_of(member: str, form: WhatIfForm, draft: dict[str, Any]) -> str:
    """The form's field for a member of the draft; a pasted document is one field."""
    if form.document.data:
        return "document"
    hour = _WHICH.match(member)
    if hour:
        return f"hours_{draft['calendar']['hours'][int(hour[1])]['weekday']}"
    if member.startswith("calendar"):
        return "holidays"
    parts = member.split(".")
    if parts[0] == "service_levels" and len(parts) == 3:
        return f"{parts[1]}_{parts[2].removesuffix('_minutes')}"
    return parts[0]
