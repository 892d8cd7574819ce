"""Planned maintenance as a clock takes it: left out as the contract says, or only shown apart."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.clock.calendar import Calendar
from contracts.clock.instants import instant_of, seconds_of
from contracts.clock.timeline import Pause
from contracts.clock.wall import Kind


@dataclass(frozen=True)
class Planned:
    """Maintenance from one instant to another, known before it began; the title is for people."""

    from_at: datetime
    to_at: datetime
    title: str


@dataclass(frozen=True)
class MaintenanceTerms:
    """Whether planned maintenance is left out of the clocks, and only inside which windows; None for any time."""

    is_excluded: bool = False
    windows: Calendar | None = None


@dataclass(frozen=True)
class Apart:
    """What planned maintenance does to a clock: parts that it does not count, and parts that it counts and shows."""

    left_out: tuple[Pause, ...] = ()
    shown: tuple[Pause, ...] = ()


NOTHING = Apart()


def set_apart(planned: Sequence[Planned], terms: MaintenanceTerms) -> Apart:
    """Sort planned maintenance by what the contract says of it; where two overlap, the earlier one goes on."""
    if not planned:
        return NOTHING
    if not terms.is_excluded:
        return Apart(shown=tuple(_one_after_another(planned)))
    left_out: list[Pause] = []
    shown: list[Pause] = []
    for part in _one_after_another(planned):
        for piece, is_inside in _by_window(part, terms.windows):
            (left_out if is_inside else shown).append(piece)
    return Apart(tuple(left_out), tuple(shown))


def _one_after_another(planned: Iterable[Planned]) -> Iterator[Pause]:
    reached: datetime | None = None
    for one in sorted(planned, key=lambda one: (one.from_at, one.to_at, one.title)):
        begin = one.from_at if reached is None else max(one.from_at, reached)
        if begin < one.to_at:
            yield Pause(begin, one.to_at, one.title, is_maintenance=True)
            reached = one.to_at


def _by_window(part: Pause, windows: Calendar | None) -> Iterator[tuple[Pause, bool]]:
    assert part.to_at is not None
    if windows is None:
        yield part, True
        return
    for begin, end, kind in windows.stretches(seconds_of(part.from_at), seconds_of(part.to_at)):
        piece = Pause(instant_of(begin), instant_of(end), part.reason, is_maintenance=True)
        yield piece, kind is Kind.OPEN
