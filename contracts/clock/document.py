"""Reading JSON documents strictly: each reader returns a value, or None after naming the fault and its field."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from contracts.clock.faults import Faults
from contracts.clock.instants import InstantOutOfRange, parse_instant

T = TypeVar("T")
Reader = Callable[[object, str, Faults], T | None]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Members:
    """The members of one object, the field they sit under, and where their faults go."""

    values: dict[str, object]
    field: str
    faults: Faults

    def take(self, name: str, reader: Reader[T]) -> T | None:
        """Read a member; None if it is absent or wrong."""
        if name not in self.values:
            return None
        return reader(self.values[name], _join(self.field, name), self.faults)

    def take_optional(self, name: str, reader: Reader[T]) -> T | None:
        """Read a member for which null means the same as its absence."""
        return None if self.values.get(name) is None else self.take(name, reader)

    def take_list(self, name: str, reader: Reader[T]) -> list[tuple[int, T]]:
        """Read a list that may be absent; return its usable items, each with its place."""
        items = self.take(name, read_list)
        field = _join(self.field, name)
        read = [
            (place, reader(item, f"{field}.{place}", self.faults)) for place, item in enumerate(items or ())
        ]
        return [(place, item) for place, item in read if item is not None]


def read_object(
    value: object, field: str, faults: Faults, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Members | None:
    """Read an object whose members are all known and of which the required ones are there."""
    if not isinstance(value, dict):
        faults.add(field, "not_an_object")
        return None
    for name in required:
        if name not in value:
            faults.add(_join(field, name), "required")
    for name in value:
        if name not in required and name not in optional:
            faults.add(_join(field, str(name)), "unknown_member")
    return Members(value, field, faults)


def read_list(value: object, field: str, faults: Faults) -> list[object] | None:
    """Read a list of anything."""
    if isinstance(value, list):
        return value
    faults.add(field, "not_a_list")
    return None


def read_instant(value: object, field: str, faults: Faults) -> datetime | None:
    """Read an RFC 3339 instant with an offset, 1970 to 2100, its fraction of a second dropped."""
    try:
        return parse_instant(_text(value))
    except InstantOutOfRange:
        faults.add(field, "instant_out_of_range")
    except ValueError:
        faults.add(field, "not_an_instant")
    return None


def read_date(value: object, field: str, faults: Faults) -> date | None:
    """Read a date written as 2026-12-25."""
    try:
        return date.fromisoformat(_matching(_DATE, value))
    except ValueError:
        faults.add(field, "not_a_date")
        return None


def whole_number(low: int, high: int) -> Reader[int]:
    """Return a reader of whole numbers within bounds; true and 1.0 are none."""

    def read(value: object, field: str, faults: Faults) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        faults.add(field, "not_a_whole_number", low=low, high=high)
        return None

    return read


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    text = _text(value)
    if pattern.fullmatch(text) is None:
        raise ValueError("not of the expected form")
    return text


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
