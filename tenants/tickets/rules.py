"""What may happen to a ticket. Pure: states, priorities and tiers in, decisions out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from tenants.tickets.models import LEVELS, OPEN_STATES, PRIORITIES, TIERS

Who = Literal["staff", "requester", "system"]

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "new": ("in_progress", "cancelled"),
    "in_progress": ("waiting", "resolved", "cancelled"),
    "waiting": ("in_progress", "resolved", "cancelled"),
    "resolved": ("in_progress", "closed"),
    "closed": (),
    "cancelled": (),
}
# A requester confirms, reopens or withdraws; the work in between is the provider's.
_REQUESTERS: dict[str, tuple[str, ...]] = {
    "new": ("cancelled",),
    "in_progress": ("cancelled",),
    "waiting": ("cancelled",),
    "resolved": ("in_progress", "closed"),
}
DEFAULT_MATRIX = {
    "high/high": "P1",
    "high/medium": "P2",
    "medium/high": "P2",
    "medium/medium": "P3",
    "high/low": "P3",
    "low/high": "P3",
    "medium/low": "P4",
    "low/medium": "P4",
    "low/low": "P4",
}


def is_open(state: str) -> bool:
    """Whether work remains."""
    return state in OPEN_STATES


def allowed_transitions(state: str, who: Who = "staff", *, reopenable: bool = False) -> tuple[str, ...]:
    """The states that may follow, for staff and the portal itself or for the requester's side.

    `reopenable`: whether a closed ticket may still be reopened, by `is_reopenable`.
    """
    if state == "closed" and reopenable:
        return ("in_progress",)
    return _REQUESTERS.get(state, ()) if who == "requester" else TRANSITIONS[state]


def may_change_state(state: str, to: str, who: Who = "staff", *, reopenable: bool = False) -> bool:
    """Whether the step exists for this side."""
    return to in allowed_transitions(state, who, reopenable=reopenable)


def is_reopenable(state: str, until: datetime | None, at: datetime) -> bool:
    """Whether a closed ticket can be taken up again at this moment; `until` is the last one."""
    return state == "closed" and until is not None and at <= until


def is_reopening(state: str, to: str) -> bool:
    """Whether the step takes back that it was done."""
    return state in ("resolved", "closed") and to == "in_progress"


def shortest_way(state: str, to: str) -> tuple[str, ...] | None:
    """The states to pass, `to` included, or None when there is no way; replays of other systems' logs walk it."""
    ways: list[tuple[str, ...]] = [(state,)]
    seen = {state}
    for way in ways:
        if way[-1] == to:
            return way[1:]
        for following in TRANSITIONS[way[-1]]:
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return None


def priority_of(impact: str, urgency: str, matrix: Mapping[str, str] | None = None) -> str:
    """Impact × urgency to priority.

    The client's matrix has keys like `high/medium`; what it leaves out is the default's.
    """
    key = f"{impact}/{urgency}"
    chosen = (matrix or {}).get(key)
    return chosen if chosen in PRIORITIES else DEFAULT_MATRIX[key]


def is_complete_matrix(matrix: Mapping[str, str]) -> bool:
    """Whether a client's matrix names a priority for each of the nine pairs and nothing else."""
    pairs = {f"{impact}/{urgency}" for impact in LEVELS for urgency in LEVELS}
    return set(matrix) == pairs and all(priority in PRIORITIES for priority in matrix.values())


def rank(tier: str) -> int:
    """L1 below L2 below L3; a case at the vendor is followed up from L1 on."""
    return 0 if tier == "vendor" else TIERS.index(tier)


def may_hold(person_tier: str | None, ticket_tier: str) -> bool:
    """Whether somebody of a tier can hold a ticket: of the ticket's tier or above it; without a tier never."""
    return person_tier is not None and rank(person_tier) >= rank(ticket_tier)


def may_hand_over(state: str, from_tier: str, to_tier: str, *, pending: bool) -> bool:
    """Whether a ticket can be passed on: open, to another tier, and not on its way already."""
    return is_open(state) and to_tier in TIERS and to_tier != from_tier and not pending


def may_escalate(state: str, from_tier: str, to_tier: str) -> bool:
    """Whether the portal itself may pass a ticket on: open, and upwards only."""
    return is_open(state) and rank(to_tier) > rank(from_tier)


def meets_response(*, kind: str, author_kind: str, spoke_with_caller: bool) -> bool:
    """Whether the requester was answered: by a person of the provider, in public or on the phone."""
    return author_kind == "staff" and (kind == "public" or spoke_with_caller)


def state_after_message(state: str, waiting_reason: str | None, *, kind: str, author_kind: str) -> str:
    """The state once something was said: an answered requester is being worked for, an awaited answer ends the wait."""
    if kind == "public" and author_kind == "staff" and state == "new":
        return "in_progress"
    if author_kind == "requester" and state == "waiting" and waiting_reason == "requester":
        return "in_progress"
    return state


def may_say(state: str, kind: str) -> bool:
    """Whether something can still be said: on a closed or cancelled ticket only notes among staff."""
    return kind == "internal" or state not in ("closed", "cancelled")
