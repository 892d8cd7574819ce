"""The clocks of a ticket, derived from its history alone (R15 to R21).

Nothing is remembered between two readings: the history is replayed each time, so a state cannot be wrong because
some handler did not run. The sweep, the screen and the nightly comparison all ask these functions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.clock.clock import Cause, Verdict
from contracts.clock.instants import floored
from contracts.clock.maintenance import Planned, set_apart
from contracts.clock.track import (
    ChangeRule,
    ClockRules,
    Decision,
    Edition,
    ReopenRule,
    Target,
    Track,
    UpdateStart,
)


class ClockKind(StrEnum):
    """The clocks that a ticket's own history decides."""

    RESPONSE = "response"
    UPDATE = "update"
    RESOLUTION = "resolution"


class EntryKind(StrEnum):
    """What can happen to a ticket that moves a clock."""

    CREATED = "created"
    STATE_CHANGED = "state_changed"
    REPLIED = "replied"
    SPOKE_WITH_CALLER = "spoke_with_caller"
    PRIORITY_CHANGED = "priority_changed"
    TERMS_APPLIED = "terms_applied"


@dataclass(frozen=True)
class Terms:
    """What a version of a contract says of each clock; `id` names the version and is only handed through."""

    response: ClockRules
    update: ClockRules
    resolution: ClockRules
    id: int | None = None

    def of(self, kind: ClockKind) -> ClockRules:
        """Return the rules of one clock."""
        rules: Mapping[ClockKind, ClockRules] = {
            ClockKind.RESPONSE: self.response,
            ClockKind.UPDATE: self.update,
            ClockKind.RESOLUTION: self.resolution,
        }
        return rules[kind]


@dataclass(frozen=True)
class Entry:
    """One thing in a ticket's history, with the time at which the portal took it.

    `state` and `reason` (for waiting) go with created and state_changed, `priority` with created and priority_changed;
    `by_kind` of a reply is `staff`, `requester` or `automatic`, and only a public one counts; `by` names a person for
    the strip; `terms` go with terms_applied.
    """

    kind: EntryKind
    at: datetime
    state: str = "new"
    reason: str | None = None
    priority: str = ""
    by_kind: str = ""
    is_public: bool = True
    by: str | None = None
    terms: Terms | None = None


@dataclass(frozen=True)
class Reading:
    """One cycle of one clock at an instant; `cycle` counts from 1.

    `target_version` grows with each new priority or terms, so that (kind, cycle, target_version, percent) names a
    warning that is recorded once (R20). `terms_id` names the version whose target this is.
    """

    kind: ClockKind
    cycle: int
    priority: str
    target: Target | None
    target_version: int
    started_at: datetime
    stopped_at: datetime | None
    verdict: Verdict
    decisions: tuple[Decision, ...]
    terms_id: int | None = None
    # Ended without an answer being due any more: closed or cancelled, not answered or resolved.
    is_withdrawn: bool = False


_RESOLVED = "resolved"
_WAITING = "waiting"
_FINAL = frozenset({"closed", "cancelled"})
_ENDED = _FINAL | {_RESOLVED}


def read_clocks(
    history: Iterable[Entry], terms: Terms, as_of: datetime, planned: Sequence[Planned] = ()
) -> tuple[Reading, ...]:
    """Return every cycle of every clock of a ticket at `as_of`; later entries are not known yet.

    `history` is in the order in which things happened and begins with the ticket's creation, else ValueError;
    `terms` are those in force at creation, `planned` the maintenance of what the ticket is about. Nothing is returned
    for a time before it.
    """
    entries = list(history)
    return tuple(
        reading for kind in ClockKind for reading in read_clock(kind, entries, terms, as_of, planned)
    )


def read_clock(
    kind: ClockKind,
    history: Iterable[Entry],
    terms: Terms,
    as_of: datetime,
    planned: Sequence[Planned] = (),
) -> tuple[Reading, ...]:
    """Return the cycles of one clock at `as_of`, oldest first; see `read_clocks`."""
    end = floored(as_of)
    course = _follow(kind, history, terms, end, planned)
    return () if course is None else tuple(course.readings(end))


def decide_clock(
    kind: ClockKind,
    history: Iterable[Entry],
    terms: Terms,
    as_of: datetime,
    planned: Sequence[Planned] = (),
) -> tuple[Decision, ...]:
    """Return what was decided by `as_of`: the decisions of all `read_clock`'s cycles, in a fraction of its time."""
    end = floored(as_of)
    course = _follow(kind, history, terms, end, planned)
    tracks = () if course is None else course.tracks
    return tuple(decision for track in tracks for decision in track.decisions(end))


def _follow(
    kind: ClockKind, history: Iterable[Entry], terms: Terms, end: datetime, planned: Sequence[Planned]
) -> "_Course | None":
    """Replay a history up to its end; None for one that begins later."""
    course: _Course | None = None
    for entry in history:
        at = floored(entry.at)
        if at > end:
            break
        if course is None:
            course = _COURSES[kind](kind, terms, entry, at, planned)
        else:
            course.follow(entry, at)
    return course


class _Course:
    """One clock while the history is replayed: the ticket as it stands, and the clock's cycles so far."""

    def __init__(
        self, kind: ClockKind, terms: Terms, created: Entry, at: datetime, planned: Sequence[Planned] = ()
    ) -> None:
        if created.kind is not EntryKind.CREATED:
            raise ValueError("a history begins with the ticket's creation")
        self.kind, self.rules, self.terms_id, self.planned = kind, terms.of(kind), terms.id, planned
        self.priority = created.priority
        self.state, self.reason, self.by = created.state, created.reason, created.by
        self.tracks: list[Track] = []
        self.deferred: tuple[Cause, datetime] | None = None
        self.begin(at)

    def begin(self, at: datetime) -> None:
        """The ticket is created; one created closed never runs."""
        self.start(at)
        if self.state in _FINAL:
            self.track.stop(at, withdrawn=True)

    def follow(self, entry: Entry, at: datetime) -> None:
        """Take in the next entry of the history."""
        if entry.kind not in _STEPS:
            raise ValueError("a ticket is created once")
        _STEPS[entry.kind](self, entry, at)

    def readings(self, as_of: datetime) -> Iterable[Reading]:
        """Yield what each cycle says at `as_of`."""
        for track in self.tracks:
            verdict, decisions = track.verdict(as_of)
            latest = track.latest
            yield Reading(
                kind=self.kind,
                cycle=track.number,
                priority=latest.priority,
                target=latest.target,
                target_version=latest.target_version,
                started_at=latest.started_at,
                stopped_at=latest.stopped_at,
                verdict=verdict,
                decisions=decisions,
                terms_id=latest.terms_id,
                is_withdrawn=latest.is_withdrawn,
            )

    # What the kinds of clock differ in.

    def replied(self, entry: Entry, at: datetime) -> None:
        """A public reply by a person of staff or by the requester."""

    def spoken(self, at: datetime) -> None:
        """Staff tick that they spoke with the caller."""

    def end(self, at: datetime) -> None:
        """The ticket was resolved, closed or cancelled."""
        if self.state in _FINAL:
            self.stop(at, withdrawn=True)

    def reopen(self, at: datetime) -> None:
        """The ticket is open again."""
        if self.tracks and self.track.latest.is_withdrawn:
            self.resume(at, counting_the_stop=False)

    def pause_reason(self) -> str | None:
        """Why the clock is paused as the ticket stands, if it is (R16)."""
        waiting = self.state == _WAITING and self.reason in self.rules.pause_reasons
        return self.reason if waiting else None

    # What they share.

    @property
    def track(self) -> Track:
        """The latest cycle."""
        return self.tracks[-1]

    @property
    def is_running(self) -> bool:
        """Whether a cycle has started and not stopped."""
        return bool(self.tracks) and self.track.is_running

    def start(self, at: datetime) -> None:
        """Begin a cycle, paused if the ticket stands so."""
        self.deferred = None
        self.tracks.append(Track(len(self.tracks) + 1, [self._edition(at, at)]))
        self.settle(at)

    def stop(self, at: datetime, *, withdrawn: bool = False) -> None:
        """Stop the running cycle, if there is one."""
        if self.is_running:
            self.track.stop(at, withdrawn=withdrawn)

    def settle(self, at: datetime) -> None:
        """Pause or run as the ticket now stands; a stopped clock does neither."""
        if self.is_running:
            self.track.pause(at, self.pause_reason(), self.by)

    def resume(self, at: datetime, *, counting_the_stop: bool) -> None:
        """Go on with a stopped cycle, by the priority and terms that hold now (R17, R18)."""
        latest = self.track.latest
        started_at, version, cause = latest.started_at, latest.target_version, Cause.REOPENED
        if self.deferred is not None:
            cause, changed_at = self.deferred
            started_at, version = self._measured_from(changed_at), version + 1
        edition = self._edition(at, started_at, version, cause)
        self.deferred = None
        self.track.resume(edition, counting_the_stop=counting_the_stop)

    def _change_state(self, entry: Entry, at: datetime) -> None:
        was_ended = self.state in _ENDED
        self.state, self.reason, self.by = entry.state, entry.reason, entry.by
        if self.state in _ENDED:
            self.end(at)
        elif was_ended:
            self.reopen(at)
        self.settle(at)

    def _reply(self, entry: Entry, at: datetime) -> None:
        if entry.is_public:
            self.replied(entry, at)

    def _change_priority(self, entry: Entry, at: datetime) -> None:
        if entry.priority != self.priority:
            self.priority = entry.priority
            self._retarget(at, Cause.REPRIORITISED)

    def _apply_terms(self, entry: Entry, at: datetime) -> None:
        if entry.terms is None:
            raise ValueError("terms are applied without saying which")
        self.rules, self.terms_id = entry.terms.of(self.kind), entry.terms.id
        self._retarget(at, Cause.TERMS_APPLIED)
        self.settle(at)

    def _retarget(self, at: datetime, cause: Cause) -> None:
        """Measure by another target from now on; a stopped clock keeps its verdict until it runs again (R18)."""
        if not self.is_running:
            self.deferred = (cause, at)
            return
        version = self.track.latest.target_version + 1
        self.track.editions.append(self._edition(at, self._measured_from(at), version, cause))

    def _measured_from(self, changed_at: datetime) -> datetime:
        from_change = self.rules.change is ChangeRule.FROM_CHANGE
        return changed_at if from_change else self.track.latest.started_at

    def _edition(
        self, known_from: datetime, started_at: datetime, version: int = 1, cause: Cause = Cause.TIME_RAN_OUT
    ) -> Edition:
        target = self.rules.targets.get(self.priority)
        percents = self.rules.warn_at_percent
        return Edition(
            known_from,
            started_at,
            self.priority,
            target,
            percents,
            version,
            cause,
            apart=set_apart(self.planned, self.rules.maintenance),
            terms_id=self.terms_id,
        )


_STEPS: Mapping[EntryKind, Callable[[_Course, Entry, datetime], None]] = {
    EntryKind.STATE_CHANGED: _Course._change_state,
    EntryKind.REPLIED: _Course._reply,
    EntryKind.SPOKE_WITH_CALLER: lambda course, _, at: course.spoken(at),
    EntryKind.PRIORITY_CHANGED: _Course._change_priority,
    EntryKind.TERMS_APPLIED: _Course._apply_terms,
}


class _Response(_Course):
    """Stops at the first public reply by a person of staff, or when they tick that they spoke; then it is over."""

    def replied(self, entry: Entry, at: datetime) -> None:
        if entry.by_kind == "staff":
            self.stop(at)

    def spoken(self, at: datetime) -> None:
        self.stop(at)


class _Update(_Course):
    """A cycle for each time that staff owe the requester word, until they give it."""

    has_staff_replied = False

    def begin(self, at: datetime) -> None:
        """Nothing is owed before the first reply by staff: that is what `response` is for."""

    def replied(self, entry: Entry, at: datetime) -> None:
        if entry.by_kind == "staff":
            self.has_staff_replied = True
            self.stop(at)
        if self._starts(entry):
            self.start(at)

    def pause_reason(self) -> str | None:
        """A resolved ticket owes no word while it stays so."""
        return _RESOLVED if self.state == _RESOLVED else super().pause_reason()

    def _starts(self, entry: Entry) -> bool:
        if self.state in _FINAL or self.is_running or not self.has_staff_replied:
            return False
        starter = "staff" if self.rules.update_start is UpdateStart.STAFF_REPLY else "requester"
        return entry.by_kind == starter


class _Resolution(_Course):
    """Stops when the ticket is resolved, or closed without that; reopening follows the contract's rule."""

    def begin(self, at: datetime) -> None:
        super().begin(at)
        if self.state == _RESOLVED:
            self.track.stop(at)

    def end(self, at: datetime) -> None:
        self.stop(at, withdrawn=self.state == "cancelled")

    def reopen(self, at: datetime) -> None:
        if self.rules.reopen is ReopenRule.NEW_CYCLE:
            self.start(at)
        else:
            self.resume(at, counting_the_stop=self.rules.reopen is ReopenRule.COUNT)


_COURSES: Mapping[ClockKind, type[_Course]] = {
    ClockKind.RESPONSE: _Response,
    ClockKind.UPDATE: _Update,
    ClockKind.RESOLUTION: _Resolution,
}
