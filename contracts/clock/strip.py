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
    """What happened to the clock in an interval: `maintenance` was left out, `maintenance_counted` only shown apart."""

    COUNTED = "counted"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    MAINTENANCE_COUNTED = "maintenance_counted"
    OUTSIDE_HOURS = "outside_hours"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Interval:
    """A half-open part of a strip; a paused one has the pause's reason and whose it was, where known.

    That of maintenance is its title.
    """

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
        kind = IntervalKind.MAINTENANCE if gap.is_maintenance else IntervalKind.PAUSED
        yield gap.from_, at, _Sort(kind, gap.reason, gap.by)
    yield from _unpaused(timeline, at, end)


def _unpaused(timeline: Timeline, from_: int, to: int) -> Iterator[_Part]:
    for start, stop, kind in timeline.calendar.stretches(from_, to):
        if kind is Kind.OPEN and timeline.shown:
            yield from _counted(timeline, start, stop)
        else:
            yield start, stop, _SORTS[kind]


def _counted(timeline: Timeline, from_: int, to: int) -> Iterator[_Part]:
    """What counts, with the maintenance in it apart."""
    at = from_
    for part in timeline.shown:
        begin, end = max(part.from_, at), min(part.to, to)
        if begin < end:
            if at < begin:
                yield at, begin, _SORTS[Kind.OPEN]
            yield begin, end, _Sort(IntervalKind.MAINTENANCE_COUNTED, part.reason)
            at = end
    if at < to:
        yield at, to, _SORTS[Kind.OPEN]


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
