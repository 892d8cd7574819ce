"""From a ticket's history to its clocks: the one function that screen, sweep and reactions ask."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate

from contracts.clock.history import ClockKind, Entry, EntryKind, Reading, Terms, read_clock
from contracts.clock.maintenance import Planned
from contracts.terms.document import read_terms
from contracts.terms.models import ContractVersion
from tenants.tickets.models import Ticket, TicketEvent

# An imported log has no public replies, so only its solutions can be measured ("no data" elsewhere).
IMPORTED = (ClockKind.RESOLUTION,)
_BY_KIND = {"staff": "staff", "requester": "requester", "auto": "automatic", "system": "automatic"}


def read_ticket(
    ticket: Ticket,
    history: Iterable[TicketEvent],
    version: ContractVersion,
    as_of: datetime,
    planned: Sequence[Planned] = (),
) -> Sequence[Reading]:
    """Every cycle of every clock of a ticket that has a target at a moment, by the version that measures it."""
    read = read_entries(ticket.source, entries_of(history), read_terms(version.terms), as_of, planned)
    return [reading for reading in read if reading.target is not None]


def read_entries(
    source: str,
    entries: Sequence[Entry],
    terms: Terms,
    as_of: datetime,
    planned: Sequence[Planned] = (),
) -> Sequence[Reading]:
    """Every cycle of every clock at a moment, those without a target too: they may have had one before."""
    kinds = IMPORTED if source == "import" else tuple(ClockKind)
    return [reading for kind in kinds for reading in read_clock(kind, entries, terms, as_of, planned)]


def entries_of(history: Iterable[TicketEvent]) -> list[Entry]:
    """The part of a history that moves clocks, in its order.

    Whoever had to wait for the ticket wrote with the moment at which they began: what follows is never earlier.
    """
    found = [entry for entry in map(_entry, history) if entry is not None]
    moments = accumulate((entry.at for entry in found), max)
    return [
        entry if entry.at == at else replace(entry, at=at) for entry, at in zip(found, moments, strict=True)
    ]


def _entry(row: TicketEvent) -> Entry | None:
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
