"""Opening hours on the axis of local wall time, where they are regular whatever the offset from UTC does.

Wall time is counted in seconds since 1970-01-01 00:00 on the local clock; a day is its number since then.
A change of offset only moves an instant along this axis, so every daylight-saving case is decided by R1:
repeated wall time is walked twice, skipped wall time never.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate

from contracts.clock.instants import DAY

MINUTE = 60
MONDAY_SHIFT = 3
"""1970-01-01 was a Thursday: three days after a Monday."""

Span = tuple[int, int]
"""Seconds after midnight, half-open."""


class Kind(StrEnum):
    """What an instant is in a calendar (R5)."""

    OPEN = "open"
    OUTSIDE_HOURS = "outside_hours"
    HOLIDAY = "holiday"


Piece = tuple[int, int, Kind]
"""Part of a day, in seconds after midnight, half-open, and what it is."""


class WallHours:
    """The open wall time of a calendar, compiled once: a regular week and the days that differ from it.

    `weekly` holds, for Monday to Sunday, the intervals that begin on that weekday, in minutes after its midnight
    and up to 2,880; `opening` the same for each date (day number) that does not follow the week; `holidays`
    the day numbers of holidays.
    """

    def __init__(
        self, weekly: Sequence[Sequence[Span]], opening: Mapping[int, Sequence[Span]], holidays: Iterable[int]
    ) -> None:
        self._week = [_on_day(weekly[day], weekly[day - 1]) for day in range(7)]
        self._week_before = [0, *accumulate(_length(spans) for spans in self._week)]
        self._holidays = frozenset(holidays)
        self._weekly, self._opening = weekly, opening
        self._differing = self._differing_days()
        self._differing_days_sorted = sorted(self._differing)
        changes = (self._change_of(day) for day in self._differing_days_sorted)
        self._differing_before = [0, *accumulate(changes)]
        self._week_pieces = [_pieces(spans, Kind.OUTSIDE_HOURS) for spans in self._week]

    def spans(self, day: int) -> tuple[Span, ...]:
        """Return what is open on a date, as seconds after its midnight, in order and apart."""
        differing = self._differing.get(day)
        return self._week[(day + MONDAY_SHIFT) % 7] if differing is None else differing

    def pieces(self, day: int) -> tuple[Piece, ...]:
        """Return a whole date cut into open and closed parts (R5)."""
        if day in self._holidays:
            return _pieces(self.spans(day), Kind.HOLIDAY)
        differing = self._differing.get(day)
        if differing is None:
            return self._week_pieces[(day + MONDAY_SHIFT) % 7]
        return _pieces(differing, Kind.OUTSIDE_HOURS)

    def kind_at(self, wall: int) -> Kind:
        """Return what a wall time is: open, outside hours, or outside hours on a holiday."""
        day, second = divmod(wall, DAY)
        if any(from_ <= second < to for from_, to in self.spans(day)):
            return Kind.OPEN
        return Kind.HOLIDAY if day in self._holidays else Kind.OUTSIDE_HOURS

    def before(self, wall: int) -> int:
        """Return the open seconds before a wall time, counted from a fixed origin: only differences mean much."""
        day, second = divmod(wall, DAY)
        total = self._before_day(day)
        for from_, to in self.spans(day):
            if second <= from_:
                break
            total += min(second, to) - from_
        return total

    def reach(self, total: int, from_: int, until: int) -> int:
        """Return the earliest wall time with `before(…) == total`.

        It must lie in `(from_, until]`: the caller knows that `before(from_) < total <= before(until)`.
        """
        day = self._day_reaching(total, from_ // DAY, until // DAY)
        missing = total - self._before_day(day)
        for opens, closes in self.spans(day):
            if missing <= closes - opens:
                return day * DAY + opens + missing
            missing -= closes - opens
        raise ValueError("there is no such wall time")

    def _day_reaching(self, total: int, first: int, last: int) -> int:
        """Return the latest day from `first` to `last` before which less than `total` is open."""
        ahead = bisect_left(self._differing_days_sorted, first)
        if self._week_before[7]:
            week, rest = divmod(total - self._differing_before[ahead] - 1, self._week_before[7])
            day = week * 7 + bisect_right(self._week_before, rest) - 1 - MONDAY_SHIFT
            if ahead == len(self._differing_days_sorted) or day < self._differing_days_sorted[ahead]:
                return day
        return first + bisect_left(range(first + 1, last + 1), total, key=self._before_day)

    def _before_day(self, day: int) -> int:
        week, weekday = divmod(day + MONDAY_SHIFT, 7)
        regular = week * self._week_before[7] + self._week_before[weekday]
        return regular + self._differing_before[bisect_left(self._differing_days_sorted, day)]

    def _differing_days(self) -> dict[int, tuple[Span, ...]]:
        """A date differs where its own opening does, or that of the date before, whose night reaches into it (R2)."""
        days = {day + after for day in self._opening for after in (0, 1)}
        return {day: _on_day(self._opened(day), self._opened(day - 1)) for day in days}

    def _opened(self, day: int) -> Sequence[Span]:
        return self._opening.get(day, self._weekly[(day + MONDAY_SHIFT) % 7])

    def _change_of(self, day: int) -> int:
        return _length(self._differing[day]) - _length(self._week[(day + MONDAY_SHIFT) % 7])


def _on_day(own: Sequence[Span], before: Sequence[Span]) -> tuple[Span, ...]:
    """Return what is open on a date, from the minutes that open on it and on the date before, counted once (R3)."""
    midnight = DAY // MINUTE
    parts = [(from_, min(to, midnight)) for from_, to in own]
    parts += [(0, to - midnight) for _, to in before if to > midnight]
    joined: list[Span] = []
    for from_, to in sorted(parts):
        if joined and from_ * MINUTE <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to * MINUTE))
        else:
            joined.append((from_ * MINUTE, to * MINUTE))
    return tuple(joined)


def _length(spans: Sequence[Span]) -> int:
    return sum(to - from_ for from_, to in spans)


def _pieces(spans: Sequence[Span], closed: Kind) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = 0
    for from_, to in spans:
        pieces += [(at, from_, closed), (from_, to, Kind.OPEN)]
        at = to
    pieces.append((at, DAY, closed))
    return tuple(piece for piece in pieces if piece[0] < piece[1])
