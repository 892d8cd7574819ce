"""How long a ticket was in each tier, and how often it came back. Pure: lines of history in, figures out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenants.tickets.models import TIERS


@dataclass(frozen=True, slots=True)
class TierPath:
    """`stays` is the time in each tier that the ticket was in, in the order of tiers.

    `returned` counts hand-overs that were given back, `repeated` how often the ticket crossed between two tiers that it
    had crossed between before, in either direction: what passes to and fro counts here.
    """

    stays: Sequence[tuple[str, timedelta]]
    returned: int
    repeated: int


def path_of(history: Iterable[Any], tier: str, *, until: datetime) -> TierPath:
    """The path of a ticket that is in `tier` now, from its history; waiting for acceptance counts for the new tier."""
    lines = list(history)
    crossings = [line for line in lines if line.kind in ("hand_over_made", "hand_over_returned")]
    start = crossings[0].data["from_tier"] if crossings else tier
    began = lines[0].at if lines else until
    spent: dict[str, timedelta] = {}
    pairs: Counter[frozenset[str]] = Counter()
    current = start
    for line in crossings:
        to = line.data["to_tier" if line.kind == "hand_over_made" else "from_tier"]
        spent[current] = spent.get(current, timedelta()) + max(line.at - began, timedelta())
        pairs[frozenset((current, to))] += to != current
        current, began = to, max(line.at, began)
    spent[current] = spent.get(current, timedelta()) + max(until - began, timedelta())
    returned = sum(line.kind == "hand_over_returned" for line in crossings)
    repeated = sum(count - 1 for count in pairs.values() if count > 1)
    return TierPath([(one, spent[one]) for one in TIERS if one in spent], returned, repeated)
