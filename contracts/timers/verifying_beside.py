"""Clocks beside the ticket's own and times of closing: stored against recomputed. Pure.

A clock beside keeps no moment at which it was read, and needs none: it never pauses, so its due time does not move,
what stopped stays, and of one that runs only a warning or a miss can be owed, by a sweep that may lag.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.clock.clock import ClockWarning, State, Verdict
from contracts.timers.beside import read_side

Found = tuple[str, str, Any, Any]


def side_differences(rows: Iterable[Any], now: datetime, lag: timedelta) -> Iterator[Found]:
    """Every column that is compared of clocks beside: its clock, its name, its stored and its recomputed value."""
    for row in rows:
        name = f"{row.clock} {row.source_id}"
        verdict = read_side(row, row.stopped_at or now)
        yield name, "due_at", row.due_at, verdict.due_at
        if row.state == State.NOT_APPLICABLE:
            yield name, "look_at", row.look_at, None
        elif row.stopped_at is not None:
            yield name, "state", row.state, verdict.state
            yield name, "missed_at", row.missed_at, verdict.missed_at
            yield name, "look_at", row.look_at, None
            yield name, "warned_percent", row.warned_percent, _highest(verdict.warnings)
        else:
            yield from _running(name, row, verdict, now - lag)


def _running(name: str, row: Any, verdict: Verdict, swept: datetime) -> Iterator[Found]:
    if row.missed_at is not None or (verdict.missed_at is not None and verdict.missed_at < swept):
        yield name, "missed_at", row.missed_at, verdict.missed_at
        yield name, "state", row.state, State.MISSED
        yield name, "warned_percent", row.warned_percent, _highest(verdict.warnings)
        return
    fired = {one.percent: one.at for one in verdict.warnings}
    owed = _highest(one for one in verdict.warnings if one.at < swept)
    if row.warned_percent < owed or (row.warned_percent and row.warned_percent not in fired):
        yield name, "warned_percent", row.warned_percent, owed
    elif verdict.due_at is not None:
        looked_at = fired.get(row.warned_percent, row.started_at)
        yield name, "look_at", row.look_at, read_side(row, looked_at).next_look_at


def _highest(warnings: Iterable[ClockWarning]) -> int:
    return max((one.percent for one in warnings), default=0)


def deadline_differences(ticket: Any, rows: Iterable[Any]) -> Iterator[Found]:
    """The ticket's copies of when it closes by itself and until when it can be reopened."""
    due = {row.kind: row.due_at for row in rows}
    yield "", "closes_at", ticket.closes_at, due.get("close")
    yield "", "reopen_until", ticket.reopen_until, due.get("reopen")
    if ticket.state != "resolved":
        yield "", "closes_at", ticket.closes_at, None
