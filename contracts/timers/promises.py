"""Actions and days of the terms that measure a ticket, with their defaults where nothing was agreed."""

from contracts.terms.document import default_terms, read_promise
from contracts.terms.models import ContractVersion
from contracts.terms.promise import Promise
from tenants.foundation.db import db
from tenants.tickets.models import Ticket

_NOTHING_AGREED = default_terms("UTC")


def find_promise(ticket: Ticket) -> Promise:
    """What the version by which a ticket is measured promises beside its clocks."""
    if ticket.contract_version_id is None:
        return read_promise(_NOTHING_AGREED)
    version = db.session.get_one(ContractVersion, (ticket.tenant_id, ticket.contract_version_id))
    return read_promise(version.terms)
