"""The one door for every channel: whatever came in becomes a ticket here, with the same events."""

from datetime import datetime

from tenants.foundation.actor import Actor
from tenants.tenancy.models import Tenant
from tenants.tickets import services
from tenants.tickets.models import Ticket


def receive_ticket(
    tenant: Tenant,
    request: services.Request,
    *,
    by: Actor,
    at: datetime,
    spoke_with_caller: bool = False,
) -> Ticket:
    """Open a ticket for what a person or a machine asked by one of the channels (`request.source`).

    The same `request_key` again gives the ticket that is there already. `spoke_with_caller`: staff answered the
    requester on the phone or in the chat. Raises InvalidMany.
    """
    return services.open_ticket(tenant, request, by=by, at=at, spoke_with_caller=spoke_with_caller)
