"""What campaigns do to clients."""

from dataclasses import dataclass
from datetime import datetime

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class ClientAsked(Event):
    """A client's administrators are asked whether a campaign may come to their machines; `part_id` is its row."""

    part_id: int


@dataclass(frozen=True, kw_only=True)
class LaneStarted(Event):
    """A lane opened: its machines may be worked on in the client's windows until `until`."""

    lane_id: int
    until: datetime
