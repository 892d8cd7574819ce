"""Another system's log as histories of tickets, without writing any: what its replay would leave behind. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from contracts.clock.history import Entry, EntryKind
from msp.intake.replay import Impossible, steps_of
from msp.intake.servicenow import Fault, LogRow
from tenants.tickets import rules


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: its number in the log, and what moves its clocks."""

    number: str
    entries: Sequence[Entry]


def read_histories(rows: Sequence[LogRow]) -> tuple[list[Incident], list[Fault]]:
    """Each incident of a log, and the rows that do not fit, as an import would refuse them."""
    faults: list[Fault] = []
    incidents = [
        Incident(number, list(_entries(list(group), faults)))
        for number, group in groupby(rows, key=attrgetter("number"))
    ]
    return [one for one in incidents if one.entries], faults


def _entries(rows: Sequence[LogRow], faults: list[Fault]) -> Iterator[Entry]:
    state, priority, reopens = "", "", 0
    for row in rows:
        try:
            steps = _steps(state, priority, row, reopens)
        except Impossible as wrong:
            faults.append(Fault(row.line, str(wrong)))
            continue
        if not state:
            state, priority = "new", row.priority
            yield Entry(EntryKind.CREATED, min(row.at, row.opened_at or row.at), priority=priority)
        walked = () if rules.is_open(state) else steps
        for step in walked:
            state = step
            yield _moved(row, step)
        if priority != row.priority and rules.is_open(state):
            priority = row.priority
            yield Entry(EntryKind.PRIORITY_CHANGED, row.at, priority=priority)
        for step in steps[len(walked) :]:
            state = step
            yield _moved(row, step)
        reopens = max(reopens, row.reopens)


def _steps(state: str, priority: str, row: LogRow, reopens: int) -> tuple[str, ...]:
    """The states to pass, as the import walks them. Raises Impossible."""
    steps = steps_of(state or "new", row, reopens)
    opens = bool(steps) and rules.is_open(steps[-1])
    if state and priority != row.priority and not rules.is_open(state) and not opens:
        raise Impossible("changes the priority of a ticket on which no work remains")
    return steps


def _moved(row: LogRow, to: str) -> Entry:
    return Entry(
        EntryKind.STATE_CHANGED, row.at, state=to, reason=row.reason if to == "waiting" else None, by=row.by
    )
