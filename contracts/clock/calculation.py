"""The calculator behind `POST /api/v1/sla/calculations`: strict input, and the clock's answer as JSON (R14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise

from contracts.clock.calendar_document import read_calendar
from contracts.clock.clock import ClockInput, judge
from contracts.clock.document import Members, read_instant, read_object, whole_number
from contracts.clock.faults import Fault, Faults, Invalid
from contracts.clock.instants import format_instant, seconds_of
from contracts.clock.strip import Interval, TooManyIntervals, strip
from contracts.clock.timeline import FOREVER, Pause

INTERVAL_LIMIT = 5_000
TARGET_LIMIT = 5_256_000
"""Minutes: ten years."""


class CalculationInvalid(Invalid):
    """A calculation that cannot be done; `errors` are pairs of field and message."""


@dataclass(frozen=True)
class Calculation:
    """A calculation that was read without fault."""

    clock: ClockInput


def parse(payload: object) -> Calculation:
    """Read a calculation from decoded JSON; raises CalculationInvalid with every fault found."""
    faults = Faults()
    members = read_object(
        payload,
        "",
        faults,
        required=["calendar", "target_minutes", "started_at", "as_of"],
        optional=["warn_at_percent", "pauses", "stopped_at"],
    )
    clock = _read_clock(members, faults) if members else None
    if clock is None:
        raise CalculationInvalid(faults)
    return Calculation(clock)


def answer(calculation: Calculation) -> dict[str, object]:
    """Return the answer as JSON; raises CalculationInvalid on `as_of` if it needs more than 5,000 intervals."""
    clock = calculation.clock
    verdict = judge(clock)
    return {
        "state": str(verdict.state),
        "elapsed_seconds": verdict.elapsed_seconds,
        "remaining_seconds": verdict.remaining_seconds,
        "paused_business_seconds": verdict.paused_business_seconds,
        "due_at": verdict.due_at and format_instant(verdict.due_at),
        "missed_at": verdict.missed_at and format_instant(verdict.missed_at),
        "warnings": [{"percent": w.percent, "at": format_instant(w.at)} for w in verdict.warnings],
        "intervals": [_interval_document(interval) for interval in _intervals(clock)],
    }


def _intervals(clock: ClockInput) -> tuple[Interval, ...]:
    try:
        return strip(clock.timeline, clock.end, limit=INTERVAL_LIMIT)
    except TooManyIntervals:
        raise CalculationInvalid([Fault("as_of", "too_many_intervals", {"limit": INTERVAL_LIMIT})]) from None


def _interval_document(interval: Interval) -> dict[str, str]:
    return {
        "from": format_instant(interval.from_at),
        "to": format_instant(interval.to_at),
        "kind": str(interval.kind),
    }


def _read_clock(members: Members, faults: Faults) -> ClockInput | None:
    calendar = members.take("calendar", read_calendar)
    minutes = members.take("target_minutes", whole_number(1, TARGET_LIMIT))
    percents = members.take_list("warn_at_percent", whole_number(1, 100))
    started_at = members.take("started_at", read_instant)
    pauses = members.take_list("pauses", _read_pause)
    stopped_at = members.take_optional("stopped_at", partial(_read_not_before, started_at))
    as_of = members.take("as_of", partial(_read_not_before, started_at))
    faults += [*_unordered(percents), *_clashing(pauses)]
    if faults or calendar is None or minutes is None or started_at is None or as_of is None:
        return None
    pause_list = tuple(pause for _, pause in pauses)
    percent_list = tuple(percent for _, percent in percents)
    return ClockInput(calendar, minutes * 60, started_at, as_of, pause_list, stopped_at, percent_list)


def _read_not_before(start: datetime | None, value: object, field: str, faults: Faults) -> datetime | None:
    at = read_instant(value, field, faults)
    if at is not None and start is not None and at < start:
        faults.add(field, "before_start")
        return None
    return at


def _read_pause(value: object, field: str, faults: Faults) -> Pause | None:
    members = read_object(value, field, faults, required=["from"], optional=["to"])
    if members is None:
        return None
    known = len(faults)
    from_at, to_at = members.take("from", read_instant), members.take_optional("to", read_instant)
    if from_at is not None and to_at is not None and to_at <= from_at:
        faults.add(f"{field}.to", "empty_pause")
    return None if from_at is None or len(faults) > known else Pause(from_at, to_at)


def _unordered(percents: Sequence[tuple[int, int]]) -> list[Fault]:
    """Return each percentage that is not above the one before it."""
    faults = Faults()
    for (_, before), (place, percent) in pairwise(percents):
        if percent <= before:
            faults.add(f"warn_at_percent.{place}", "not_ascending")
    return faults


def _clashing(pauses: Sequence[tuple[int, Pause]]) -> list[Fault]:
    """Return the pauses that overlap another or are a second open one, naming the later in the list (R14)."""
    open_places = [place for place, pause in pauses if pause.to_at is None]
    faults = [Fault(f"pauses.{place}.to", "two_open_pauses") for place in open_places[1:]]
    second_open = set(open_places[1:])
    latest, latest_place = 0, -1
    clashing: set[int] = set()
    for from_, to, place in sorted(
        _bounds(place, pause) for place, pause in pauses if place not in second_open
    ):
        if from_ < latest:
            clashing.add(max(place, latest_place))
        if to > latest:
            latest, latest_place = to, place
    return faults + [Fault(f"pauses.{place}.from", "overlapping_pauses") for place in sorted(clashing)]


def _bounds(place: int, pause: Pause) -> tuple[int, int, int]:
    to = FOREVER if pause.to_at is None else seconds_of(pause.to_at)
    return seconds_of(pause.from_at), to, place
