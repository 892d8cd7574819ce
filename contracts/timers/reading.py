"""From a ticket's history to its clocks: the one function that screen, sweep and reactions ask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, or_

from contracts.clock.history import ClockKind, Entry, EntryKind, Reading, Terms, read_clock
from contracts.clock.maintenance import Planned
from tenants.tickets.models import TicketEvent

# An imported log has no public replies, so only its solutions can be measured ("no data" elsewhere).
IMPORTED = (ClockKind.RESOLUTION,)
_ALL = tuple(ClockKind)
_APPLIED = "terms_applied"
_BY_KIND = {"staff": "staff", "requester": "requester", "auto": "automatic", "system": "automatic"}


NO_TERMS: Mapping[int, Terms] = {}


def versions_of(history: Iterable[Any], current: int | None) -> list[int]:
    """Ids of the versions that measured a ticket, the first one first; `current` is the one it names now.

    Terms that were applied to an open ticket stand in its history, each beside the ones before it.
    """
    applied = [row.data for row in history if row.kind == _APPLIED]
    first = applied[0]["from_terms"] if applied else current
    return [one for one in (first, *(data["to_terms"] for data in applied)) if one is not None]


def read_entries(
    source: str,
    entries: Sequence[Entry],
    terms: Terms | None,
    as_of: datetime,
    planned: Sequence[Planned] = (),
) -> Sequence[Reading]:
    """Every cycle of every clock at a moment, those without a target too: they may have had one before.

    `terms` are those in force at creation; nothing is read where there were none.
    """
    if terms is None:
        return ()
    kinds = kinds_of(source)
    return [reading for kind in kinds for reading in read_clock(kind, entries, terms, as_of, planned)]


def kinds_of(source: str) -> Sequence[ClockKind]:
    """The clocks that a ticket's history can decide, by where the ticket came from."""
    return IMPORTED if source == "import" else _ALL


def entries_of(history: Iterable[TicketEvent], terms: Mapping[int, Terms] = NO_TERMS) -> list[Entry]:
    """The part of a history that moves clocks, in its order; `terms` are those of `versions_of` it, by id.

    Whoever had to wait for the ticket wrote with the moment at which they began: what follows is never earlier.
    """
    found = [entry for row in history if (entry := _entry(row, terms)) is not None]
    moments = accumulate((entry.at for entry in found), max)
    return [
        entry if entry.at == at else replace(entry, at=at) for entry, at in zip(found, moments, strict=True)
    ]


def moves_clocks() -> ColumnElement[bool]:
    """The condition on lines of history out of which `entries_of` makes anything."""
    return or_(
        TicketEvent.kind.in_(("opened", "message_added", "reprioritised", _APPLIED)),
        TicketEvent.data.has_key("to_state"),
    )


def _entry(row: TicketEvent, terms: Mapping[int, Terms]) -> Entry | None:
    if row.kind == "opened":
        return Entry(
            EntryKind.CREATED,
            row.at,
            state=row.data.get("state", "new"),
            reason=row.data.get("reason"),
            priority=row.data["priority"],
            by=row.actor_name,
        )
    if row.kind == "message_added":
        return _reply(row)
    if row.kind == "reprioritised":
        return Entry(EntryKind.PRIORITY_CHANGED, row.at, priority=row.data["to_priority"], by=row.actor_name)
    if row.kind == _APPLIED:
        return Entry(EntryKind.TERMS_APPLIED, row.at, by=row.actor_name, terms=terms[row.data["to_terms"]])
    if "to_state" in row.data:
        return Entry(
            EntryKind.STATE_CHANGED,
            row.at,
            state=row.data["to_state"],
            reason=row.data.get("reason") if row.data["to_state"] == "waiting" else None,
            by=row.actor_name,
        )
    return None


def _reply(row: TicketEvent) -> Entry:
    if row.data.get("spoke_with_caller"):
        return Entry(EntryKind.SPOKE_WITH_CALLER, row.at, by=row.actor_name)
    return Entry(
        EntryKind.REPLIED,
        row.at,
        by_kind=_BY_KIND[row.data["author_kind"]],
        is_public=row.data["kind"] == "public",
        by=row.actor_name,
    )
