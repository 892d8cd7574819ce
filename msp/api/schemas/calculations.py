"""The calculator's documents. They describe: `contracts.clock.calculation` itself reads and checks."""

from typing import Any

from apiflask import Schema
from marshmallow import fields, validate

from msp.api.schemas.common import ZULU, number, one_of, words

_TIME = {"pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"}
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class HoursIn(Schema):
    """An interval of a day; it crosses midnight when `from` is after `to`."""

    begin = fields.String(data_key="from", required=True, metadata={"example": "08:00", **_TIME})
    to = fields.String(required=True, metadata={"example": "12:00", **_TIME})


class WeeklyHoursIn(HoursIn):
    """An interval of each such weekday."""

    weekday = words("A weekday.", "monday", required=True, validate=one_of(*_WEEK))


class SpecialDayIn(Schema):
    """A date with hours of its own."""

    on = fields.Date(required=True, metadata={"example": "2026-12-24"})
    hours = fields.List(fields.Nested(HoursIn))


class CalendarIn(Schema):
    """When business time passes."""

    time_zone = words("An IANA time zone.", "Asia/Jakarta", required=True)
    hours = fields.List(fields.Nested(WeeklyHoursIn))
    holidays = fields.List(fields.Date(), metadata={"example": ["2026-12-25"]})
    special_days = fields.List(fields.Nested(SpecialDayIn))


class PauseIn(Schema):
    """A pause; `to` is null while it lasts."""

    begin = fields.DateTime(data_key="from", required=True)
    to = fields.DateTime(allow_none=True)


class CalendarOrAlways(fields.Field[Any]):
    """A calendar, or the word `always`."""


class CalculationIn(Schema):
    """A clock to calculate."""

    calendar = CalendarOrAlways(
        required=True, metadata={"description": 'A calendar, or `"always"`, which never closes.'}
    )
    target_minutes = number(
        "Business minutes allowed.", 240, required=True, validate=validate.Range(1, 5_256_000)
    )
    warn_at_percent = fields.List(
        fields.Integer(validate=validate.Range(1, 100)),
        metadata={"description": "Ascending.", "example": [50, 75, 90]},
    )
    started_at = fields.DateTime(required=True, metadata={"description": "RFC 3339 with an offset."})
    pauses = fields.List(fields.Nested(PauseIn))
    stopped_at = fields.DateTime(allow_none=True)
    as_of = fields.DateTime(required=True, metadata={"description": "The moment to calculate for."})


def _instant(description: str, **options: Any) -> fields.String:
    """An instant that the calculation has written already."""
    return fields.String(
        metadata={"description": description, "format": "date-time", "example": ZULU}, **options
    )


class CalculationWarning(Schema):
    """A warning that has fired by `as_of`."""

    percent = number("Of the target.", 50)
    at = _instant("When.")


class CalculationInterval(Schema):
    """A part of the clock's course."""

    begin = _instant("Its begin.", data_key="from", attribute="from")
    to = _instant("Its end.")
    kind = words(
        "Whether it counted.", "counted", validate=one_of("counted", "paused", "outside_hours", "holiday")
    )


class CalculationOut(Schema):
    """What the clock says."""

    state = words(
        "At `as_of`.", "running", validate=one_of("running", "paused", "outside_hours", "met", "missed")
    )
    elapsed_seconds = number("Counted until the stop or `as_of`.", 5400)
    remaining_seconds = number("Target less elapsed; negative when over.", 9000)
    paused_business_seconds = number("Business time that pauses took.", 0)
    due_at = _instant("The earliest instant at which the target is used up.", allow_none=True)
    missed_at = _instant("The instant the target ran out, if it did before the end.", allow_none=True)
    warnings = fields.List(fields.Nested(CalculationWarning))
    intervals = fields.List(fields.Nested(CalculationInterval))


EXAMPLE = {
    "calendar": {
        "time_zone": "Asia/Jakarta",
        "hours": [{"weekday": day, "from": "08:00", "to": "17:00"} for day in _WEEK[:5]],
        "holidays": ["2026-12-25"],
    },
    "target_minutes": 240,
    "warn_at_percent": [50, 75, 90],
    "started_at": "2026-11-20T16:30:00+07:00",
    "stopped_at": None,
    "as_of": "2026-11-23T09:00:00+07:00",
}
