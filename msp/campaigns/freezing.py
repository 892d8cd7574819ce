"""What a freeze takes from lanes at once, where the one who asks for it may not read the plan."""

from sqlalchemy import select

from msp.campaigns.models import WaveLane
from msp.campaigns.rooms import spans_of
from msp.campaigns.rules import TERMINAL_LANES
from msp.windows.events import ClientFroze
from tenants.foundation.db import db
from tenants.foundation.spans import without


def follow_freeze(event: ClientFroze) -> None:
    """Within the transaction of a client's own freeze: its lanes offer nothing in that time from now on.

    What room a lane has left is worked out anew from all rules by the next tick.
    """
    mine = select(WaveLane).where(
        WaveLane.tenant_id == event.tenant_id, WaveLane.state.not_in(sorted(TERMINAL_LANES))
    )
    for lane in db.session.scalars(mine):
        left = without(spans_of(lane), [(event.begins_at, event.ends_at)])
        room = [[begin.isoformat(), end.isoformat()] for begin, end in left]
        if room != lane.room:
            # Without an end of what is known, the next tick works it out whatever it thinks it knows.
            lane.room, lane.room_until, lane.rev = room, None, lane.rev + 1
    db.session.flush()
