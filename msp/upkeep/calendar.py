"""What happens when, for one client or many: campaigns, upkeep, visits, freezes and windows as entries of a calendar.

The number of statements does not depend on how many clients are looked at.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, exists, or_, select

from msp.campaigns.models import CampaignTenant, WaveLane
from msp.campaigns.rooms import next_room
from msp.campaigns.rules import TERMINAL_LANES
from msp.upkeep.models import MaintenanceOccurrence, MaintenancePlan
from msp.upkeep.queries import recurring
from msp.upkeep.rules import beginning_after, day_of
from msp.windows.models import Freeze, MaintenanceWindow
from msp.windows.queries import list_promises, list_told_freezes, weekly_windows
from msp.windows.queries import recurring as recurring_window
from msp.windows.rules import frozen_days, occurrences
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.spans import Span
from tenants.tickets.models import Ticket
from tenants.tickets.queries import visible_to
from tenants.tickets.visit_models import Visit

KINDS = ("campaign", "upkeep", "visit", "freeze", "window")
# What is shown of a campaign whose client has agreed on no window: that it begins, not how long it may take.
SHOWN_LENGTH = timedelta(hours=1)
LONGEST_SPAN = timedelta(days=21)
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the calendar. `key` names what it stands for, and stays the same while that changes.

    `rev` counts its changes. `place` is what the page of the entry is found by: the public id of a plan or of the
    client's part in a campaign, a ticket's code. An entry without a tenant concerns all clients.
    """

    key: str
    kind: str
    title: str
    begins_at: datetime
    ends_at: datetime
    tenant_id: int | None
    rev: int = 0
    state: str = ""
    place: str = ""
    changed_at: datetime | None = None


def list_entries(
    tenant_ids: Collection[int],
    begin: datetime,
    end: datetime,
    *,
    by: Actor,
    at: datetime,
    windows: bool = True,
) -> list[Entry]:
    """What concerns these clients within `[begin, end)`, in order; of tickets what the reader may see.

    Windows only where asked for: over many clients they are too many to be read.
    """
    found = [
        *_campaigns(tenant_ids, at),
        *_recorded(tenant_ids, begin, end, by),
        *_visits(tenant_ids, begin, end, by),
        *_planned(tenant_ids, begin, end),
        *_freezes(tenant_ids, begin),
        *_agreed_in_terms(tenant_ids, begin, end, at, windows=windows),
        *_everywhere(begin),
        *(_windows(tenant_ids, begin, end) if windows else ()),
    ]
    within = (one for one in found if one.begins_at < end and one.ends_at > begin)
    return sorted(within, key=lambda one: (one.begins_at, KINDS.index(one.kind), one.title, one.key))


def _campaigns(tenant_ids: Collection[int], at: datetime) -> Iterator[Entry]:
    """Lanes that were announced: past ones when they ran, the others when they can run next."""
    own = and_(
        CampaignTenant.tenant_id == WaveLane.tenant_id, CampaignTenant.campaign_id == WaveLane.campaign_id
    )
    asked = (
        select(WaveLane, CampaignTenant.public_id)
        .join(CampaignTenant, own)
        .where(among(WaveLane.tenant_id, tenant_ids), WaveLane.state.not_in(["planned", "skipped"]))
    )
    recent = or_(WaveLane.ended_at.is_(None), WaveLane.ended_at > at - timedelta(days=400))
    for lane, part_id in db.session.execute(asked.where(recent).order_by(WaveLane.id)):
        begins_at, ends_at = _span_of(lane, at)
        yield Entry(
            key=f"lane-{lane.public_id}",
            kind="campaign",
            title=f"{lane.title} ({lane.release_name} {lane.release_version})",
            begins_at=begins_at,
            ends_at=ends_at,
            tenant_id=lane.tenant_id,
            rev=lane.rev,
            state=lane.state,
            place=str(part_id),
        )


def _span_of(lane: WaveLane, at: datetime) -> Span:
    if lane.opened_at is not None:
        ends_at = lane.ended_at or lane.deadline_at or at
        return lane.opened_at, max(ends_at, lane.opened_at + SHOWN_LENGTH)
    if lane.state in TERMINAL_LANES:
        ended_at = lane.ended_at or lane.planned_at
        return ended_at, ended_at + SHOWN_LENGTH
    begins_at = max(lane.planned_at, at) if lane.room_until else lane.planned_at
    reserve = int(lane.timing.get("reserve_seconds", 0))
    room = next_room(lane, begins_at, reserve)
    if room is None:
        return begins_at, begins_at + SHOWN_LENGTH
    opens = max(begins_at, room[0]) if room[1] - room[0] > LONGEST_SPAN else room[0]
    closes = opens + SHOWN_LENGTH if room[1] - room[0] > LONGEST_SPAN else room[1]
    return opens, closes


def _recorded(tenant_ids: Collection[int], begin: datetime, end: datetime, by: Actor) -> Iterator[Entry]:
    """Times of plans that became tickets, or were missed."""
    asked = (
        select(MaintenanceOccurrence, MaintenancePlan.public_id, case((visible_to(by), Ticket.code)))
        .join(
            MaintenancePlan,
            (MaintenancePlan.tenant_id == MaintenanceOccurrence.tenant_id)
            & (MaintenancePlan.id == MaintenanceOccurrence.plan_id),
        )
        .outerjoin(
            Ticket,
            (Ticket.tenant_id == MaintenanceOccurrence.tenant_id)
            & (Ticket.id == MaintenanceOccurrence.ticket_id),
        )
        .where(
            among(MaintenanceOccurrence.tenant_id, tenant_ids),
            MaintenanceOccurrence.begins_at < end,
            MaintenanceOccurrence.ends_at > begin,
            # A visit shows for itself, when and as it is planned by now.
            ~exists().where(
                Visit.tenant_id == MaintenanceOccurrence.tenant_id,
                Visit.ticket_id == MaintenanceOccurrence.ticket_id,
                Visit.calendar_key.is_not(None),
            ),
        )
    )
    for one, plan_id, code in db.session.execute(asked):
        yield Entry(
            key=f"plan-{plan_id}-{one.occurs_on}",
            kind="visit" if one.becomes == "visit" else "upkeep",
            title=one.title,
            begins_at=one.begins_at,
            ends_at=one.ends_at,
            tenant_id=one.tenant_id,
            rev=one.rev,
            state=one.state,
            place=code or "",
            changed_at=one.recorded_at,
        )


def _visits(tenant_ids: Collection[int], begin: datetime, end: datetime, by: Actor) -> Iterator[Entry]:
    """Visits of tickets; one of a plan keeps the key under which the calendar knew it.

    Whoever may not see the ticket may know of a plan's visit, as of the plan, and of no other.
    """
    own = and_(Ticket.tenant_id == Visit.tenant_id, Ticket.id == Visit.ticket_id)
    asked = (
        select(Visit, case((visible_to(by), Ticket.code)), Ticket.subject)
        .outerjoin(Ticket, own)
        .where(
            among(Visit.tenant_id, tenant_ids),
            Visit.state != "cancelled",
            Visit.begins_at < end,
            Visit.ends_at > begin,
            or_(visible_to(by), Visit.calendar_key.is_not(None)),
        )
    )
    for one, code, subject in db.session.execute(asked.order_by(Visit.id)):
        yield Entry(
            key=one.calendar_key or f"visit-{one.public_id}",
            kind="visit",
            title=subject or "",
            begins_at=one.begins_at,
            ends_at=one.ends_at,
            tenant_id=one.tenant_id,
            rev=one.sequence,
            state="opened",
            place=code or "",
            changed_at=one.changed_at,
        )


def _planned(tenant_ids: Collection[int], begin: datetime, end: datetime) -> Iterator[Entry]:
    """Times of plans that are still to come. They keep their key once they become tickets."""
    asked = select(MaintenancePlan).where(
        among(MaintenancePlan.tenant_id, tenant_ids),
        MaintenancePlan.ended_at.is_(None),
        MaintenancePlan.paused_at.is_(None),
    )
    for plan in db.session.scalars(asked.order_by(MaintenancePlan.id)):
        after = max(plan.settled_until, begin - timedelta(minutes=plan.minutes) - MOMENT)
        for begins_at, ends_at in beginning_after(recurring(plan), after, end):
            yield Entry(
                key=f"plan-{plan.public_id}-{day_of(begins_at, plan.time_zone)}",
                kind="visit" if plan.becomes == "visit" else "upkeep",
                title=plan.title,
                begins_at=begins_at,
                ends_at=ends_at,
                tenant_id=plan.tenant_id,
                rev=plan.rev,
                state="planned",
                place=str(plan.public_id),
                changed_at=plan.created_at,
            )


def _freezes(tenant_ids: Collection[int], begin: datetime) -> Iterator[Entry]:
    asked = select(Freeze).where(
        among(Freeze.tenant_id, tenant_ids), Freeze.lifted_at.is_(None), Freeze.ends_at > begin
    )
    for one in db.session.scalars(asked.order_by(Freeze.begins_at, Freeze.id)):
        key = f"freeze-{one.public_id}"
        yield Entry(
            key, "freeze", one.name, one.begins_at, one.ends_at, one.tenant_id, changed_at=one.created_at
        )


def _everywhere(begin: datetime) -> Iterator[Entry]:
    for one in list_told_freezes(begin):
        key = f"freeze-{one.public_id}"
        yield Entry(key, "freeze", one.name, one.begins_at, one.ends_at, None, changed_at=one.created_at)


def _agreed_in_terms(
    tenant_ids: Collection[int], begin: datetime, end: datetime, at: datetime, *, windows: bool
) -> Iterator[Entry]:
    for tenant_id, zone, promise in list_promises(tenant_ids, at):
        for one in promise.freezes:
            span = frozen_days(one.first_on, one.last_on, zone)
            yield Entry(f"terms-{tenant_id}-{one.first_on}", "freeze", one.name, *span, tenant_id)
        if not windows:
            continue
        for number, weekly in enumerate(weekly_windows(promise, zone)):
            for span in occurrences(weekly, begin, end):
                key = f"terms-{tenant_id}-{number}-{day_of(span[0], zone)}"
                yield Entry(key, "window", "", *span, tenant_id)


def _windows(tenant_ids: Collection[int], begin: datetime, end: datetime) -> Iterator[Entry]:
    asked = select(MaintenanceWindow).where(
        among(MaintenanceWindow.tenant_id, tenant_ids), MaintenanceWindow.ended_at.is_(None)
    )
    for one in db.session.scalars(asked.order_by(MaintenanceWindow.id)):
        for span in occurrences(recurring_window(one), begin, end):
            key = f"window-{one.public_id}-{day_of(span[0], one.time_zone)}"
            yield Entry(key, "window", one.name, *span, one.tenant_id, changed_at=one.created_at)
