"""What the provider promises itself: `{"ola": {"acceptance_minutes": {"P1": 15, …}}}` in the own company's terms.

A priority left out, or null, is not measured. The time runs by the same terms' calendar.
"""

from typing import Any

from contracts.clock.document import read_object, whole_number
from contracts.clock.faults import Faults

MEMBER = "ola"
PRIORITIES = ("P1", "P2", "P3", "P4")
LONGEST = 525_600
_MINUTES = whole_number(1, LONGEST)


def read_ola(value: object, field: str, faults: Faults) -> dict[str, int] | None:
    """Minutes until a hand-over is to be accepted, by priority; None after noting all faults."""
    members = read_object(value, field, faults, required=["acceptance_minutes"])
    return None if members is None else members.take("acceptance_minutes", _read_minutes)


def _read_minutes(value: object, field: str, faults: Faults) -> dict[str, int] | None:
    members = read_object(value, field, faults, required=[], optional=PRIORITIES)
    if members is None:
        return None
    read = {name: members.take_optional(name, _MINUTES) for name in PRIORITIES}
    return {name: minutes for name, minutes in read.items() if minutes is not None}


def acceptance_minutes(document: dict[str, Any]) -> dict[str, int]:
    """How long a hand-over may wait, by priority, of a document that was read before; empty where nothing is said."""
    return read_ola(document[MEMBER], MEMBER, Faults()) or {} if document.get(MEMBER) else {}


def acceptance_seconds(document: dict[str, Any], priority: str) -> int | None:
    """How long a hand-over of this priority may wait, by a document that was read before."""
    minutes = acceptance_minutes(document).get(priority)
    return None if minutes is None else minutes * 60
