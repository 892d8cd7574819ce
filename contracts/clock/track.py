"""One run of a clock whose terms may change while it goes: its editions, and the verdict over all of them.

An edition is what was known of the clock from one instant on: its target, from when it counts, and by which
terms. A miss is judged by the edition in force at the time and never earlier than that edition was known (R19).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from contracts.clock.calendar import Calendar
from contracts.clock.clock import Cause, ClockInput, ClockWarning, State, Verdict, judge
from contracts.clock.maintenance import NOTHING, Apart, MaintenanceTerms
from contracts.clock.timeline import Pause


class ReopenRule(StrEnum):
    """What reopening does to the resolution clock (R17)."""

    CONTINUE = "continue"
    COUNT = "count"
    NEW_CYCLE = "new_cycle"


class ChangeRule(StrEnum):
    """From when a new priority's target is measured (R18)."""

    FROM_CREATION = "from_creation"
    FROM_CHANGE = "from_change"


class UpdateStart(StrEnum):
    """What starts the update clock: a requester's reply to staff, or the staff's reply itself (R15)."""

    REQUESTER_REPLY = "requester_reply"
    STAFF_REPLY = "staff_reply"


@dataclass(frozen=True)
class Target:
    """Business seconds allowed, in the calendar in which they are measured."""

    seconds: int
    calendar: Calendar


@dataclass(frozen=True)
class ClockRules:
    """What a version of a contract says of one clock; a priority without a target is not measured."""

    targets: Mapping[str, Target]
    pause_reasons: frozenset[str] = frozenset()
    reopen: ReopenRule = ReopenRule.CONTINUE
    change: ChangeRule = ChangeRule.FROM_CREATION
    update_start: UpdateStart = UpdateStart.REQUESTER_REPLY
    warn_at_percent: tuple[int, ...] = ()
    maintenance: MaintenanceTerms = MaintenanceTerms()


@dataclass(frozen=True)
class Decision:
    """When a target was met or missed, and why it was missed; what a statement counts in that month.

    `priority` and `target_version` name the target that was decided, whatever the ticket's priority became later.
    """

    at: datetime
    state: State
    cause: Cause | None = None
    priority: str = field(default="", compare=False)
    target_version: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Edition:
    """A clock as it was known from `known_from` until the next edition."""

    known_from: datetime
    started_at: datetime
    priority: str
    target: Target | None
    warn_at_percent: tuple[int, ...]
    target_version: int = 1
    cause: Cause = Cause.TIME_RAN_OUT
    stopped_at: datetime | None = None
    is_withdrawn: bool = False
    apart: Apart = NOTHING


@dataclass
class Track:
    """One cycle of a clock, built up event by event; all instants in whole seconds."""

    number: int
    editions: list[Edition]
    pauses: list[Pause] = field(default_factory=list)

    @property
    def latest(self) -> Edition:
        """The edition in force."""
        return self.editions[-1]

    @property
    def is_running(self) -> bool:
        """Whether nothing has stopped it, pauses aside."""
        return self.latest.stopped_at is None

    def stop(self, at: datetime, *, withdrawn: bool = False) -> None:
        """Stop it and settle its open pause; `withdrawn` where it ends without an answer being due any more."""
        self.pause(at, None, None)
        self.editions[-1] = replace(self.latest, stopped_at=at, is_withdrawn=withdrawn)

    def resume(self, edition: Edition, *, counting_the_stop: bool) -> None:
        """Go on after a stop, which becomes a pause unless its time counts (R17)."""
        stopped_at = self.latest.stopped_at
        if not counting_the_stop and stopped_at is not None and stopped_at < edition.known_from:
            self.pauses.append(Pause(stopped_at, edition.known_from, "resolved"))
        self.editions.append(edition)

    def pause(self, at: datetime, reason: str | None, by: str | None) -> None:
        """Be paused for this reason from now on, or for none; an empty pause leaves no trace."""
        current = self.pauses[-1] if self.pauses and self.pauses[-1].to_at is None else None
        if reason == (current and current.reason):
            return
        if current is not None:
            self.pauses[-1] = replace(current, to_at=at)
        if reason is not None:
            self.pauses.append(Pause(at, None, reason, by))

    def verdict(self, as_of: datetime) -> tuple[Verdict, tuple[Decision, ...]]:
        """Return what it says at `as_of`, and what was decided until then (R19, R20, R21)."""
        read = list(self._read(as_of))
        decisions = tuple(self._decisions(read))
        miss = decisions[-1] if decisions and decisions[-1].state is State.MISSED else None
        edition, last = read[-1]
        verdict = Verdict(State.NOT_APPLICABLE) if last is None else last
        if edition.target is None or edition.is_withdrawn:
            verdict = replace(verdict, state=State.NOT_APPLICABLE, due_at=None)
        verdict = replace(verdict, warnings=_warnings(read), missed_at=None, cause=None)
        if miss is not None:
            verdict = replace(verdict, state=State.MISSED, missed_at=miss.at, cause=miss.cause)
        return verdict, decisions

    def _read(self, as_of: datetime) -> Iterator[tuple[Edition, Verdict | None]]:
        """Yield each edition with its own verdict at the end of its reign, None without a target."""
        untils = [later.known_from for _, later in pairwise(self.editions)] + [as_of]
        for edition, until in zip(self.editions, untils, strict=True):
            yield (
                edition,
                None if edition.target is None else judge(self._input(edition, edition.target, until)),
            )

    def _input(self, edition: Edition, target: Target, as_of: datetime) -> ClockInput:
        return ClockInput(
            calendar=target.calendar,
            target_seconds=target.seconds,
            started_at=edition.started_at,
            as_of=as_of,
            pauses=tuple(self.pauses),
            stopped_at=edition.stopped_at,
            warn_at_percent=edition.warn_at_percent,
            apart=edition.apart,
        )

    def _decisions(self, read: list[tuple[Edition, Verdict | None]]) -> Iterator[Decision]:
        """Yield each time it was met, up to the first miss, which stays (R19)."""
        for edition, verdict in read:
            if verdict is not None and verdict.missed_at is not None:
                late = verdict.missed_at <= edition.known_from
                cause = edition.cause if late else Cause.TIME_RAN_OUT
                missed_at = max(verdict.missed_at, edition.known_from)
                yield Decision(missed_at, State.MISSED, cause, edition.priority, edition.target_version)
                return
            if verdict is not None and edition.stopped_at is not None and not edition.is_withdrawn:
                met = edition.stopped_at, State.MET, None
                yield Decision(*met, edition.priority, edition.target_version)


def _warnings(read: list[tuple[Edition, Verdict | None]]) -> tuple[ClockWarning, ...]:
    """Return the warnings of the latest target, each once and not before the target was known (R20)."""
    version = read[-1][0].target_version
    fired: dict[int, ClockWarning] = {}
    for edition, verdict in read:
        if verdict is not None and edition.target_version == version:
            for warning in verdict.warnings:
                fired.setdefault(warning.percent, replace(warning, at=max(warning.at, edition.known_from)))
    return tuple(fired.values())
