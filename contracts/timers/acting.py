"""What follows from a warning or a miss, and that it follows once."""

from datetime import datetime

from sqlalchemy import select, update

from contracts.clock.clock import State
from contracts.clock.history import Reading
from contracts.terms.promise import MISS, Action
from contracts.timers.beside import read_side
from contracts.timers.models import SideTimer, TimerMark
from contracts.timers.promises import find_promise
from contracts.timers.queries import read_clocks_of
from tenants.foundation.db import db
from tenants.tickets.models import Ticket
from tenants.tickets.queries import list_history


def claim_mark(mark_id: int, *, at: datetime) -> TimerMark | None:
    """A recorded warning or miss to act upon, in the transaction in force; None where that was done before."""
    taken = update(TimerMark).where(TimerMark.id == mark_id, TimerMark.acted_at.is_(None)).values(acted_at=at)
    if db.session.scalar(taken.returning(TimerMark.id)) is None:
        return None
    return db.session.scalars(select(TimerMark).where(TimerMark.id == mark_id)).one()


def claim_side_warning(timer_id: int, percent: int, *, at: datetime) -> SideTimer | None:
    """A warning beside the ticket's own clocks to act upon.

    None where that was done before, and where a later one is due, or the clock has stopped or missed its target by now.
    """
    taken = update(SideTimer).where(SideTimer.id == timer_id, SideTimer.told_percent < percent)
    if db.session.scalar(taken.values(told_percent=percent).returning(SideTimer.id)) is None:
        return None
    timer = db.session.scalars(select(SideTimer).where(SideTimer.id == timer_id)).one()
    is_over = (
        timer.stopped_at is not None
        or timer.warned_percent > percent
        or read_side(timer, at).state is State.MISSED
    )
    return None if is_over else timer


def claim_side_timer(timer_id: int, *, at: datetime) -> SideTimer | None:
    """A miss beside the ticket's own clocks to act upon; None where that was done before."""
    taken = (
        update(SideTimer).where(SideTimer.id == timer_id, SideTimer.acted_at.is_(None)).values(acted_at=at)
    )
    if db.session.scalar(taken.returning(SideTimer.id)) is None:
        return None
    return db.session.scalars(select(SideTimer).where(SideTimer.id == timer_id)).one()


def action_of(mark: TimerMark, ticket: Ticket) -> Action | None:
    """What the ticket's terms say of a mark.

    None for a warning at 100 percent: that second the target is used up, and the miss after it says so.
    """
    percent = MISS if mark.mark == "missed" else mark.percent
    if percent == MISS and mark.mark != "missed":
        return None
    return find_promise(ticket).action_at(percent)


def find_reading(mark: TimerMark, ticket: Ticket, as_of: datetime) -> Reading | None:
    """The cycle of the clock that a mark belongs to, as it is now; None where it measures nothing any more."""
    readings = read_clocks_of(ticket, list_history(ticket.id), as_of)
    return next((one for one in readings if (one.kind, one.cycle) == (mark.clock, mark.cycle)), None)


def is_overtaken(mark: TimerMark, reading: Reading) -> bool:
    """Whether a warning warns of nothing any more: the clock has stopped, or another target replaced the one."""
    stopped = reading.stopped_at is not None or reading.verdict.state is State.NOT_APPLICABLE
    return mark.mark == "warning" and (stopped or reading.target_version != mark.target_version)
