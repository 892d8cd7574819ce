"""Taking up again what cannot be reopened any more: another ticket that carries on the first one's matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.tenancy.queries import site_of
from tenants.tickets import rules
from tenants.tickets.category_models import Category
from tenants.tickets.messages import Requester
from tenants.tickets.models import Ticket
from tenants.tickets.opening import LONGEST_SUBJECT, Request
from tenants.tickets.places import list_further_assets


def may_follow_up(ticket: Ticket, at: datetime) -> bool:
    """Whether a ticket is closed for good, so that only another one can carry on."""
    return ticket.state == "closed" and not rules.is_reopenable(ticket.state, ticket.reopen_until, at)


def follow_up_request(
    first: Ticket,
    *,
    body: str,
    source: str,
    requester: Requester | None = None,
    request_key: str | None = None,
) -> Request:
    """What to open: as the first ticket, by its requester or by another one of the client's people."""
    return Request(
        subject=_subject(first),
        body=body,
        impact=first.impact,
        urgency=first.urgency,
        kind=first.kind,
        requester=requester
        or Requester(first.requester_name, first.requester_email, first.requester_user_id),
        source=source,
        asset=db.session.get(Asset, (first.tenant_id, first.asset_id)) if first.asset_id else None,
        further_assets=list_further_assets(first),
        site=site_of(first.tenant_id, first.site_id),
        category=db.session.get(Category, first.category_id) if first.category_id else None,
        follows=first,
        request_key=request_key,
    )


def _subject(first: Ticket) -> str:
    mark = f" ({first.code})"
    plain = first.subject.removesuffix(mark)
    return plain[: LONGEST_SUBJECT - len(mark)] + mark


@dataclass(frozen=True, slots=True)
class Family:
    """The tickets that carry on a ticket's matter, or that it carries on."""

    # Where its story goes on: itself, or the one that it was merged into.
    current: Ticket
    merged: Sequence[Ticket]
    # The ticket before (False) and those after (True) in a row of follow-ups.
    followed: Sequence[tuple[Ticket, bool]]


def find_family(ticket: Ticket) -> Family:
    """What was merged with a ticket, and its follow-ups: one statement."""
    around = or_(
        Ticket.merged_into_id == ticket.id,
        Ticket.follows_id == ticket.id,
        Ticket.id.in_([one for one in (ticket.merged_into_id, ticket.follows_id) if one is not None]),
    )
    found = db.session.scalars(
        select(Ticket).where(Ticket.tenant_id == ticket.tenant_id, around).order_by(Ticket.id)
    ).all()
    return Family(
        next((one for one in found if one.id == ticket.merged_into_id), ticket),
        [one for one in found if one.merged_into_id == ticket.id],
        [
            (one, one.follows_id == ticket.id)
            for one in found
            if ticket.id == one.follows_id or one.id == ticket.follows_id
        ],
    )
