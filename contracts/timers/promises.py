"""Actions, days and calendar of the terms that measure a ticket, with their defaults where nothing was agreed."""

from typing import Any

from contracts.clock.calendar import Calendar
from contracts.terms.document import calendar_of, default_terms, read_promise
from contracts.terms.models import ContractVersion
from contracts.terms.promise import Promise
from tenants.foundation.db import db
from tenants.tickets.models import Ticket

_NOTHING_AGREED = default_terms("UTC")


def find_promise(ticket: Ticket) -> Promise:
    """What the version by which a ticket is measured promises beside its clocks."""
    return read_promise(_terms_of(ticket))


def find_calendar(ticket: Ticket) -> Calendar:
    """The business hours of the version by which a ticket is measured."""
    return calendar_of(_terms_of(ticket))


def _terms_of(ticket: Ticket) -> dict[str, Any]:
    if ticket.contract_version_id is None:
        return _NOTHING_AGREED
    return db.session.get_one(ContractVersion, (ticket.tenant_id, ticket.contract_version_id)).terms
