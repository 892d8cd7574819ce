"""What has been counted since a start, outside the pauses (R7, R8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from contracts.clock.calendar import Calendar
from contracts.clock.instants import seconds_of

FOREVER = 2**62
"""The end of a pause that is still open, in seconds since 1970."""


@dataclass(frozen=True)
class Pause:
    """Time that the clock does not count; `to_at` is None while it is open. `by` names a person, for the strip.

    Planned maintenance has its title as reason.
    """

    from_at: datetime
    to_at: datetime | None = None
    reason: str | None = None
    by: str | None = None
    is_maintenance: bool = False


class Gap(NamedTuple):
    """A pause as it affects one clock, in seconds since 1970."""

    from_: int
    to: int
    reason: str | None
    by: str | None
    is_maintenance: bool = False


@dataclass(frozen=True)
class Timeline:
    """A start and the gaps after it, in seconds since 1970; gaps are in order, apart and not empty.

    `shown` is maintenance that counts like other time: in order, apart from each other and from the gaps.
    """

    calendar: Calendar
    started: int
    gaps: tuple[Gap, ...]
    shown: tuple[Gap, ...] = ()

    def segments(self, until: int) -> Iterator[tuple[int, int]]:
        """Yield what lies between the gaps from the start up to `until`."""
        at = self.started
        for gap in self.gaps:
            if gap.from_ >= until:
                break
            if at < gap.from_:
                yield at, gap.from_
            at = gap.to
        if at < until:
            yield at, until

    def counted(self, until: int) -> int:
        """Return the business seconds from the start to `until` outside the gaps."""
        return sum(self.calendar.seconds_between(from_, to) for from_, to in self.segments(until))

    def maintained(self, until: int) -> int:
        """Return the business seconds of planned maintenance from the start to `until`, left out or shown."""
        parts = [gap for gap in self.gaps if gap.is_maintenance] + list(self.shown)
        return sum(
            self.calendar.seconds_between(part.from_, min(part.to, until))
            for part in parts
            if part.from_ < until
        )

    def reach(self, totals: Sequence[int], until: int) -> list[int]:
        """Return the earliest instants at which these totals are counted, as far as that happens by `until`.

        `totals` are positive and ascending; equal ones share an instant.
        """
        found: list[int] = []
        counted = 0
        for from_, to in self.segments(until):
            needs = [total - counted for total in totals[len(found) :]]
            reached, passed = self.calendar.reach(from_, to, needs)
            found += reached
            if len(found) == len(totals):
                break
            counted += passed
        return found


def gaps_of(pauses: Sequence[Pause], started: int, stopped: int | None) -> tuple[Gap, ...]:
    """Return pauses in order, clipped to what lies between start and stop (R8).

    Raises ValueError for a pause that ends before it begins, and for two that overlap.
    """
    raw = sorted((_gap(pause) for pause in pauses), key=lambda gap: gap[:2])
    for gap in raw:
        if gap.to < gap.from_:
            raise ValueError("a pause ends before it begins")
    for earlier, later in pairwise(raw):
        if later.from_ < earlier.to:
            raise ValueError("pauses overlap")
    end = FOREVER if stopped is None else stopped
    clipped = (gap._replace(from_=max(gap.from_, started), to=min(gap.to, end)) for gap in raw)
    return tuple(gap for gap in clipped if gap.from_ < gap.to)


def without(gaps: Sequence[Gap], taken: Sequence[Gap]) -> Iterator[Gap]:
    """Yield what is left of some gaps, in order and apart, outside others: what the client waits for comes first."""
    for gap in gaps:
        at = gap.from_
        for other in taken:
            if at < other.from_ < gap.to:
                yield gap._replace(from_=at, to=other.from_)
            if other.from_ < gap.to:
                at = max(at, other.to)
        if at < gap.to:
            yield gap._replace(from_=at)


def _gap(pause: Pause) -> Gap:
    to = FOREVER if pause.to_at is None else seconds_of(pause.to_at)
    return Gap(seconds_of(pause.from_at), to, pause.reason, pause.by, pause.is_maintenance)
