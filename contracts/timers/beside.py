"""Clocks beside the ticket's own: hand-overs by the provider's own terms, vendors by what they promised.

They never pause and have no history of their own: start, stop, target and calendar stand in the row, and the verdict is
worked out anew whenever somebody looks.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from contracts.clock.calendar import Calendar
from contracts.clock.clock import State, Verdict, calculate
from contracts.terms.document import calendar_of, read_promise
from contracts.terms.models import ContractVersion
from contracts.terms.ola import acceptance_seconds
from contracts.terms.promise import MISS, Notified, Promise
from contracts.terms.queries import find_version_in_force
from contracts.timers.events import SideTimerMissed, SideTimerWarned
from contracts.timers.models import SideTimer
from contracts.timers.promises import find_promise
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.events import record
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.people.requests import own_tenant_id
from tenants.tickets.events import HandOverMade, VendorAsked
from tenants.tickets.models import Ticket
from tenants.tickets.rules import rank
from tenants.tickets.vendor_models import VendorCase


def start_acceptance(event: HandOverMade) -> None:
    """Measure a hand-over from now on, if the provider's own terms say how long it may wait."""
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    own = None if event.replay else _own_terms(event.at)
    seconds = acceptance_seconds(own, ticket.priority) if own else None
    if own and seconds:
        terms: dict[str, Any] = {"calendar": own["calendar"], "warnings": warnings_of(read_promise(own))}
        start(ticket, "acceptance", event.hand_over_id, seconds=seconds, at=event.at, **terms)


def stop_acceptance(event: HandOverMade) -> None:
    """The hand-over was accepted or returned, or gave way to another."""
    stop(event.tenant_id, "acceptance", event.hand_over_id, by=event.by, at=event.at)


def start_vendor(event: VendorAsked) -> None:
    """Measure what a vendor promised, by the calendar that was said."""
    case = db.session.get_one(VendorCase, (event.tenant_id, event.case_id))
    if case.promised_minutes is None:
        return
    ticket = db.session.get_one(Ticket, (event.tenant_id, event.ticket_id))
    calendar = _contract_calendar(ticket) if case.calendar == "contract" else "always"
    terms: dict[str, Any] = {"calendar": calendar, "warnings": warnings_of(find_promise(ticket))}
    start(ticket, "vendor", case.id, seconds=case.promised_minutes * 60, at=event.at, **terms)


def stop_vendor(event: VendorAsked) -> None:
    """The vendor answered, or is waited for no more."""
    stop(event.tenant_id, "vendor", event.case_id, by=event.by, at=event.at)


def warnings_of(promise: Promise) -> list[dict[str, Any]]:
    """The warnings of terms that tell somebody of staff, and whom: clients never learn of a clock beside theirs."""
    staff = (Notified.ASSIGNEE, Notified.LEAD)
    told = {one.at_percent: [str(who) for who in one.notify if who in staff] for one in promise.actions}
    return [
        {"at_percent": percent, "notify": roles}
        for percent, roles in told.items()
        if roles and percent < MISS
    ]


def told_at(timer: SideTimer, percent: int) -> list[str]:
    """Whom the warning at a percentage tells."""
    found = (one["notify"] for one in timer.measured_by.get("warnings", ()) if one["at_percent"] == percent)
    return next(found, [])


def _contract_calendar(ticket: Ticket) -> Any:
    """The calendar of the terms that measure a ticket; around the clock where nothing was agreed."""
    if ticket.contract_version_id is None:
        return "always"
    version = db.session.get_one(ContractVersion, (ticket.tenant_id, ticket.contract_version_id))
    return version.terms["calendar"]


def _own_terms(at: datetime) -> dict[str, Any] | None:
    """The provider's terms for itself. They are read in a scope of their own: who acts may not see that tenant."""
    with enter(gate()):
        own = own_tenant_id()
    if own is None:
        return None
    with enter(of_tenant(own)):
        version = find_version_in_force(own, at)
        return None if version is None else version.terms


def start(
    ticket: Ticket,
    clock: str,
    source_id: int,
    *,
    seconds: int,
    calendar: Any,
    at: datetime,
    warnings: Sequence[dict[str, Any]] = (),
) -> None:
    """Begin a clock of so many seconds of a calendar's business time, with the warnings of the same terms."""
    timer = SideTimer(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        clock=clock,
        source_id=source_id,
        target_seconds=seconds,
        measured_by={"calendar": calendar, "warnings": list(warnings)},
        warned_percent=0,
        started_at=at,
    )
    _show(timer, read_side(timer, at))
    db.session.add(timer)
    db.session.flush()


def stop(tenant_id: int, clock: str, source_id: int, *, by: Actor, at: datetime) -> None:
    """End the clock of a hand-over or a vendor's case, if it has one."""
    found = select(SideTimer).where(
        SideTimer.tenant_id == tenant_id, SideTimer.clock == clock, SideTimer.source_id == source_id
    )
    timer = db.session.scalars(found.with_for_update()).one_or_none()
    if timer is not None and timer.stopped_at is None:
        timer.stopped_at = at
        settle(timer, as_of=at, by=by)


def settle(timer: SideTimer, *, as_of: datetime, by: Actor) -> None:
    """Store what a locked clock says, and say once that its target was missed, or how far it is used up.

    Nobody is warned of what has stopped or was missed meanwhile, and of several warnings only of the last.
    """
    was_missed, was_warned = timer.missed_at is not None, timer.warned_percent
    _show(timer, read_side(timer, as_of))
    db.session.flush()
    told: dict[str, Any] = {"tenant_id": timer.tenant_id, "at": as_of, "by": by, "timer_id": timer.id}
    if timer.missed_at is not None and not was_missed:
        record(SideTimerMissed(**told))
    elif timer.warned_percent > was_warned and timer.missed_at is None and timer.stopped_at is None:
        record(SideTimerWarned(**told, percent=timer.warned_percent))


def withdraw(timer: SideTimer, *, at: datetime) -> None:
    """The ticket is done: nobody has to accept or answer any more."""
    timer.state, timer.stopped_at, timer.look_at = State.NOT_APPLICABLE, at, None


def _show(timer: SideTimer, verdict: Verdict) -> None:
    timer.state, timer.due_at, timer.missed_at = verdict.state, verdict.due_at, verdict.missed_at
    timer.look_at = verdict.next_look_at if timer.stopped_at is None else None
    timer.warned_percent = max([timer.warned_percent, *(one.percent for one in verdict.warnings)])


def read_side(timer: SideTimer, as_of: datetime) -> Verdict:
    """What a clock beside the ticket's own says at a moment: the one function that screen and sweep ask."""
    calendar = _calendar(json.dumps({"calendar": timer.measured_by["calendar"]}, sort_keys=True))
    as_of = max(as_of, timer.started_at)
    percents = [one["at_percent"] for one in timer.measured_by.get("warnings", ())]
    return calculate(calendar, timer.target_seconds, timer.started_at, (), timer.stopped_at, as_of, percents)


@lru_cache(maxsize=256)
def _calendar(text: str) -> Calendar:
    return calendar_of(json.loads(text))


def list_side_timers(ticket: Ticket) -> Sequence[SideTimer]:
    """The clocks beside a ticket's own that still run."""
    running = select(SideTimer).where(
        SideTimer.tenant_id == ticket.tenant_id,
        SideTimer.ticket_id == ticket.id,
        SideTimer.stopped_at.is_(None),
    )
    return db.session.scalars(running.order_by(SideTimer.id)).all()


def side_badges(tickets: Iterable[Ticket], now: datetime) -> dict[tuple[int, int], list[tuple[str, Verdict]]]:
    """Clock and verdict of what runs beside each ticket, by `(tenant_id, id)`; at most one statement.

    None at all where no ticket waits for a vendor or, held by nobody, in a tier to which it was passed up.
    """
    waiting = [one.id for one in tickets if _may_have_side_timer(one)]
    found: dict[tuple[int, int], list[tuple[str, Verdict]]] = {}
    if waiting:
        running = select(SideTimer).where(SideTimer.ticket_id.in_(waiting), SideTimer.stopped_at.is_(None))
        for timer in db.session.scalars(running.order_by(SideTimer.id)):
            verdicts = found.setdefault((timer.tenant_id, timer.ticket_id), [])
            verdicts.append((timer.clock, read_side(timer, now)))
    return found


def _may_have_side_timer(ticket: Ticket) -> bool:
    passed_up = ticket.assignee_user_id is None and rank(ticket.tier) > 0
    return passed_up or ticket.waiting_reason == "vendor"
