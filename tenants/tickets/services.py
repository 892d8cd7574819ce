"""What is done with tickets, in one place; each verb lives in the module of its noun.

Every service locks the ticket's row, writes its history, records its event and its audit entry, and flushes. `rev` is
the number that the acting person's page showed: a stale page is refused. `replay` is for imports: the same history and
events with the file's times, and nothing sent, handed over or audited line by line.
"""

from tenants.tickets.assignments import assign_ticket, list_engineers, take_ticket
from tenants.tickets.categories import categorise
from tenants.tickets.hand_overs import (
    Briefing,
    accept_hand_over,
    escalate_ticket,
    hand_over,
    pending_hand_over,
    return_hand_over,
)
from tenants.tickets.kinds import change_kind
from tenants.tickets.linking import link_tickets, unlink_tickets, wait_for_change
from tenants.tickets.measures import apply_terms
from tenants.tickets.merging import current_of, merge_tickets
from tenants.tickets.messages import Requester, add_message
from tenants.tickets.opening import Request, open_ticket
from tenants.tickets.places import place_ticket
from tenants.tickets.priorities import reassess, set_priority
from tenants.tickets.states import (
    answer_vendor,
    cancel_ticket,
    change_state,
    close_ticket,
    reopen_ticket,
    resolve_ticket,
    wait_for_vendor,
)
from tenants.tickets.vendors import VendorAsk

__all__ = [
    "Briefing",
    "Request",
    "Requester",
    "VendorAsk",
    "accept_hand_over",
    "add_message",
    "answer_vendor",
    "apply_terms",
    "assign_ticket",
    "cancel_ticket",
    "categorise",
    "change_kind",
    "change_state",
    "close_ticket",
    "current_of",
    "escalate_ticket",
    "hand_over",
    "link_tickets",
    "list_engineers",
    "merge_tickets",
    "open_ticket",
    "pending_hand_over",
    "place_ticket",
    "reassess",
    "reopen_ticket",
    "resolve_ticket",
    "return_hand_over",
    "set_priority",
    "take_ticket",
    "unlink_tickets",
    "wait_for_change",
    "wait_for_vendor",
]
