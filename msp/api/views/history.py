"""A ticket's history, and the clocks that derive from it."""

from typing import Any

from marshmallow import RAISE

from contracts.clock.history import ClockKind, Reading
from contracts.terms.models import Contract
from contracts.terms.queries import versions_by_id
from contracts.timers.queries import read_clocks_of
from msp.api import queries as own
from msp.api.blueprint import bp
from msp.api.rights import allow
from msp.api.schemas.common import ListQuery, page_of
from msp.api.schemas.tickets import EventOut, TimerOut
from msp.api.views.listing import page_document
from msp.web.access import actor, require
from msp.web.paging import asked
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries
from tenants.tickets.models import Ticket, TicketEvent

# What clients may know of the lines that they may know of.
_FOR_CLIENTS: dict[str, tuple[str, ...]] = {
    "opened": ("priority", "source"),
    "message_added": ("kind", "author_kind", "spoke_with_caller"),
    "state_changed": ("from_state", "to_state", "reason"),
    "reprioritised": ("from_priority", "to_priority", "impact", "urgency"),
    "resolved": ("from_state", "to_state"),
    "reopened": ("from_state", "to_state"),
    "closed": ("from_state", "to_state"),
    "cancelled": ("from_state", "to_state", "reason"),
}


@bp.get("/tickets/<code>/events")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_DESK, client=Permission.VIEW_PORTAL)
@bp.input(ListQuery, location="query", unknown=RAISE)
@bp.output(page_of(EventOut))
@bp.doc(tags=["Tickets"])
def list_ticket_events(code: str, query_data: dict[str, Any]) -> Any:
    """List a ticket's history in order. Clients see neither internal notes nor hand-overs."""
    after, limit = asked(int)
    ticket = queries.find_ticket(code, by=actor())
    rows = own.list_ticket_events(ticket, after=after, limit=limit, for_clients=not actor().is_staff)
    return page_document(rows, limit, lambda one: (one.seq,), _event)


def _event(row: TicketEvent) -> dict[str, Any]:
    known = row.data if actor().is_staff else {key: row.data.get(key) for key in _FOR_CLIENTS[row.kind]}
    return {
        "seq": row.seq,
        "kind": row.kind,
        "at": row.at,
        "actor": {"kind": row.actor_kind, "name": row.actor_name},
        "message_id": row.message_id,
        "data": known,
    }


@bp.get("/tickets/<code>/timers")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_DESK, client=Permission.VIEW_PORTAL)
@bp.input(ListQuery, location="query", unknown=RAISE)
@bp.output(page_of(TimerOut))
@bp.doc(tags=["Tickets"])
def list_ticket_timers(code: str, query_data: dict[str, Any]) -> Any:
    """List a ticket's clocks as they are now, each with its strip.

    They are derived from the history at this moment. A clock for which nothing was promised, or for which there is no
    data, is `not_applicable`.
    """
    ticket = queries.find_ticket(code, by=actor())
    readings = read_clocks_of(ticket, queries.list_history(ticket.id), time.now())
    contract = _contract_of(ticket)
    known = {reading.kind for reading in readings}
    clocks = [_timer(one, contract) for one in readings]
    clocks += [_absent(kind) for kind in ClockKind if kind not in known]
    return {"items": clocks, "next": None}


def _contract_of(ticket: Ticket) -> dict[str, Any]:
    key = (ticket.tenant_id, ticket.contract_version_id or 0)
    version = versions_by_id([key]).get(key)
    if version is None:
        return {"contract": None, "contract_version": None}
    contract: Contract = own.contract_of(version)
    return {"contract": str(contract.public_id), "contract_version": version.number}


def _timer(reading: Reading, contract: dict[str, Any]) -> dict[str, Any]:
    verdict = reading.verdict
    return contract | {
        "clock": reading.kind,
        "cycle": reading.cycle,
        "state": verdict.state,
        "priority": reading.priority,
        "target_seconds": reading.target.seconds if reading.target else None,
        "elapsed_seconds": verdict.elapsed_seconds,
        "remaining_seconds": verdict.remaining_seconds,
        "paused_business_seconds": verdict.paused_business_seconds,
        "maintenance_business_seconds": verdict.maintenance_business_seconds,
        "started_at": reading.started_at,
        "stopped_at": reading.stopped_at,
        "due_at": verdict.due_at,
        "missed_at": verdict.missed_at,
        "cause": verdict.cause,
        "warnings": [{"percent": one.percent, "at": one.at} for one in verdict.warnings],
        "intervals": [
            {"begin": one.from_at, "to": one.to_at, "kind": one.kind, "reason": one.reason, "by": one.by}
            for one in verdict.intervals
        ],
    }


def _absent(kind: ClockKind) -> dict[str, Any]:
    figures = (
        "priority",
        "target_seconds",
        "elapsed_seconds",
        "remaining_seconds",
        "paused_business_seconds",
        "maintenance_business_seconds",
    )
    moments = ("started_at", "stopped_at", "due_at", "missed_at", "cause", "contract", "contract_version")
    return dict.fromkeys((*figures, *moments)) | {
        "clock": kind,
        "cycle": 1,
        "state": "not_applicable",
        "warnings": [],
        "intervals": [],
    }
