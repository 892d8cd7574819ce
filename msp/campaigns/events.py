"""What campaigns do to clients."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class ClientAsked(Event):
    """A client's administrators are asked whether a campaign may come to their machines; `part_id` is its row."""

    part_id: int


@dataclass(frozen=True, kw_only=True)
class LaneStarted(Event):
    """Installing may begin at a client."""

    lane_id: int


@dataclass(frozen=True, kw_only=True)
class LaneFailed(Event):
    """A client's lane failed its gate, or stopped everything; `cause` is the commonest reason code."""

    lane_id: int
    cause: str
