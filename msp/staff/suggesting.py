"""What is known of those who might take a ticket, gathered for the rules: a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, select

from msp.staff.queries import list_absences_at, list_shifts_at, next_duties
from msp.staff.rules import Candidate, Duty, Need, Suggestion, suggest
from msp.staff.skills import levels_of, needs_of
from tenants.foundation.db import db
from tenants.people.models import StaffMember
from tenants.tickets.assignments import list_engineers
from tenants.tickets.models import Ticket, TicketEvent

REMEMBERED = timedelta(days=365)


def suggest_for(ticket: Ticket, *, at: datetime) -> list[Suggestion]:
    """Who may hold the ticket, best first, with the reasons. Load is counted in the clients that the viewer sees."""
    need = Need(ticket.tier, needs_of(ticket.category_id))
    return suggest(gather_candidates(ticket, list_engineers(ticket.tenant_id, ticket.tier), at), need)


def gather_candidates(ticket: Ticket, people: Sequence[StaffMember], at: datetime) -> list[Candidate]:
    """The facts of each of these people, who are granted the ticket's client."""
    ids = [one.user_id for one in people]
    skills, loads, coming = levels_of(ids), loads_of(ids), next_duties(ids, at)
    running = {one.user_id: Duty(one.kind, one.begins_at, one.ends_at) for one in list_shifts_at(at)}
    away = {one.user_id: one.ends_at for one in list_absences_at(at)}
    asset, requester = _experience(ticket, at)
    return [
        Candidate(
            user_id=one.user_id,
            name=one.name,
            tier=one.tier,
            is_granted=True,
            skills=skills.get(one.user_id, {}),
            duty=running.get(one.user_id) if one.user_id not in away else None,
            next_duty=coming.get(one.user_id),
            away_until=away.get(one.user_id),
            load=loads.get(one.user_id, {}),
            on_asset=asset.get(one.user_id, 0),
            for_requester=requester.get(one.user_id, 0),
        )
        for one in people
    ]


def loads_of(user_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """By person, how many open tickets of each priority they hold, within the scope."""
    held = (
        select(Ticket.assignee_user_id, Ticket.priority, func.count())
        .where(Ticket.is_open, Ticket.assignee_user_id.in_(user_ids))
        .group_by(Ticket.assignee_user_id, Ticket.priority)
    )
    found: dict[int, dict[str, int]] = {}
    for user_id, priority, count in db.session.execute(held):
        if user_id is not None:
            found.setdefault(user_id, {})[priority] = count
    return found


def _experience(ticket: Ticket, at: datetime) -> tuple[dict[int, int], dict[int, int]]:
    """By person, how many other tickets of this asset, and of this requester, they resolved within a year."""
    asset = _resolved(ticket, at, Ticket.asset_id == ticket.asset_id) if ticket.asset_id else {}
    if not ticket.requester_user_id:
        return asset, {}
    return asset, _resolved(ticket, at, Ticket.requester_user_id == ticket.requester_user_id)


def _resolved(ticket: Ticket, at: datetime, alike: Any) -> dict[int, int]:
    line = and_(TicketEvent.tenant_id == Ticket.tenant_id, TicketEvent.ticket_id == Ticket.id)
    solved = (
        select(TicketEvent.actor_user_id, func.count(Ticket.id.distinct()))
        .select_from(Ticket)
        .join(TicketEvent, line)
        .where(
            Ticket.tenant_id == ticket.tenant_id,
            alike,
            Ticket.id != ticket.id,
            Ticket.opened_at > at - REMEMBERED,
            TicketEvent.kind == "resolved",
            TicketEvent.actor_user_id.is_not(None),
        )
        .group_by(TicketEvent.actor_user_id)
    )
    return {user_id: count for user_id, count in db.session.execute(solved) if user_id is not None}
