"""From a ticket's history to its clocks: the one function that screen, sweep and reactions ask."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.clock.history import ClockKind, Entry, EntryKind, Reading, read_clock
from contracts.terms.document import read_terms
from contracts.terms.models import ContractVersion
from tenants.tickets.models import Ticket, TicketEvent

# An imported log has no public replies, so only its solutions can be measured ("no data" elsewhere).
IMPORTED = (ClockKind.RESOLUTION,)
_BY_KIND = {"staff": "staff", "requester": "requester", "auto": "automatic", "system": "automatic"}


def read_ticket(
    ticket: Ticket, history: Iterable[TicketEvent], version: ContractVersion, as_of: datetime
) -> Sequence[Reading]:
    """Every cycle of every clock of a ticket at a moment, by the version that measures it."""
    entries = entries_of(history)
    terms = read_terms(version.terms)
    kinds = IMPORTED if ticket.source == "import" else tuple(ClockKind)
    readings = [reading for kind in kinds for reading in read_clock(kind, entries, terms, as_of)]
    return [reading for reading in readings if reading.target is not None]


def entries_of(history: Iterable[TicketEvent]) -> list[Entry]:
    """The part of a history that moves clocks, in its order."""
    found = (_entry(row) for row in history)
    return [entry for entry in found if entry is not None]


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
