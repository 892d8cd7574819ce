"""What a campaign may do next, and who may let it: pure."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

CAMPAIGN_KINDS = ("rollout", "rollback")
RELEASE_KINDS = ("file", "deb", "script")
SEVERITIES = ("low", "medium", "high", "critical")
# What a client's administrator says to a campaign at their company; the provider's own machines are not asked.
CONSENTS = ("asked", "consented", "postponed", "declined", "not_needed")
LET_IN = ("consented", "not_needed")
UNDECIDED = ("asked", "postponed")
# In these states of a campaign its clients are still asked for their word.
ASKING = ("approved", "scheduled", "running", "paused")
CAMPAIGN_STATES = (
    "draft",
    "submitted",
    "approved",
    "scheduled",
    "running",
    "paused",
    "completing",
    "completed",
    "completed_with_failures",
    "rejected",
    "withdrawn",
    "expired",
    "aborting",
    "aborted",
)
LANE_STATES = ("planned", "waiting", "open", "soaking", "passed", "failed", "inconclusive", "skipped")
TERMINAL_LANES = frozenset({"passed", "failed", "skipped"})
ACTIVE_LANES = frozenset({"open", "soaking"})
# Why a campaign stands: a person, a gate that failed, a gate that could not decide, or too much over all lanes.
PAUSE_CAUSES = ("operator", "failure", "inconclusive", "global", "restore")
AUTOMATIC_FAILURES = frozenset({"failure", "global"})
# States in which the tick has something to look at.
EVALUATED = frozenset({"approved", "scheduled", "running", "paused", "completing", "aborting"})
ENDED = frozenset({"completed", "completed_with_failures", "rejected", "withdrawn", "expired", "aborted"})
APPROVAL_HOLDS = timedelta(days=14)


class Transition(StrEnum):
    """What people ask of a campaign."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"


FROM: dict[Transition, frozenset[str]] = {
    Transition.SUBMIT: frozenset({"draft"}),
    Transition.WITHDRAW: frozenset({"draft", "submitted"}),
    Transition.APPROVE: frozenset({"submitted"}),
    Transition.REJECT: frozenset({"submitted"}),
    Transition.START: frozenset({"approved"}),
    Transition.PAUSE: frozenset({"running"}),
    Transition.RESUME: frozenset({"paused"}),
    Transition.ABORT: frozenset({"scheduled", "running", "paused"}),
}
# Another attempt where machines ended badly: asked for like a transition, and the state stays.
RETRY = "retry"
RETRY_FROM = frozenset({"running", "paused"})
# What the tick does by itself.
BY_ITSELF: dict[str, frozenset[str]] = {
    "approved": frozenset({"expired"}),
    "scheduled": frozenset({"running"}),
    "running": frozenset({"paused", "completing"}),
    "completing": frozenset({"completed", "completed_with_failures"}),
    "aborting": frozenset({"aborted"}),
}
TO: dict[Transition, str] = {
    Transition.SUBMIT: "submitted",
    Transition.WITHDRAW: "withdrawn",
    Transition.APPROVE: "approved",
    Transition.REJECT: "rejected",
    Transition.START: "scheduled",
    Transition.PAUSE: "paused",
    Transition.RESUME: "running",
    Transition.ABORT: "aborting",
}


def transitions_from(state: str) -> list[Transition]:
    """What people may ask for that leads out of this state, in the order of a campaign's life."""
    return [one for one in Transition if state in FROM[one]]


def allowed_transitions(state: str) -> list[str]:
    """All that may be asked for in this state, last what leaves it as it is."""
    return [*map(str, transitions_from(state)), *([RETRY] if state in RETRY_FROM else ())]


def needs_second_person(pause_cause: str | None) -> bool:
    """Whether two people have to let a paused campaign go on: always when it stopped itself for failures."""
    return pause_cause in AUTOMATIC_FAILURES


def may_decide(*, author_id: int | None, person_id: int | None) -> bool:
    """Whether this person may approve or reject: never the one who proposed it, and never a machine."""
    return person_id is not None and person_id != author_id


def covers(granted: Collection[int], members: Collection[int]) -> bool:
    """Whether a person is granted every client that takes part."""
    return set(members) <= set(granted)


def final_state(outcomes: Collection[str]) -> str:
    """How a campaign ends whose lanes have all ended."""
    fine = {"success", "noop", "skipped"}
    return "completed" if set(outcomes) <= fine else "completed_with_failures"
