"""The SLA clock as a pure function: what counts, what is due, met or missed at an instant (R7 to R13)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from contracts.clock.calendar import REACH, Calendar
from contracts.clock.instants import instant_of, seconds_of
from contracts.clock.maintenance import NOTHING, Apart
from contracts.clock.strip import Interval, strip
from contracts.clock.timeline import Gap, Pause, Timeline, gaps_of, without


class State(StrEnum):
    """What a clock is at an instant, exactly one of these (R10)."""

    NOT_APPLICABLE = "not_applicable"
    RUNNING = "running"
    PAUSED = "paused"
    OUTSIDE_HOURS = "outside_hours"
    MET = "met"
    MISSED = "missed"


class Cause(StrEnum):
    """Why a target was missed (R19)."""

    TIME_RAN_OUT = "time_ran_out"
    REPRIORITISED = "reprioritised"
    TERMS_APPLIED = "terms_applied"
    REOPENED = "reopened"


@dataclass(frozen=True)
class ClockWarning:
    """A share of the target, in percent, and when it is or will be used up."""

    percent: int
    at: datetime


@dataclass(frozen=True)
class ClockInput:
    """All that a verdict depends on. Instants are aware; their fractions of a second are dropped.

    Raises ValueError for a target below one second, percentages that do not ascend from 1 to 100, an `as_of` or
    `stopped_at` before the start, and pauses that overlap or end before they begin.
    """

    calendar: Calendar
    target_seconds: int
    started_at: datetime
    as_of: datetime
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None
    warn_at_percent: tuple[int, ...] = ()
    apart: Apart = NOTHING

    def __post_init__(self) -> None:
        if self.target_seconds < 1:
            raise ValueError("a target is at least one second")
        if list(self.warn_at_percent) != sorted({p for p in self.warn_at_percent if 1 <= p <= 100}):
            raise ValueError("percentages ascend from 1 to 100")
        if seconds_of(self.as_of) < self._started:
            raise ValueError("a clock cannot be read before its start")
        if self.stopped_at is not None and seconds_of(self.stopped_at) < self._started:
            raise ValueError("a clock cannot stop before its start")
        self.timeline  # noqa: B018 - raises for impossible pauses

    @cached_property
    def stopped(self) -> int | None:
        """The stop, in seconds since 1970, if it has happened by `as_of` (R8)."""
        if self.stopped_at is None or seconds_of(self.stopped_at) > seconds_of(self.as_of):
            return None
        return seconds_of(self.stopped_at)

    @cached_property
    def end(self) -> int:
        """The stop or `as_of`, whichever is earlier, in seconds since 1970."""
        return seconds_of(self.as_of) if self.stopped is None else self.stopped

    @cached_property
    def timeline(self) -> Timeline:
        """The start and the pauses as they affect this clock."""
        gaps = gaps_of(self.pauses, self._started, self.stopped)
        if self.apart is NOTHING:
            return Timeline(self.calendar, self._started, gaps)
        left_out, shown = (
            tuple(without(self._clipped(parts), gaps)) for parts in (self.apart.left_out, self.apart.shown)
        )
        return Timeline(self.calendar, self._started, tuple(sorted((*gaps, *left_out))), shown)

    def _clipped(self, parts: tuple[Pause, ...]) -> tuple[Gap, ...]:
        return gaps_of(parts, self._started, self.stopped)

    @cached_property
    def _started(self) -> int:
        return seconds_of(self.started_at)


@dataclass(frozen=True)
class Verdict:
    """What a clock says at an instant (R11); all instants are UTC.

    `remaining_seconds` is negative when over. `due_at` is None where the target is not used up within 3,653 days of
    the start. `warnings` have fired, `upcoming` will if nothing else happens. `paused_business_seconds` are all that
    the clock left out, `maintenance_business_seconds` those of planned maintenance, left out or not.
    """

    state: State
    elapsed_seconds: int = 0
    remaining_seconds: int = 0
    paused_business_seconds: int = 0
    due_at: datetime | None = None
    missed_at: datetime | None = None
    cause: Cause | None = None
    warnings: tuple[ClockWarning, ...] = ()
    upcoming: tuple[ClockWarning, ...] = ()
    clock: ClockInput | None = field(default=None, repr=False, compare=False)
    maintenance_business_seconds: int = 0

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """The strip: wall time from the start to the end without gap or overlap (R13), worked out when asked for."""
        return () if self.clock is None else strip(self.clock.timeline, self.clock.end)

    @property
    def reason(self) -> str | None:
        """`maintenance` where that is why the clock stands still; other reasons are the ticket's own."""
        if self.clock is None or self.state is not State.PAUSED:
            return None
        gaps, end = self.clock.timeline.gaps, self.clock.end
        return (
            "maintenance" if any(one.is_maintenance and one.from_ <= end < one.to for one in gaps) else None
        )

    @property
    def next_look_at(self) -> datetime | None:
        """The next instant at which this verdict changes something to record, if nothing else happens.

        That is a warning, or the second after `due_at`, the first at which the target counts as missed (R9).
        """
        looks = [warning.at for warning in self.upcoming]
        if self.due_at is not None and self.state in _UNDECIDED:
            looks.append(self.due_at + timedelta(seconds=1))
        return min(looks, default=None)


_UNDECIDED = frozenset({State.RUNNING, State.PAUSED, State.OUTSIDE_HOURS})


def calculate(
    calendar: Calendar,
    target_seconds: int,
    started_at: datetime,
    pauses: Sequence[Pause],
    stopped_at: datetime | None,
    as_of: datetime,
    warn_at_percent: Sequence[int] = (),
) -> Verdict:
    """Return what a clock says at `as_of`; ValueError as ClockInput."""
    return judge(
        ClockInput(
            calendar, target_seconds, started_at, as_of, tuple(pauses), stopped_at, tuple(warn_at_percent)
        )
    )


def judge(clock: ClockInput) -> Verdict:
    """Return what a clock says (R7 to R12)."""
    started, gaps, end = clock.timeline.started, clock.timeline.gaps, clock.end
    elapsed = clock.timeline.counted(end)
    due, warnings = _forecast(clock)
    missed = due is not None and due < end
    return Verdict(
        state=_state(clock, missed=missed),
        elapsed_seconds=elapsed,
        remaining_seconds=clock.target_seconds - elapsed,
        paused_business_seconds=clock.calendar.seconds_between(started, end) - elapsed if gaps else 0,
        due_at=_instant(due),
        missed_at=_instant(due) if missed else None,
        cause=Cause.TIME_RAN_OUT if missed else None,
        warnings=tuple(warning for warning in warnings if seconds_of(warning.at) <= end),
        upcoming=tuple(
            warning for warning in warnings if seconds_of(warning.at) > end and clock.stopped is None
        ),
        clock=clock,
        maintenance_business_seconds=0 if clock.apart is NOTHING else clock.timeline.maintained(end),
    )


def _forecast(clock: ClockInput) -> tuple[int | None, list[ClockWarning]]:
    """Return when the target is used up, and the warnings on the way (R7, R12)."""
    target = clock.target_seconds
    totals = [-(-target * percent // 100) for percent in clock.warn_at_percent]
    due_by = clock.timeline.started + REACH
    found = clock.timeline.reach([*totals, target], max(due_by, clock.end))
    warnings = [
        ClockWarning(percent, instant_of(at))
        for percent, at in zip(clock.warn_at_percent, found, strict=False)
    ]
    reached = len(found) == len(totals) + 1 and found[-1] <= due_by
    return (found[-1] if reached else None), warnings


def _state(clock: ClockInput, *, missed: bool) -> State:
    if missed:
        return State.MISSED
    if clock.stopped is not None:
        return State.MET
    as_of = seconds_of(clock.as_of)
    if any(gap.from_ <= as_of < gap.to for gap in clock.timeline.gaps):
        return State.PAUSED
    return State.RUNNING if clock.calendar.is_open(clock.as_of) else State.OUTSIDE_HOURS


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant_of(seconds)
