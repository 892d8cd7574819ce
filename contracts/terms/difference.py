"""What changes between two versions' terms, member by member; pure, without words.

Both documents are laid out flat: a path such as `("target", "P1", "response")` with its value, defaults filled in,
so that a document from before and one that spells out the defaults do not differ.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.clock.calendar import ALWAYS, WEEKDAYS, Hours
from contracts.clock.history import ClockKind
from contracts.terms.document import PRIORITIES, calendar_of, read_promise
from contracts.terms.ola import acceptance_minutes
from contracts.terms.promise import MISS, Promise

Path = tuple[str, ...]
Value = Any
"""A number, a text, a flag, a tuple of texts, an Action; None is "not there"."""

_PLAIN = (
    "auto_close_days",
    "reopen_days",
    "statement_day",
    "maintenance",
    "included_hours",
    "patch_promise_days",
)


_ORDERED = (*WEEKDAYS, *(clock.value for clock in ClockKind))


@dataclass(frozen=True)
class Change:
    """A member that differs, with its value in the earlier and in the later terms; None where it is not there."""

    path: Path
    before: Value
    after: Value


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What the later terms say otherwise, in the order in which terms are read. Both documents are valid ones."""
    old, new = laid_out(before), laid_out(after)
    changes = [Change(path, old.get(path), new.get(path)) for path in sorted({*old, *new}, key=_place)]
    return [change for change in changes if change.before != change.after]


def laid_out(document: dict[str, Any]) -> dict[Path, Value]:
    """Every member of valid terms by its path. What says no is left out, so that it equals what is not there."""
    promise = read_promise(document)
    parts = (
        _levels(document),
        ((("acceptance", priority), minutes) for priority, minutes in acceptance_minutes(document).items()),
        _rules(document),
        _calendar(document, promise),
        _promised(promise),
    )
    return {path: value for part in parts for path, value in part if _is_there(value)}


def _is_there(value: Value) -> bool:
    return value is not None and value is not False and value != ()


_GROUPS = (
    "target",
    "around_the_clock",
    "acceptance",
    "update_start",
    "action",
    "miss_warning",
    "always",
    "time_zone",
    "hours",
    "special_day",
    "holiday",
    "pause",
    "reopen",
    "change",
    *_PLAIN,
    "credit",
    "credit_cap",
    "window",
    "freeze",
)


def _place(path: Path) -> tuple[int, tuple[int, ...], Path]:
    """Groups in reading order, weekdays as the week goes, clocks as they run, numbers by size."""
    # A credit's steps are read from the highest attainment down, warnings as they come.
    sign = -1 if path[0] == "credit" else 1
    return _GROUPS.index(path[0]), tuple(_rank(part, sign) for part in path[1:]), path


def _rank(part: str, sign: int) -> int:
    if part in _ORDERED:
        return _ORDERED.index(part)
    return sign * int(part) if part.isdecimal() else 0


def _levels(document: dict[str, Any]) -> Iterator[tuple[Path, Value]]:
    for priority in PRIORITIES:
        level = document["service_levels"][priority]
        for clock in ClockKind:
            yield ("target", priority, clock.value), level.get(f"{clock}_minutes")
        yield ("around_the_clock", priority), bool(level.get("always"))


def _rules(document: dict[str, Any]) -> Iterator[tuple[Path, Value]]:
    for clock in ClockKind:
        yield ("pause", clock.value), tuple(sorted(document["pause_reasons"][clock]))
    for name in ("reopen", "change", "update_start"):
        yield (name,), document[name]
    yield ("miss_warning",), MISS in document["warn_at_percent"]


def _calendar(document: dict[str, Any], promise: Promise) -> Iterator[tuple[Path, Value]]:
    calendar = calendar_of(document)
    if calendar == ALWAYS:
        yield ("always",), True
        return
    yield ("time_zone",), calendar.time_zone
    yield from _weekly("hours", ((one.weekday, one.hours) for one in calendar.hours))
    for special in calendar.special_days:
        yield ("special_day", special.on.isoformat()), tuple(map(span_words, special.hours)) or ("closed",)
    names = dict(promise.holiday_names)
    for on in calendar.holidays:
        yield ("holiday", on.isoformat()), names.get(on, "")


def _weekly(group: str, entries: Iterable[tuple[int, Hours]]) -> Iterator[tuple[Path, Value]]:
    days: dict[int, list[Hours]] = {}
    for weekday, hours in entries:
        days.setdefault(weekday, []).append(hours)
    for weekday, spans in sorted(days.items()):
        ordered = sorted(spans, key=lambda hours: hours.opens)
        yield (group, WEEKDAYS[weekday]), tuple(map(span_words, ordered))


def span_words(hours: Hours) -> str:
    """Hours as people write them: "08:00–17:00"."""
    return f"{_time(hours.opens)}–{_time(hours.closes)}"


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _promised(promise: Promise) -> Iterator[tuple[Path, Value]]:
    for action in promise.actions:
        yield ("action", str(action.at_percent)), action
    for name in _PLAIN:
        yield (name,), getattr(promise, name)
    for step in promise.credits.table if promise.credits else ():
        yield ("credit", step.clock.value, str(step.below_percent)), step.credit_percent
    yield ("credit_cap",), promise.credits.cap_percent if promise.credits else None
    yield from _weekly("window", ((one.weekday, one.hours) for one in promise.windows))
    for freeze in promise.freezes:
        yield ("freeze", freeze.first_on.isoformat(), freeze.last_on.isoformat(), freeze.name), True
