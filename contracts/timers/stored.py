"""What is stored of a reading: the same for whoever writes it and for whoever checks it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.clock.clock import State, Verdict
from contracts.clock.history import Reading

_URGENCY = (State.MISSED, State.RUNNING, State.OUTSIDE_HOURS, State.PAUSED, State.MET)


def timer_values(reading: Reading) -> dict[str, Any]:
    """The columns of a cycle's timer; one without a target keeps the seconds of the target it had."""
    verdict = reading.verdict
    values: dict[str, Any] = {
        "contract_version_id": reading.terms_id,
        "priority": reading.priority,
        "target_version": reading.target_version,
        "state": verdict.state,
        "started_at": reading.started_at,
        "stopped_at": reading.stopped_at,
        "due_at": verdict.due_at,
        "missed_at": verdict.missed_at,
        "cause": verdict.cause,
        "look_at": verdict.next_look_at if reading.stopped_at is None else None,
        "elapsed_seconds": _elapsed(reading),
    }
    return values if reading.target is None else values | {"target_seconds": reading.target.seconds}


def _elapsed(reading: Reading) -> int | None:
    """The time that a stopped clock ran; one that was withdrawn never said how long an answer took."""
    if reading.stopped_at is None or reading.is_withdrawn or reading.target is None:
        return None
    return reading.verdict.elapsed_seconds


def mark_values(reading: Reading) -> list[dict[str, Any]]:
    """The warnings and decisions of a cycle until its moment, each by the target that it belongs to."""
    shared: dict[str, Any] = {"clock": reading.kind, "cycle": reading.cycle}
    warnings = [
        {
            "mark": "warning",
            "percent": one.percent,
            "cause": None,
            "at": one.at,
            "priority": reading.priority,
            "target_version": reading.target_version,
        }
        for one in reading.verdict.warnings
    ]
    decisions = [
        {
            "mark": one.state,
            "percent": 0,
            "cause": one.cause,
            "at": one.at,
            "priority": one.priority,
            "target_version": one.target_version,
        }
        for one in reading.decisions
    ]
    return [shared | one for one in warnings + decisions]


def shown_values(readings: Sequence[Reading], waiting_since: datetime | None) -> dict[str, Any]:
    """The ticket's own columns, by which lists sort: what runs out first among the clocks that still matter."""
    latest = {reading.kind: reading for reading in readings if reading.target is not None}
    open_ones = [one for one in latest.values() if one.stopped_at is None]
    first = min(open_ones, key=lambda one: _order(one.verdict), default=None)
    states = [one.verdict.state for one in open_ones]
    paused = first is not None and first.verdict.state is State.PAUSED
    return {
        "next_due_at": first.verdict.due_at if first else None,
        "next_due_kind": first.kind if first else None,
        "sla_state": next((state for state in _URGENCY if state in states), None),
        "sla_paused_since": waiting_since if paused else None,
    }


def _order(verdict: Verdict) -> tuple[bool, float]:
    """Clocks that stand still come after those that run."""
    return verdict.due_at is None, verdict.due_at.timestamp() if verdict.due_at else 0.0
