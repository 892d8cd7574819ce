"""Tickets by the code that somebody typed into a form."""

from flask_babel import gettext as _

from msp.web.access import actor
from tenants.foundation.errors import Invalid, NotFound
from tenants.tickets import queries
from tenants.tickets.models import Ticket


def ticket_named(typed: str | None, field: str) -> Ticket:
    """The ticket whose code somebody typed into a form. Raises Invalid on the field."""
    try:
        return queries.find_ticket(typed or "", by=actor())
    except NotFound as unknown:
        raise Invalid(field, _("There is no ticket with this code. Check your typing.")) from unknown
