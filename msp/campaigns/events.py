"""What campaigns do to clients."""

from dataclasses import dataclass
from datetime import datetime

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class ClientAsked(Event):
    """A client's administrators are asked whether a campaign may come to their machines; `part_id` is its row.

    `why`: "asked" for the first time, "asked again" on the day until which they postponed it, or "reminded".
    """

    part_id: int
    why: str = "asked"


@dataclass(frozen=True, kw_only=True)
class LaneStarted(Event):
    """A lane opened: its machines may be worked on in the client's windows until `until`."""

    lane_id: int
    until: datetime
