"""The strip: wall time of a clock cut into counted, paused, outside hours and holiday (R13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from contracts.clock.instants import instant_of
from contracts.clock.timeline import Timeline
from contracts.clock.wall import Kind


class IntervalKind(StrEnum):
    """What happened to the clock in an interval."""

    COUNTED = "counted"
    PAUSED = "paused"
    OUTSIDE_HOURS = "outside_hours"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Interval:
    """A half-open part of a strip; a paused one has the pause's reason and whose it was, where known."""

    from_at: datetime
    to_at: datetime
    kind: IntervalKind
    reason: str | None = None
    by: str | None = None


class _Sort(NamedTuple):
    """What makes neighbours differ."""

    kind: IntervalKind
    reason: str | None = None
    by: str | None = None


_SORTS = {
    Kind.OPEN: _Sort(IntervalKind.COUNTED),
    Kind.OUTSIDE_HOURS: _Sort(IntervalKind.OUTSIDE_HOURS),
    Kind.HOLIDAY: _Sort(IntervalKind.HOLIDAY),
}

_Part = tuple[int, int, _Sort]


class TooManyIntervals(Exception):
    """A strip would need more intervals than allowed."""


def strip(timeline: Timeline, end: int, *, limit: int | None = None) -> tuple[Interval, ...]:
    """Return the strip from the start to `end` (seconds since 1970).

    Adjoining intervals differ. Raises TooManyIntervals as soon as more than `limit` are needed.
    """
    intervals: list[Interval] = []
    for from_, to, sort in _joined(_parts(timeline, end)):
        if len(intervals) == limit:
            raise TooManyIntervals(limit)
        intervals.append(Interval(instant_of(from_), instant_of(to), *sort))
    return tuple(intervals)


def _parts(timeline: Timeline, end: int) -> Iterator[_Part]:
    at = timeline.started
    for gap in timeline.gaps:
        if gap.from_ >= end:
            break
        yield from _unpaused(timeline, at, gap.from_)
        at = min(gap.to, end)
        yield gap.from_, at, _Sort(IntervalKind.PAUSED, gap.reason, gap.by)
    yield from _unpaused(timeline, at, end)


def _unpaused(timeline: Timeline, from_: int, to: int) -> Iterator[_Part]:
    for start, stop, kind in timeline.calendar.stretches(from_, to):
        yield start, stop, _SORTS[kind]


def _joined(parts: Iterator[_Part]) -> Iterator[_Part]:
    current: _Part | None = None
    for from_, to, sort in parts:
        if current is not None and current[2] == sort:
            current = (current[0], to, sort)
            continue
        if current is not None:
            yield current
        current = (from_, to, sort)
    if current is not None:
        yield current
