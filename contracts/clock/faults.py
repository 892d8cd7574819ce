"""Faults of input: which field, and what is wrong with it, as a stable code and in English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "required": "This member is required.",
        "unknown_member": "There is no such member.",
        "not_an_object": "This must be an object.",
        "not_a_list": "This must be a list.",
        "not_an_instant": "This must be a date and time with an offset, such as 2026-11-20T16:30:00+07:00.",
        "instant_out_of_range": "This must lie in the years 1970 to 2100.",
        "not_a_date": "This must be a date such as 2026-12-25.",
        "not_a_time": "This must be a time of day such as 08:30.",
        "not_a_whole_number": "This must be a whole number from {low} to {high}.",
        "not_a_calendar": 'This must be a calendar or "always".',
        "not_a_zone": "This must be a time zone such as Asia/Jakarta.",
        "not_a_weekday": "This must be a weekday from monday to sunday.",
        "midnight_as_from": "24:00 can only end an interval.",
        "empty_hours": "An interval must end at another time than it begins.",
        "overlapping_hours": "This interval overlaps another one.",
        "duplicate_special_day": "This special day is given twice.",
        "not_a_flag": "This must be true or false.",
        "not_one_of": "This is not one of the words that are allowed here.",
        "not_ascending": "Percentages must ascend.",
        "not_a_warning": "This must be one of the warning percentages, or 100 for the miss.",
        "duplicate": "This is given twice.",
        "smaller_credit": "A lower attainment must not give a smaller credit.",
        "empty_list": "This must have at least one line.",
        "ends_before_it_begins": "This must not end before it begins.",
        "not_a_name": "This must be a name of 1 to {most} characters, in plain text.",
        "not_a_country": "This must be a country of two capital letters, such as ID.",
        "before_start": "This must not be before the start.",
        "empty_pause": "A pause must end after it begins.",
        "overlapping_pauses": "This pause overlaps another one.",
        "two_open_pauses": "Only one pause can be open.",
        "too_many_intervals": "This needs more than {limit} intervals.",
    }
)


class Fault(NamedTuple):
    """One thing wrong with an input; `code` and `values` let a caller say it in another language."""

    field: str
    code: str
    values: Mapping[str, int] = MappingProxyType({})

    @property
    def message(self) -> str:
        """What is wrong, in English."""
        return MESSAGES[self.code].format(**self.values)


class Faults(list[Fault]):
    """The faults found so far, in the order of the document."""

    def add(self, field: str, code: str, **values: int) -> None:
        """Note that a field is wrong."""
        self.append(Fault(field, code, values))


class Invalid(Exception):
    """An input that cannot be used, with all that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Pairs of field and English message."""
        return [(fault.field, fault.message) for fault in self.faults]
