"""Tickets: the same services as desk and portal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import RAISE

from msp.api.blueprint import bp
from msp.api.idempotency import creates
from msp.api.references import (
    asset_named,
    assignee_filter,
    requester_named,
    tenant_filter,
    tenant_to_write,
)
from msp.api.rights import allow
from msp.api.schemas.common import page_of
from msp.api.schemas.tickets import (
    HandOverIn,
    HandOverOut,
    MessageIn,
    MessageOut,
    StoryQuery,
    TicketDetailOut,
    TicketIn,
    TicketOut,
    TicketQuery,
    TransitionIn,
)
from msp.api.views.listing import page_document
from msp.intake.receiving import receive_ticket
from msp.web.access import actor, require
from msp.web.paging import asked
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of, site_of
from tenants.tickets import merging, queries, services
from tenants.tickets.attachments import FileOnTicket
from tenants.tickets.categories import Tree, read_tree
from tenants.tickets.linking import list_relations
from tenants.tickets.models import Message, Ticket
from tenants.tickets.queries import Filter, TicketView
from tenants.tickets.watching import count_watchers

MESSAGES = 200
_STAFF, _CLIENT = Permission.WORK_TICKETS, Permission.OPEN_OWN_TICKETS


@bp.get("/tickets")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_DESK, client=Permission.VIEW_PORTAL)
@bp.input(TicketQuery, location="query", unknown=RAISE)
@bp.output(page_of(TicketOut))
@bp.doc(tags=["Tickets"])
def list_tickets(query_data: dict[str, Any]) -> Any:
    """List tickets, newest first.

    With `state=open` the open ones, what runs out first at the top. A client's people see those they asked for or
    watch, and all of the company's where the client says so.
    """
    after, limit = asked(datetime, int)
    narrowed = _filter(query_data)
    if narrowed.state == "open":
        rows, key = queries.list_queue(narrowed, by=actor(), after=after, limit=limit), queries.queue_key
    else:
        rows, key = queries.list_tickets(narrowed, by=actor(), after=after, limit=limit), queries.opened_key
    slugs, tree = _slugs(rows), read_tree()
    return page_document(rows, limit, key, lambda one: ticket_document(one, slugs[one.tenant_id], tree))


def _filter(asked_for: dict[str, Any]) -> Filter:
    return Filter(
        state=asked_for.get("state", ""),
        tenant_id=tenant_filter(asked_for["tenant"]),
        tier=asked_for.get("tier", ""),
        priority=asked_for.get("priority", ""),
        assignee=assignee_filter(asked_for["assignee"]),
        q=asked_for["q"],
    )


def _slugs(rows: Sequence[Ticket]) -> dict[int, str]:
    return {tenant_id: one.slug for tenant_id, one in names_of([row.tenant_id for row in rows]).items()}


@bp.post("/tickets")
@require(Permission.USE_API)
@allow(staff=_STAFF, client=_CLIENT)
@creates
@bp.input(TicketIn, location="json")
@bp.output(TicketDetailOut, status_code=201)
@bp.doc(tags=["Tickets"])
def open_ticket(json_data: dict[str, Any]) -> Any:
    """Open a ticket. Its clocks start at once."""
    tenant = tenant_to_write(json_data["tenant"])
    wanted = services.Request(
        subject=json_data["subject"],
        body=json_data["body"],
        impact=json_data["impact"],
        urgency=json_data["urgency"],
        kind=json_data["kind"],
        asset=asset_named(json_data["asset"]),
        requester=requester_named(tenant, json_data["requester"]),
        source="api",
    )
    ticket = receive_ticket(tenant, wanted, by=actor(), at=time.now())
    site = site_of(ticket.tenant_id, ticket.site_id)
    return _detail(TicketView(ticket, tenant, wanted.asset, site, hand_over=None, files=()))


@bp.get("/tickets/<code>")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_DESK, client=Permission.VIEW_PORTAL)
@bp.input(StoryQuery, location="query", unknown=RAISE)
@bp.output(TicketDetailOut)
@bp.doc(tags=["Tickets"])
def find_ticket(code: str, query_data: dict[str, Any]) -> Any:
    """Read one ticket with what was said on it, the newest 200 messages. Clients never see internal notes."""
    return _detail(queries.find_ticket_view(code, by=actor()), before=query_data["before"])


@bp.post("/tickets/<code>/messages")
@require(Permission.USE_API)
@allow(staff=_STAFF, client=_CLIENT)
@creates
@bp.input(MessageIn, location="json")
@bp.output(MessageOut, status_code=201)
@bp.doc(tags=["Tickets"])
def add_message(code: str, json_data: dict[str, Any]) -> Any:
    """Say something on a ticket. A public reply by staff answers the requester."""
    ticket = merging.find_current(code, by=actor())
    said = services.add_message(
        ticket, body=json_data["body"], kind=json_data["kind"], by=actor(), at=time.now()
    )
    return _message(said, ())


@bp.post("/tickets/<code>/transitions")
@require(Permission.USE_API)
@allow(staff=_STAFF, client=_CLIENT)
@creates
@bp.input(TransitionIn, location="json")
@bp.output(TicketDetailOut)
@bp.doc(tags=["Tickets"])
def change_state(code: str, json_data: dict[str, Any]) -> Any:
    """Move a ticket to another state; 409 names the states that are possible. The time is the portal's own."""
    ticket = queries.find_ticket(code, by=actor())
    services.change_state(ticket, to=json_data["to"], reason=json_data["reason"], by=actor(), at=time.now())
    return _detail(queries.find_ticket_view(code, by=actor()))


@bp.post("/tickets/<code>/hand-overs")
@require(Permission.USE_API)
@allow(staff=_STAFF)
@creates
@bp.input(HandOverIn, location="json")
@bp.output(HandOverOut, status_code=201)
@bp.doc(tags=["Tickets"])
def hand_over(code: str, json_data: dict[str, Any]) -> Any:
    """Hand a ticket to another tier with what the next person needs to know."""
    ticket = queries.find_ticket(code, by=actor())
    to_tier = json_data.pop("to_tier")
    made = services.hand_over(
        ticket, services.Briefing(**json_data), to_tier=to_tier, by=actor(), at=time.now()
    )
    shown = (
        "from_tier",
        "to_tier",
        "state",
        "symptoms",
        "tried",
        "suspected_cause",
        "told_requester",
        "evidence",
    )
    return {name: getattr(made, name) for name in shown} | {
        "ticket": ticket.code,
        "made_by": made.made_by_name,
        "made_at": made.made_at,
    }


def ticket_document(ticket: Ticket, slug: str, tree: Tree) -> dict[str, Any]:
    """A ticket as lists show it."""
    same = (
        "code", "kind", "subject", "state", "waiting_reason", "impact", "urgency", "priority", "tier", "source",
        "opened_at", "waiting_since", "resolved_at", "closed_at", "sla_state",
    )  # fmt: skip
    return {name: getattr(ticket, name) for name in same} | {
        "tenant": slug,
        "assignee": {"name": ticket.assignee_name} if ticket.assignee_name else None,
        "requester": {"name": ticket.requester_name, "email": ticket.requester_email},
        "due_at": ticket.next_due_at,
        "due_clock": ticket.next_due_kind,
        "category": tree.path(ticket.category_id) or None,
    }


def _detail(view: TicketView, *, before: int | None = None) -> dict[str, Any]:
    found = queries.list_messages(view.ticket, by=actor(), before=before, most=MESSAGES + 1)
    said = found[-MESSAGES:]
    return ticket_document(view.ticket, view.tenant.slug, read_tree()) | {
        "asset": _named(view.asset),
        "site": _named(view.site),
        "allowed_transitions": queries.list_steps(view.ticket, by=actor(), at=time.now()),
        "watchers": count_watchers(view.ticket, by=actor()),
        "links": _links(view.ticket),
        "merged_into": into.code if (into := services.current_of(view.ticket)) is not view.ticket else None,
        "messages": [_message(one, view.files) for one in said],
        "earlier_messages": said[0].id if len(found) > len(said) else None,
        "time_worked": [
            {"month": f"{one.month:%Y-%m}", "minutes": one.minutes, "billable_minutes": one.billable_minutes}
            for one in view.worked
        ],
    }


def _links(ticket: Ticket) -> list[dict[str, Any]]:
    """Clients are not told how the provider links tickets."""
    relations = list_relations(ticket) if actor().is_staff else []
    return [{"kind": one.kind, "ticket": one.other.code, "is_first": one.is_first} for one in relations]


def _named(row: Any) -> dict[str, Any] | None:
    return {"id": row.public_id, "name": row.name} if row is not None else None


def _message(message: Message, files: Sequence[FileOnTicket]) -> dict[str, Any]:
    return {
        "id": message.id,
        "kind": message.kind,
        "author_kind": message.author_kind,
        "author": message.author_name,
        "body": message.body,
        "at": message.at,
        "files": [
            {"id": one.public_id, "name": one.name, "size": one.size, "kept_back": one.danger or None}
            for one in files
            if one.message_id == message.id
        ],
    }
