"""Who else gets the public replies of a ticket: its watchers, as far as they are confirmed and still belong here."""

from dataclasses import dataclass

from tenants.people.queries import list_granted, list_members
from tenants.tickets.models import Ticket
from tenants.tickets.watching import list_watchers


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who watches: the row's id, the name, the address, and the account if there is one."""

    watcher_id: int
    name: str
    address: str
    user_id: int | None
    is_staff: bool


def watchers_to_tell(ticket: Ticket, *, but: set[str]) -> list[Told]:
    """Confirmed watchers without those whose address is told already (`but`, in lower case).

    Somebody who left the client or whose grant ended gets nothing, though the row is still there.
    """
    watchers = [one for one in list_watchers(ticket) if one.confirmed_at is not None]
    if not watchers:
        return []
    active = [one for one in list_members(ticket.tenant_id) if one.state == "active"]
    known = {
        "client": {one.user_id: one.email for one in active},
        "staff": {one.user_id: one.email for one in list_granted(ticket.tenant_id)},
    }
    found = []
    for one in watchers:
        address = one.email if one.user_id is None else known[one.side].get(one.user_id)
        if address and address.lower() not in but:
            found.append(Told(one.id, one.name, address, one.user_id, one.side == "staff"))
    return found
