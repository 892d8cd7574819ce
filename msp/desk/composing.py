"""Canned replies, filled in for one ticket."""

from flask import current_app

from msp.web.access import actor
from tenants.tickets import queries, replies


def filled_reply(code: str, public_id: str) -> str:
    """The words of a reply with the ticket's names in them. Raises NotFound."""
    view = queries.find_ticket_view(code, by=actor())
    values = {
        "requester": view.ticket.requester_name,
        "code": view.ticket.code,
        "subject": view.ticket.subject,
        "client": view.tenant.name,
        "staff": actor().name,
        "provider": current_app.extensions["settings"].provider_name,
    }
    return replies.fill(replies.find_reply(public_id).body, values)
