"""The calculator's form, and the way between its fields and the calculation's document.

The form checks nothing itself: `contracts.clock.calculation` reads the document, and each fault goes beside its field.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.faults import MESSAGES, Fault
from contracts.clock.zones import ZONE_NAMES
from msp.web.fields import options

HOME_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "UTC")
FEWEST_PAUSES, MOST_PAUSES = 2, 50
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
MOMENT = "%Y-%m-%d %H:%M"
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)", re.ASCII)
_DASH = re.compile(r"\s*[-–]\s*")
_COMMA = re.compile(r"[,;]\s*")
Placed = tuple[str, str]


def _text(label: Any) -> StringField:
    return StringField(label, filters=[lambda typed: typed.strip() if typed else ""])


def _lines(label: Any) -> TextAreaField:
    return TextAreaField(label, filters=[lambda typed: typed.strip() if typed else ""])


class CalculatorForm(FlaskForm):
    """What `POST /api/v1/sla/calculations` takes, in fields; moments are local times of the zone, or have an offset."""

    time_zone = SelectField(_l("Time zone"), default=HOME_ZONES[0], validate_choice=False)
    is_always = BooleanField(_l("Around the clock: this calendar never closes"))
    holidays = _lines(_l("Holidays, one date a line"))
    special_days = _lines(_l("Special days, one a line: the date, then its hours"))
    target_minutes = _text(_l("Target, in business minutes"))
    warn_at_percent = _text(_l("Warn when this share of the time is used, in percent"))
    started_at = _text(_l("Started"))
    stopped_at = _text(_l("Stopped"))
    as_of = _text(_l("Seen at"))

    def pause_rows(self) -> list[tuple[Any, Any]]:
        """The fields of each pause: its begin and its end."""
        count = sum(1 for name in self._fields if name.startswith("pause_") and name.endswith("_from"))
        return [(self[f"pause_{place}_from"], self[f"pause_{place}_to"]) for place in range(count)]


for _day in WEEKDAYS:
    setattr(CalculatorForm, f"hours_{_day}", _text(DAY_WORDS[_day]))


def calculator_form(rows: int, **kwargs: Any) -> CalculatorForm:
    """The form with as many rows for pauses as asked for."""
    fields: dict[str, Any] = {}
    for place in range(max(FEWEST_PAUSES, min(rows, MOST_PAUSES))):
        fields[f"pause_{place}_from"] = _text(_l("Pause %(number)s, from", number=place + 1))
        fields[f"pause_{place}_to"] = _text(_l("Pause %(number)s, to", number=place + 1))
    form: CalculatorForm = type("SizedCalculatorForm", (CalculatorForm,), fields)(**kwargs)
    others = sorted(ZONE_NAMES - set(HOME_ZONES))
    form.time_zone.choices = options((name, name.replace("_", " ")) for name in (*HOME_ZONES, *others))
    return form


def calendar_fields(document: Any, time_zone: str) -> dict[str, Any]:
    """The form's values for a calendar's document; `time_zone` for one that never closes and has none."""
    if not isinstance(document, dict):
        return {"is_always": True, "time_zone": time_zone}
    values: dict[str, Any] = {
        "is_always": False,
        "time_zone": document["time_zone"],
        "holidays": "\n".join(document.get("holidays", ())),
        "special_days": "\n".join(map(_special_line, document.get("special_days", ()))),
    }
    for day in WEEKDAYS:
        spans = [one for one in document.get("hours", ()) if one["weekday"] == day]
        values[f"hours_{day}"] = _hours_line(spans)
    return values


def _special_line(special: Mapping[str, Any]) -> str:
    return f"{special['on']} {_hours_line(special.get('hours', ()))}".strip()


def _hours_line(spans: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(f"{one['from']}-{one['to']}" for one in spans)


def local_words(at: datetime, time_zone: str) -> str:
    """A moment as the form's fields write it."""
    return f"{at.astimezone(ZoneInfo(time_zone)):{MOMENT}}"


def document_of(form: CalculatorForm) -> dict[str, Any]:
    """The calculation's document that the form describes, faults included: they are for the calculation to find."""
    zone = form.time_zone.data or ""
    calendar: Any = "always" if form.is_always.data else _calendar(form, zone)
    document: dict[str, Any] = {
        "calendar": calendar,
        "target_minutes": _number(form.target_minutes.data),
        "warn_at_percent": [
            _number(word) for word in (form.warn_at_percent.data or "").replace(",", " ").split()
        ],
        "started_at": _instant(form.started_at.data, zone),
        "pauses": [
            {"from": _instant(begin.data, zone), "to": _instant(end.data, zone) if end.data else None}
            for begin, end in _filled(form)
        ],
        "stopped_at": _instant(form.stopped_at.data, zone) if form.stopped_at.data else None,
        "as_of": _instant(form.as_of.data, zone),
    }
    return document


def _calendar(form: CalculatorForm, zone: str) -> dict[str, Any]:
    return {
        "time_zone": zone,
        "hours": [
            {"weekday": day, "from": opens, "to": closes}
            for day in WEEKDAYS
            for opens, closes in _spans(form[f"hours_{day}"].data)
        ],
        "holidays": _filled_lines(form.holidays.data),
        "special_days": [_special_day(line) for line in _filled_lines(form.special_days.data)],
    }


def _spans(typed: str | None) -> list[tuple[str, str]]:
    """`08:00-12:00, 13:00-17:00` as pairs; what has no dash is an interval that lacks its end."""
    pieces = [_DASH.split(piece, maxsplit=1) for piece in _COMMA.split(typed or "") if piece.strip()]
    return [(piece[0], piece[1] if len(piece) == 2 else "") for piece in pieces]


def _special_day(line: str) -> dict[str, Any]:
    on, _space, hours = line.partition(" ")
    return {"on": on.rstrip(":"), "hours": [{"from": opens, "to": closes} for opens, closes in _spans(hours)]}


def _filled_lines(typed: str | None) -> list[str]:
    return [line.strip() for line in (typed or "").splitlines() if line.strip()]


def _filled(form: CalculatorForm) -> list[tuple[Any, Any]]:
    return [(begin, end) for begin, end in form.pause_rows() if begin.data or end.data]


def _number(typed: str | None) -> int | str:
    """A whole number, or the words that are none."""
    word = typed or ""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 12 else word


def _instant(typed: str | None, zone: str) -> str:
    """A moment with its offset: a local time gets the zone's; anything else stays as it was typed."""
    local = _LOCAL.fullmatch(typed or "")
    at = _attached(local[1], local[2], zone) if local else None
    return (typed or "") if at is None else at.isoformat()


def _attached(on: str, clock: str, zone: str) -> datetime | None:
    if zone not in ZONE_NAMES:
        return None
    try:
        return datetime.fromisoformat(f"{on}T{clock}").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None


def doubtful(form: CalculatorForm) -> list[tuple[str, Any]]:
    """Local times that never happen or happen twice in their zone, by field: only an offset says which is meant."""
    names = ["started_at", "stopped_at", "as_of"]
    names += [field.name for row in form.pause_rows() for field in row]
    found = ((name, _doubt(form[name].data, form.time_zone.data or "")) for name in names)
    return [(name, words) for name, words in found if words]


def _doubt(typed: str | None, zone: str) -> str:
    local = _LOCAL.fullmatch(typed or "")
    at = _attached(local[1], local[2], zone) if local else None
    if at is None:
        return ""
    if at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None) != at.replace(tzinfo=None):
        return _("The clocks of that zone skip this time. Write another, or one with its offset from UTC.")
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        return _(
            "This time comes twice in that zone. Write it with its offset, such as %(one)s.",
            one=at.isoformat(),
        )
    return ""


def beside_fields(faults: Sequence[Fault], form: CalculatorForm) -> list[tuple[str, str]]:
    """Faults of the document, each with the form's field that it came from and in the reader's language."""
    return [_beside(fault, form) for fault in faults]


def _beside(fault: Fault, form: CalculatorForm) -> tuple[str, str]:
    said = _(MESSAGES[fault.code]).format(**fault.values)
    first, *rest = fault.field.split(".")
    if first == "calendar" and rest:
        return _in_calendar(rest, said, form)
    if first == "pauses" and rest:
        begin, end = _filled(form)[int(rest[0])]
        return (end if rest[1:] == ["to"] else begin).name, said
    return first, said


def _in_calendar(rest: Sequence[str], said: str, form: CalculatorForm) -> tuple[str, str]:
    if rest[0] == "hours":
        days = [day for day in WEEKDAYS for _span in _spans(form[f"hours_{day}"].data)]
        return f"hours_{days[int(rest[1])]}", said
    if rest[0] in ("holidays", "special_days"):
        lines: Iterator[int] = (
            number
            for number, line in enumerate((form[rest[0]].data or "").splitlines(), start=1)
            if line.strip()
        )
        number = list(lines)[int(rest[1])]
        return rest[0], _("Line %(number)s: %(message)s", number=number, message=said)
    return "time_zone", said
