"""When a lane may offer: its client's windows less the freezes, worked out from the rules for the time ahead.

What is kept on the lane is only a copy: it is made anew every few minutes, and at once when windows or freezes change.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import select

from msp.campaigns.models import WaveLane
from msp.campaigns.rules import TERMINAL_LANES
from msp.windows.events import WindowsChanged
from msp.windows.queries import Agreed, agreed_by
from msp.windows.rules import end_of_room, room_at
from tenants.foundation.db import db
from tenants.foundation.spans import Span

AHEAD = timedelta(days=62)
KEPT = timedelta(minutes=10)
# A span that reaches further than any window does is the whole time ahead.
NO_LIMIT = timedelta(days=21)


def refresh_rooms(lanes: Iterable[WaveLane], at: datetime, *, at_once: bool = False) -> None:
    """Work out the room of lanes whose copy is older than some minutes, or of all of them."""
    stale = [one for one in lanes if at_once or one.room_until is None or one.room_until < at + AHEAD - KEPT]
    if not stale:
        return
    agreed = agreed_by({lane.tenant_id for lane in stale}, at)
    for tenant_id, mine in groupby(sorted(stale, key=lambda lane: lane.tenant_id), lambda one: one.tenant_id):
        spans = stored(agreed[tenant_id], at)
        for lane in mine:
            lane.room_until = at + AHEAD
            if lane.room != spans:
                lane.room, lane.rev = spans, lane.rev + 1


def stored(agreed: Agreed, at: datetime) -> list[list[str]]:
    """The room from now on, as a lane keeps it."""
    spans = agreed.room(at - timedelta(days=1), at + AHEAD)
    return [[begin.isoformat(), end.isoformat()] for begin, end in spans if end > at]


def follow_windows(event: WindowsChanged) -> None:
    """Within the transaction in which a client's windows or freezes change: its lanes follow at once."""
    mine = select(WaveLane).where(
        WaveLane.tenant_id == event.tenant_id, WaveLane.state.not_in(sorted(TERMINAL_LANES))
    )
    refresh_rooms(db.session.scalars(mine).all(), event.at, at_once=True)


def spans_of(lane: WaveLane) -> list[Span]:
    """The lane's room as moments."""
    return read_spans(lane.room)


def read_spans(room: Sequence[Sequence[str]]) -> list[Span]:
    """A kept room as moments."""
    return [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in room]


def has_room(room: Sequence[Sequence[str]], at: datetime, reserve_seconds: int) -> bool:
    """Whether an installation may be begun now and can end before the window closes."""
    return room_at(read_spans(room), at, timedelta(seconds=reserve_seconds)) is not None


def next_room(lane: WaveLane, at: datetime, reserve_seconds: int) -> Span | None:
    """The span that is open now or comes next, long enough for the reserve."""
    reserve = timedelta(seconds=reserve_seconds)
    return next(((begin, end) for begin, end in spans_of(lane) if end >= max(at, begin) + reserve), None)


def deadline_in(lane: WaveLane, wanted: datetime) -> datetime:
    """`wanted`, put off to the end of the room in which machines have had their chance."""
    return end_of_room(spans_of(lane), wanted) or wanted
