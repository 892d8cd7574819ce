"""Who is best for a ticket: pure.

S1. Only who has the ticket's tier (or one above) and a grant for its client is a candidate. Nothing outweighs that.
S2. Who is away comes last; before them, who is on duty now comes before who is not; a shift comes before being on call.
S3. Then who has more of what the category asks for: each skill counts up to the level that is asked, not beyond.
S4. Then the ticket's own tier before higher ones, so that those stay free for what needs them.
S5. Then, of those off duty, who begins earlier.
S6. Then who carries less: open tickets count 8, 4, 2 and 1 from P1 to P4; who knows the asset carries 2 less, who knows
    the requester 1 less.
S7. Then the name, then the number of the account: the same facts always give the same order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tenants.tickets.rules import may_hold

TIERS = ("L1", "L2", "L3")
SHIFT_KINDS = ("shift", "on_call")
ABSENCES = ("leave", "sickness")
PASSED = ("passed", "queued")
WEIGHTS = {"P1": 8, "P2": 4, "P3": 2, "P4": 1}
KNOWS_ASSET, KNOWS_REQUESTER = 2, 1


@dataclass(frozen=True, slots=True)
class Duty:
    """A time on duty that is running or comes next; `kind` is shift or on_call."""

    kind: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who might take a ticket, with what is known of them.

    `load` counts open tickets by priority; `on_asset` and `for_requester` count tickets resolved before; `away_until`
    is the end of an absence that is running.
    """

    user_id: int
    name: str
    tier: str | None
    is_granted: bool
    skills: Mapping[int, int] = field(default_factory=dict)
    duty: Duty | None = None
    next_duty: Duty | None = None
    away_until: datetime | None = None
    load: Mapping[str, int] = field(default_factory=dict)
    on_asset: int = 0
    for_requester: int = 0

    @property
    def weight(self) -> int:
        """What is carried, by priority."""
        return sum(WEIGHTS.get(priority, 1) * count for priority, count in self.load.items())


@dataclass(frozen=True, slots=True)
class Need:
    """What a ticket asks for: its tier, and the least level of each skill of its category."""

    tier: str
    skills: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody stands where they do: a word and its values, put into a sentence by `words`."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate with the reasons, the weightiest first."""

    candidate: Candidate
    reasons: tuple[Reason, ...]


def is_eligible(one: Candidate, need: Need) -> bool:
    """S1."""
    return one.is_granted and may_hold(one.tier, need.tier)


def suggest(candidates: Iterable[Candidate], need: Need) -> list[Suggestion]:
    """Those who may hold the ticket, best first, each with the reasons."""
    fit = [one for one in candidates if is_eligible(one, need)]
    ordered = sorted(fit, key=lambda one: _key(one, need))
    return [Suggestion(one, tuple(_reasons(one, need))) for one in ordered]


def _key(one: Candidate, need: Need) -> tuple[Any, ...]:
    begins = one.next_duty.begins_at.timestamp() if one.next_duty and one.duty is None else float("inf")
    return (
        one.away_until is not None,
        _duty_rank(one.duty),
        -_skill(one, need),
        _steps_above(one, need),
        0.0 if one.duty else begins,
        one.weight - KNOWS_ASSET * (one.on_asset > 0) - KNOWS_REQUESTER * (one.for_requester > 0),
        one.name.casefold(),
        one.user_id,
    )


def _duty_rank(duty: Duty | None) -> int:
    return 2 if duty is None else SHIFT_KINDS.index(duty.kind)


def _skill(one: Candidate, need: Need) -> int:
    return sum(min(one.skills.get(skill, 0), level) for skill, level in need.skills.items())


def _steps_above(one: Candidate, need: Need) -> int:
    if one.tier not in TIERS or need.tier not in TIERS:
        return 0
    return TIERS.index(one.tier) - TIERS.index(need.tier)


def _reasons(one: Candidate, need: Need) -> list[Reason]:
    found = [_duty_reason(one)]
    for skill, level in need.skills.items():
        found.append(Reason("skill", {"skill": skill, "level": one.skills.get(skill, 0), "needed": level}))
    if _steps_above(one, need):
        found.append(Reason("higher_tier", {"tier": one.tier}))
    count = sum(one.load.values())
    found.append(Reason("load", {"count": count, "weight": one.weight}) if count else Reason("free"))
    if one.on_asset:
        found.append(Reason("knows_asset", {"count": one.on_asset}))
    if one.for_requester:
        found.append(Reason("knows_requester", {"count": one.for_requester}))
    return found


def _duty_reason(one: Candidate) -> Reason:
    if one.away_until is not None:
        return Reason("away", {"until": one.away_until})
    if one.duty is not None:
        return Reason(one.duty.kind, {"until": one.duty.ends_at})
    if one.next_duty is not None:
        return Reason("next", {"at": one.next_duty.begins_at})
    return Reason("no_duty")
