"""Calendars of business hours, and arithmetic in business time (R1 to R6)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from contracts.clock.faults import Fault, Faults, Invalid
from contracts.clock.instants import DAY, EPOCH, instant_of, seconds_of
from contracts.clock.wall import Kind, Piece, Span, WallHours
from contracts.clock.zones import ZONE_NAMES, eras, offset_at

MIDNIGHT = 1_440
"""The minute that ends a day."""
WEEK = 7 * MIDNIGHT
REACH = 3_653 * DAY
"""How far `add` looks, in seconds: ten years (R6)."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Stretch = tuple[int, int, Kind]
"""(from, to, kind) in seconds since 1970, half-open."""


class CalendarInvalid(Invalid):
    """A calendar that contradicts itself; `errors` names the fields."""


@dataclass(frozen=True)
class Hours:
    """An interval of a day, in minutes after local midnight; it crosses midnight when it opens after it closes (R2).

    `closes` is 1,440 for midnight itself. ValueError for an empty interval or minutes that no day has.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not (0 <= self.opens < MIDNIGHT and 0 < self.closes <= MIDNIGHT and self.opens != self.closes):
            raise ValueError(f"not an interval of a day: {self.opens} to {self.closes}")

    @property
    def span(self) -> Span:
        """Minutes after the midnight of the opening date; the end may lie in the next date."""
        return self.opens, self.closes if self.opens < self.closes else self.closes + MIDNIGHT


@dataclass(frozen=True)
class WeeklyHours:
    """Hours that open on every Monday (0), or another weekday up to Sunday (6)."""

    weekday: int
    hours: Hours


@dataclass(frozen=True)
class SpecialDay:
    """A date with hours of its own instead of its weekday's; closed without any (R4)."""

    on: date
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True)
class Calendar:
    """Business hours in a time zone.

    Raises CalendarInvalid for an unknown zone, hours that overlap within the week or one special day, and a
    special day given twice (R3). A calendar without hours is allowed: it never opens.
    """

    time_zone: str
    hours: tuple[WeeklyHours, ...] = ()
    holidays: tuple[date, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        if self.time_zone not in ZONE_NAMES:
            faults.add("calendar.time_zone", "not_a_zone")
        faults += weekly_clashes(enumerate(self.hours), "calendar.hours")
        for index, special in enumerate(self.special_days):
            faults += daily_clashes(enumerate(special.hours), f"calendar.special_days.{index}.hours")
        faults += repeated_days(enumerate(self.special_days), "calendar.special_days")
        if faults:
            raise CalendarInvalid(faults)

    def is_open(self, at: datetime) -> bool:
        """Return whether an instant lies inside business hours (R1)."""
        return self.kind_at(at) is Kind.OPEN

    def kind_at(self, at: datetime) -> Kind:
        """Return whether an instant is open, outside hours or on a holiday (R5)."""
        return self.kind_of(seconds_of(at))

    def open_spans(self, from_at: datetime, to_at: datetime) -> list[tuple[datetime, datetime]]:
        """Return the open spans within `[from_at, to_at)`, in order and apart; ValueError if `to_at` is earlier."""
        from_, to = _ordered(from_at, to_at)
        return [(instant_of(start), instant_of(end)) for start, end in self._open(from_, to)]

    def elapsed(self, from_at: datetime, to_at: datetime) -> int:
        """Return the business seconds between two instants; ValueError if `to_at` is the earlier one."""
        return self.seconds_between(*_ordered(from_at, to_at))

    def add(self, at: datetime, seconds: int) -> datetime | None:
        """Return the earliest instant with so many business seconds since `at`.

        None if there is none within 3,653 days (R6); ValueError for a negative number.
        """
        if seconds < 0:
            raise ValueError("business time is added forwards")
        from_ = seconds_of(at)
        if seconds == 0:
            return instant_of(from_)
        found, _ = self.reach(from_, from_ + REACH, [seconds])
        return instant_of(found[0]) if found else None

    def kind_of(self, at: int) -> Kind:
        """`kind_at` in seconds since 1970."""
        return self._wall.kind_at(at + offset_at(self.time_zone, at))

    def seconds_between(self, from_: int, to: int) -> int:
        """`elapsed` in seconds since 1970; 0 if `to` is not later."""
        before = self._wall.before
        return sum(
            before(until + offset) - before(since + offset)
            for since, until, offset in eras(self.time_zone, from_, to)
        )

    def reach(self, from_: int, until: int, needs: list[int]) -> tuple[list[int], int]:
        """Return when so many business seconds have passed since `from_`, for each of `needs` found by `until`.

        `needs` are positive and ascending. The second value is the business time within `[from_, until)`, complete
        only if not all were found.
        """
        wall, found, passed = self._wall, list[int](), 0
        for since, to, offset in eras(self.time_zone, from_, until):
            start = wall.before(since + offset)
            here = wall.before(to + offset) - start
            while len(found) < len(needs) and needs[len(found)] - passed <= here:
                total = start + needs[len(found)] - passed
                found.append(wall.reach(total, since + offset, to + offset) - offset)
            if len(found) == len(needs):
                break
            passed += here
        return found, passed

    def stretches(self, from_: int, to: int) -> Iterator[Stretch]:
        """Yield `[from_, to)` cut by day and kind, in seconds since 1970; neighbours may be of one kind."""
        for since, until, offset in eras(self.time_zone, from_, to):
            for day in range((since + offset) // DAY, (until + offset - 1) // DAY + 1):
                midnight = day * DAY - offset
                whole = since <= midnight and midnight + DAY <= until
                for start, end, kind in self._wall.pieces(day):
                    if whole:
                        yield midnight + start, midnight + end, kind
                    elif max(midnight + start, since) < min(midnight + end, until):
                        yield max(midnight + start, since), min(midnight + end, until), kind

    def pieces_of(self, on: date) -> tuple[Piece, ...]:
        """Return a date of the local clock cut into open and closed parts, as if no offset changed on it."""
        return self._wall.pieces(_day(on))

    def _open(self, from_: int, to: int) -> list[Span]:
        """Return what is open within `[from_, to)`, in seconds since 1970, in order and apart."""
        spans_of, spans = self._wall.spans, list[Span]()
        for since, until, offset in eras(self.time_zone, from_, to):
            for day in range((since + offset) // DAY, (until + offset - 1) // DAY + 1):
                midnight = day * DAY - offset
                for opens, closes in spans_of(day):
                    start, end = midnight + opens, midnight + closes
                    if start < since or end > until:
                        start, end = max(start, since), min(end, until)
                    if start >= end:
                        continue
                    if spans and spans[-1][1] == start:
                        spans[-1] = spans[-1][0], end
                    else:
                        spans.append((start, end))
        return spans

    @cached_property
    def _wall(self) -> WallHours:
        weekly = [[entry.hours.span for entry in self.hours if entry.weekday == day] for day in range(7)]
        opening: dict[int, list[Span]] = {_day(on): [] for on in self.holidays}
        for special in self.special_days:
            opening[_day(special.on)] = [hours.span for hours in special.hours]
        return WallHours(weekly, opening, map(_day, self.holidays))


def weekly_clashes(entries: Iterable[tuple[int, WeeklyHours]], field: str) -> list[Fault]:
    """Return the weekly hours that overlap earlier ones, nights into the next day included (R3)."""
    taken, faults = bytearray(WEEK), Faults()
    for index, entry in entries:
        from_, to = (entry.weekday * MIDNIGHT + minute for minute in entry.hours.span)
        parts = [(from_, min(to, WEEK)), (0, max(to - WEEK, 0))]
        if any(1 in taken[a:b] for a, b in parts):
            faults.add(f"{field}.{index}.from", "overlapping_hours")
        for a, b in parts:
            taken[a:b] = b"\1" * (b - a)
    return faults


def daily_clashes(entries: Iterable[tuple[int, Hours]], field: str) -> list[Fault]:
    """Return the hours of one special day that overlap earlier ones (R3)."""
    taken, faults = bytearray(2 * MIDNIGHT), Faults()
    for index, hours in entries:
        from_, to = hours.span
        if 1 in taken[from_:to]:
            faults.add(f"{field}.{index}.from", "overlapping_hours")
        taken[from_:to] = b"\1" * (to - from_)
    return faults


def repeated_days(entries: Iterable[tuple[int, SpecialDay]], field: str) -> list[Fault]:
    """Return the special days whose date was given before."""
    seen, faults = set[date](), Faults()
    for index, special in entries:
        if special.on in seen:
            faults.add(f"{field}.{index}.on", "duplicate_special_day")
        seen.add(special.on)
    return faults


def _ordered(from_at: datetime, to_at: datetime) -> tuple[int, int]:
    from_, to = seconds_of(from_at), seconds_of(to_at)
    if to < from_:
        raise ValueError("the end lies before the beginning")
    return from_, to


def _day(on: date) -> int:
    return on.toordinal() - EPOCH.toordinal()


ALWAYS = Calendar("UTC", tuple(WeeklyHours(day, Hours(0, MIDNIGHT)) for day in range(7)))
"""The calendar that never closes."""
