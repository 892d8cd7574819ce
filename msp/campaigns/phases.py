"""An action's phases and outcomes, and what a device's feedback does to them: pure."""

from dataclasses import dataclass

PHASES = ("planned", "eligible", "offered", "running", "rebooting", "verifying", "cancelling", "closed")
OUTCOMES = (
    "success",
    "noop",
    "failed",
    "timeout",
    "rejected",
    "cancelled",
    "skipped",
    "superseded",
    "unreachable",
    "indeterminate",
)
# An asset has at most one action in these phases.
OPEN = ("offered", "running", "rebooting", "verifying", "cancelling")
STARTED = frozenset({"running", "rebooting"})
AMENDABLE = frozenset({"timeout", "indeterminate", "cancelled", "unreachable"})
ORDER = {phase: place for place, phase in enumerate(PHASES)}
MOST_DEFERRALS = 20

EXECUTIONS = frozenset(
    {"closed", "proceeding", "scheduled", "rejected", "resumed", "canceled", "download", "downloaded"}
)
FINISHES = frozenset({"success", "failure", "none"})
_PROGRESS = frozenset({"proceeding", "scheduled", "resumed", "download", "downloaded"})

# What an expired deadline makes of a phase: never started, started, or reported and not verified.
EXPIRED = {
    "eligible": "unreachable",
    "offered": "unreachable",
    "running": "timeout",
    "rebooting": "timeout",
    "verifying": "indeterminate",
    "cancelling": "indeterminate",
}

# The reference agent's numbers, as words for people and for counting.
REASONS = {
    1: "digest",
    2: "unsafe_path",
    3: "no_space",
    4: "write",
    5: "download",
    6: "unsupported",
    7: "held",
    8: "check_before",
    9: "check_after",
    10: "busy",
    11: "packages",
    12: "script",
    13: "timed_out",
    14: "interrupted",
    15: "window",
    16: "downgrade",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One feedback document: which channel, what the device says."""

    channel: str
    execution: str
    finished: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a report does: the phase after it, an outcome if it closes, and whether it counted (else why not)."""

    phase: str
    outcome: str | None = None
    accepted: bool = True
    reason: str | None = None
    is_ambiguous: bool = False
    defers: bool = False
    starts: bool = False
    cannot_stop: bool = False


def is_terminal(report: Report) -> bool:
    """Whether the device considers the action over."""
    return report.execution in ("closed", "canceled") or (
        report.channel == "deployment" and report.execution == "rejected"
    )


def reason_of(report: Report) -> str | None:
    """The reason code of a failure: a known word, else the number itself."""
    if report.code in (None, 0):
        return None
    return REASONS.get(report.code or 0, f"code {report.code}")


def step(phase: str, before: str | None, report: Report, *, deferrals: int = 0) -> Step:
    """What a report does to an action in `phase`; `before` is where a refused cancellation returns to."""
    if phase == "closed":
        return Step("closed", accepted=False, reason="late")
    if phase in ("planned", "eligible"):
        return _too_early(phase, report)
    if report.channel == "cancel":
        return _on_cancel(phase, before, report)
    if phase == "verifying":
        return Step("verifying", accepted=False, reason="reported already")
    return _on_deployment(phase, report, deferrals)


def _too_early(phase: str, report: Report) -> Step:
    """Withdrawn by a pause while the device was already at it: that it runs is a fact."""
    if phase == "eligible" and report.channel == "deployment" and report.execution in _PROGRESS:
        return Step("running", starts=True)
    return Step(phase, accepted=False, reason="not offered")


def _on_deployment(phase: str, report: Report, deferrals: int) -> Step:
    if report.execution in _PROGRESS:
        return _on_progress(phase, report)
    if report.execution == "rejected":
        if deferrals + 1 >= MOST_DEFERRALS:
            return Step("closed", "rejected")
        return Step(phase, defers=True)
    if report.execution == "canceled":
        return Step("closed", "cancelled")
    if report.finished == "failure":
        return Step("closed", "failed")
    return Step("verifying", is_ambiguous=report.finished == "none")


def _on_progress(phase: str, report: Report) -> Step:
    if report.finished == "failure":
        return Step("closed", "failed")
    if phase == "cancelling":
        return Step(phase)
    return Step(phase if phase == "rebooting" else "running", starts=True)


def _on_cancel(phase: str, before: str | None, report: Report) -> Step:
    if phase != "cancelling":
        return Step(phase, accepted=False, reason="not being cancelled")
    if report.execution == "canceled":
        return Step("closed", "cancelled")
    if report.execution == "rejected":
        return Step(before or "running", cannot_stop=True)
    if report.execution == "closed":
        failed = report.finished == "failure"
        return Step("closed", "indeterminate" if failed else "cancelled")
    return Step("cancelling")


def may_move(before: str, after: str) -> bool:
    """Phases only move forward, but for a cancellation that is refused and an offer that is withdrawn."""
    if before == "closed":
        return after == "closed"
    if before == "cancelling" or (before, after) == ("offered", "eligible"):
        return True
    return ORDER[after] >= ORDER[before]
