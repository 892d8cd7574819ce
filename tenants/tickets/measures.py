"""By what a ticket is measured: tickets keep which, and do not know what it says."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.errors import Conflict, Forbidden
from tenants.tickets import rules
from tenants.tickets.events import TermsApplied
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket


def apply_terms(
    ticket: Ticket, *, version_id: int, number: int, by: Actor, at: datetime, audited: bool = True
) -> bool:
    """Have another version measure an open ticket from now on; whether anything was left to do.

    `number` is what people call the version. `audited` False for a bulk act, which writes one entry for all of them.
    Raises Forbidden and Conflict.
    """
    hold(ticket)
    if ticket.contract_version_id == version_id:
        return False
    if who_is(by) == "requester":
        raise Forbidden
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets can be measured by other terms."))
    before = ticket.contract_version_id
    line: dict[str, Any] = {"from_terms": before, "to_terms": version_id, "version": number}
    seq = note(ticket, "terms_applied", by=by, at=at, audited=audited, **line)
    events.record(
        TermsApplied(
            tenant_id=ticket.tenant_id, at=at, by=by, ticket_id=ticket.id, seq=seq, version_id=version_id
        )
    )
    return True
