"""The verdict on a lane, in integers only: pure.

`settled` are the actions with a good or bad end. A machine that succeeded and fell silent afterwards counts as bad.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

OK = frozenset({"success", "noop"})
BAD = frozenset({"failed", "timeout", "rejected", "indeterminate"})
GONE = frozenset({"unreachable"})
# Neither good nor bad, and nothing to wait for.
ASIDE = frozenset({"cancelled", "skipped", "superseded"})
# A machine's last call may be as much later than its success, or be noted as much later.
SEEN_LATE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Gate:
    """The numbers of a wave. None for `max_bad` switches that rule off; percentages are 0 to 100."""

    max_bad: int | None = 1
    max_bad_pct: int = 5
    min_sample: int = 10
    pass_pct: int = 95
    max_gone_pct: int = 30
    soak_seconds: int = 600
    lane_seconds: int = 86_400
    stop_codes: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Gate":
        """The gate of a stored plan."""
        return cls(**{**stored, "stop_codes": tuple(stored.get("stop_codes", ()))})

    def stored(self) -> dict[str, Any]:
        """The gate as a plan stores it."""
        return {**asdict(self), "stop_codes": list(self.stop_codes)}


def soak_seconds(gate: Gate, *, silent_seconds: int, is_urgent: bool) -> int:
    """How long after the last success a lane waits: a wave that soaks at all does so until silence would show.

    `is_urgent`: going back to an earlier version is in a hurry, and waits no longer than it was told to.
    """
    if gate.soak_seconds == 0 or is_urgent:
        return gate.soak_seconds
    return max(gate.soak_seconds, silent_seconds + SEEN_LATE_SECONDS)


@dataclass(frozen=True, slots=True)
class Counts:
    """A lane's actions by their end. `members` was fixed when the lane opened."""

    members: int = 0
    ok: int = 0
    bad: int = 0
    gone: int = 0
    aside: int = 0
    open: int = 0
    silent: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> int:
        """Actions with a good or bad end."""
        return self.ok + self.bad

    def worsened(self) -> "Counts":
        """The same with silent successes taken for bad ones."""
        silent = min(self.silent, self.ok)
        return Counts(
            self.members,
            self.ok - silent,
            self.bad + silent,
            self.gone,
            self.aside,
            self.open,
            silent,
            self.reasons,
        )

    def stored(self) -> dict[str, Any]:
        """The numbers as a decision keeps them."""
        return {**asdict(self), "reasons": dict(self.reasons)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fail`, `pass`, `inconclusive`, or `wait`; and why, in a word."""

    kind: str
    reason: str


WAIT = Verdict("wait", "open")


def judge(
    gate: Gate,
    counts: Counts,
    *,
    is_soaked: bool,
    is_late: bool,
    is_silence_known: bool = True,
    vetoes: Sequence[str] = (),
) -> Verdict:
    """The verdict on an open lane.

    `is_soaked`: the soak time since the last success is over. `is_late`: the lane's deadline has passed.
    `is_silence_known`: whether the portal can tell at all who has called lately; no lane passes while it can't.
    """
    real = counts.worsened()
    failed = _failure(gate, real, vetoes)
    if failed is not None:
        return Verdict("fail", failed)
    if real.open and not is_late:
        return WAIT
    if not _is_enough(gate, real):
        # With nothing open any more, waiting for the deadline would change nothing.
        return Verdict("inconclusive", "too few succeeded")
    if not is_silence_known:
        return Verdict("wait", "silence unknown")
    return Verdict("pass", "enough succeeded") if is_soaked else Verdict("wait", "soaking")


def _failure(gate: Gate, counts: Counts, vetoes: Sequence[str]) -> str | None:
    if gate.max_bad is not None and counts.bad >= gate.max_bad:
        return "max_bad"
    if counts.settled >= gate.min_sample and 100 * counts.bad > gate.max_bad_pct * counts.settled:
        return "max_bad_pct"
    if any(counts.reasons.get(code) for code in gate.stop_codes):
        return "stop_code"
    return f"veto: {vetoes[0]}" if vetoes else None


def _is_enough(gate: Gate, counts: Counts) -> bool:
    """At least one success, unless there was nobody to succeed."""
    if counts.members == 0:
        return True
    reached = 100 * counts.ok >= gate.pass_pct * (counts.members - counts.gone)
    return counts.ok > 0 and reached and 100 * counts.gone <= gate.max_gone_pct * counts.members


@dataclass(frozen=True, slots=True)
class GlobalRule:
    """What stops a campaign whatever its lanes say: bad ends over all lanes, one reason at several clients."""

    max_bad: int | None = None
    max_failed_lanes: int = 1
    same_reason_tenants: int = 3


def judge_all(
    rule: GlobalRule, *, bad: int, failed_lanes: int, tenants_by_reason: Mapping[str, int]
) -> str | None:
    """Why the whole campaign has to stop, or None. Counts leave out lanes that people have waived."""
    if rule.max_bad is not None and bad >= rule.max_bad:
        return "max_bad over all lanes"
    if failed_lanes >= rule.max_failed_lanes:
        return "a lane failed"
    common = [reason for reason, tenants in tenants_by_reason.items() if tenants >= rule.same_reason_tenants]
    return f"same reason at several clients: {min(common)}" if common else None
