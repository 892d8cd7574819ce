"""What goes up travels as an event: services record it, `msp/reactions.py` says what follows.

WITHIN reactions run at once, in the same transaction, so that no page ever shows half of a change. AFTER reactions ask
for work (a row in the same transaction); the work itself happens once the outer commit succeeded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants.foundation.actor import Actor


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to one tenant's rows; subclasses are named in the past tense."""

    tenant_id: int
    at: datetime
    by: Actor


Reaction = Callable[[Any], None]
Table = Mapping[type[Event], Sequence[Reaction]]
_within: dict[type[Event], Sequence[Reaction]] = {}
_after: dict[type[Event], Sequence[Reaction]] = {}


def connect(within: Table, after: Table) -> None:
    """Put the two tables of reactions in force, replacing earlier ones."""
    _within.clear()
    _within.update(within)
    _after.clear()
    _after.update(after)


def record(event: Event, *, replay: bool = False) -> None:
    """Say that something happened; a replayed import skips what would be sent or escalated for the past."""
    for reaction in _within.get(type(event), ()):
        reaction(event)
    if not replay:
        for reaction in _after.get(type(event), ()):
            reaction(event)
