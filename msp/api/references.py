"""From words in a body or query to rows: through the same doors as everything else, naming the field when shut."""

from collections.abc import Callable
from typing import TypeVar

from flask_babel import lazy_gettext as _l

from msp.api import queries
from msp.api.problems import UnknownReference
from msp.web.access import actor, principal
from tenants.assets.models import Asset
from tenants.assets.queries import find_asset
from tenants.foundation.errors import Invalid, NotFound
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, find_tenant_by_id
from tenants.tickets.services import Requester

Row = TypeVar("Row")


def named(field: str, find: Callable[[str], Row], word: str) -> Row:
    """What a word in a field names. Raises UnknownReference for nothing the caller may see."""
    try:
        return find(word)
    except NotFound as wrong:
        raise UnknownReference(field) from wrong


def tenant_named(slug: str) -> Tenant:
    """The client that a field `tenant` names."""
    return named("tenant", find_tenant, slug)


def tenant_filter(slug: str) -> int | None:
    """The row id of the client that a list is narrowed to, if it is."""
    return tenant_named(slug).id if slug else None


def tenant_to_write(slug: str | None) -> Tenant:
    """The client to write for: the one named, or a client's own. Raises Invalid when staff name none."""
    if slug is not None:
        return tenant_named(slug)
    if principal().tenant_id is None:
        raise Invalid("tenant", _l("Name the client."))
    return find_tenant_by_id(principal().tenant_id or 0)


def asset_named(public_id: str | None) -> Asset | None:
    """The asset that a field `asset` names; retired ones are hidden from clients."""
    if public_id is None:
        return None
    asset = named("asset", find_asset, public_id)
    if is_hidden(asset):
        raise UnknownReference("asset")
    return asset


def is_hidden(asset: Asset) -> bool:
    """Whether the caller may not know of an asset in scope."""
    return asset.state == "retired" and not actor().is_staff


def requester_named(tenant: Tenant, words: str | None) -> Requester:
    """Who asks: one of the client's people by address, somebody by name, or the caller.

    Clients' people ask for themselves. Raises Invalid.
    """
    caller = principal()
    if words is None or words.strip().lower() == caller.email.lower():
        return Requester(caller.actor.name, caller.email, caller.user_id)
    if not caller.actor.is_staff:
        raise Invalid("requester", _l("You can only ask for yourself."))
    if "@" not in words:
        return Requester(words.strip())
    member = queries.find_member(tenant.id, words.strip())
    if member is None:
        return Requester(words.strip(), words.strip())
    return Requester(member.name, member.email, member.user_id)


def assignee_filter(words: str) -> int | None:
    """Whose tickets a list is narrowed to: a user id, 0 for nobody's. Raises Invalid and UnknownReference."""
    if not words:
        return None
    if not actor().is_staff:
        raise Invalid("assignee", _l("Only staff can ask for this."))
    if words in ("me", "nobody"):
        return actor().id if words == "me" else 0
    person = queries.find_staff_member(words)
    if person is None:
        raise UnknownReference("assignee")
    return person.user_id
