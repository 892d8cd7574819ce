"""A campaign's plan: who is in which wave, by which numbers each wave is judged, and its hash. Pure."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from msp.campaigns.gates import Gate, GlobalRule
from msp.campaigns.pacing import Limits

SCHEMA = 2
FIRST_WAVE_PCT, FIRST_WAVE_MOST = 5, 10
MOST_WAVES = 10


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long each phase may take, when silence counts, and how late reports are waited for at the end.

    `reserve_seconds` have to be left before a window closes. `campaign_seconds` after the start, clients that have not
    consented and machines out of reach are waited for no longer; `catches_up` says whether the latter are at all.
    """

    start_seconds: int = 86_400
    step_seconds: int = 3_600
    hard_seconds: int = 14_400
    verify_seconds: int = 1_800
    cancel_seconds: int = 3_600
    silent_seconds: int = 900
    grace_seconds: int = 600
    reserve_seconds: int = 1_800
    campaign_seconds: int = 1_209_600
    catches_up: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """An asset that takes part."""

    tenant_id: int
    asset_id: int


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """A wave with its members."""

    name: str
    members: tuple[Member, ...]
    gate: Gate


class UnfitPlan(ValueError):
    """The wishes make no plan; the message is a code for the service to translate."""


def first_wave_limit(total: int) -> int:
    """How many assets the first wave may have at most, over all clients."""
    return max(1, min(FIRST_WAVE_MOST, total * FIRST_WAVE_PCT // 100))


def wave_sizes(total: int, percents: Sequence[int]) -> list[int]:
    """Sizes of the waves from cumulative percentages that end with 100; the first is cut to its limit, none is empty.

    Raises UnfitPlan for percentages that do not rise to 100, or no assets.
    """
    if total < 1:
        raise UnfitPlan("empty")
    if list(percents) != sorted(set(percents)) or not percents or percents[0] < 1 or percents[-1] != 100:
        raise UnfitPlan("percents")
    if len(percents) > MOST_WAVES:
        raise UnfitPlan("too many waves")
    ends = [max(1, total * percent // 100) for percent in percents]
    ends[0] = min(ends[0], first_wave_limit(total))
    if total > 1 and len(ends) == 1:
        raise UnfitPlan("one wave")
    ends[-1] = total
    sizes, done = [], 0
    for end in ends:
        if end > done:
            sizes.append(end - done)
            done = end
    return sizes


def order_members(members: Collection[Member], *, own_tenants: Collection[int], seed: str) -> list[Member]:
    """Own machines first; within each group an order that mixes clients, differs by campaign and can be repeated."""

    def place(member: Member) -> tuple[bool, bytes]:
        mixed = hashlib.sha256(f"{seed}/{member.tenant_id}/{member.asset_id}".encode()).digest()
        return member.tenant_id not in own_tenants, mixed

    return sorted(set(members), key=place)


def build_waves(
    ordered: Sequence[Member], percents: Sequence[int], gates: Sequence[Gate]
) -> list[PlannedWave]:
    """The waves; the last gate stands for all waves beyond the given ones. Raises UnfitPlan."""
    waves, begin = [], 0
    for place, size in enumerate(wave_sizes(len(ordered), percents)):
        gate = gates[min(place, len(gates) - 1)]
        waves.append(PlannedWave(f"Wave {place + 1}", tuple(ordered[begin : begin + size]), gate))
        begin += size
    return waves


def freeze(
    *,
    release: Mapping[str, Any],
    waves: Sequence[PlannedWave],
    timing: Timing,
    rule: GlobalRule,
    version: int,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """The plan as it is stored, hashed, shown to the approver and carried out."""
    return {
        "schema": SCHEMA,
        "version": version,
        "release": dict(release),
        "timing": asdict(timing),
        "stop": asdict(rule),
        "limits": asdict(limits or Limits()),
        "waves": [
            {
                "name": wave.name,
                "gate": wave.gate.stored(),
                "members": sorted([one.tenant_id, one.asset_id] for one in wave.members),
            }
            for wave in waves
        ],
    }


def plan_hash(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the plan's canonical JSON, in hex: what the approver approves."""
    canonical = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def timing_of(plan: Mapping[str, Any]) -> Timing:
    """The times of a stored plan."""
    return Timing(**plan["timing"])


def limits_of(plan: Mapping[str, Any]) -> Limits:
    """How much of a stored plan may be under way at once."""
    return Limits(**plan.get("limits", {}))


def rule_of(plan: Mapping[str, Any]) -> GlobalRule:
    """The rule over all lanes of a stored plan."""
    return GlobalRule(**plan["stop"])
