"""What the queue is narrowed to, read from its address; words that mean nothing narrow nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as hour
from typing import Any
from zoneinfo import ZoneInfo

from msp.staff.teams import find_team, list_members_of
from msp.web.access import actor
from msp.web.languages import choose_time_zone
from tenants.assets.queries import find_asset, list_choices
from tenants.foundation.errors import NotFound
from tenants.tenancy.queries import TenantName, find_site, list_sites
from tenants.tickets.categories import Tree
from tenants.tickets.models import KINDS, PRIORITIES, SOURCES, STATES, TIERS, WAITING_REASONS
from tenants.tickets.queries import Filter

NOTHING = -1


def narrowed_by(args: Mapping[str, str], tenants: Sequence[TenantName], tree: Tree) -> Filter:
    """The filter in the arguments of an address; a foreign client, asset or site finds nothing."""
    slug = args.get("tenant", "")
    known = {tenant.slug: tenant.id for tenant in tenants} if slug else {}
    tenant_id = known.get(slug, NOTHING) if slug else None
    who = {"me": actor().id, "none": 0}.get(args.get("assignee", ""))
    return Filter(
        state=_one_of(args, "state", (*STATES, "all")) or "open",
        tenant_id=tenant_id,
        tier=_one_of(args, "tier", TIERS),
        priority=_one_of(args, "priority", PRIORITIES),
        assignee=who,
        assignees=_team(args.get("team", "")),
        asset_id=_asset(args.get("asset", "")),
        category_ids=_categories(args.get("category", ""), tree),
        kind=_one_of(args, "kind", KINDS),
        waiting_reason=_one_of(args, "waiting", WAITING_REASONS),
        site_id=_site(args.get("site", ""), tenant_id),
        source=_one_of(args, "source", SOURCES),
        opened_from=_day(args.get("from", ""), 0),
        opened_until=_day(args.get("to", ""), 1),
        q=args.get("q", "")[:100],
    )


def _one_of(args: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = args.get(name, "")
    return value if value in known else ""


def _asset(public_id: str) -> int | None:
    if not public_id:
        return None
    try:
        return find_asset(public_id).id
    except NotFound:
        return NOTHING


def _team(public_id: str) -> list[int] | None:
    """Whoever is in the team; nobody holds what a team of nobody works on."""
    if not public_id:
        return None
    try:
        return list_members_of(find_team(public_id)) or [NOTHING]
    except NotFound:
        return [NOTHING]


def _site(public_id: str, tenant_id: int | None) -> int | None:
    """Sites are named within their client."""
    if not public_id:
        return None
    try:
        return find_site(tenant_id or NOTHING, public_id).id
    except NotFound:
        return NOTHING


def _categories(public_id: str, tree: Tree) -> list[int] | None:
    if not public_id:
        return None
    place = tree.named(public_id)
    return tree.below(place.category.id) if place else [NOTHING]


def _day(written: str, more: int) -> datetime | None:
    """The begin of a day of the reader's zone, or of one some days later."""
    try:
        day = date.fromisoformat(written) + timedelta(days=more)
        return datetime.combine(day, hour(), ZoneInfo(choose_time_zone()))
    except (ValueError, OverflowError):
        return None


def places_of(narrowed: Filter) -> dict[str, list[tuple[str, str]]]:
    """Assets and sites that can be chosen once a client is."""
    if narrowed.tenant_id in (None, NOTHING):
        return {"assets": [], "sites": []}
    rows: dict[str, Sequence[Any]] = {
        "assets": list_choices(narrowed.tenant_id, 200),
        "sites": list_sites(narrowed.tenant_id),
    }
    return {name: [(str(one.public_id), one.name) for one in found] for name, found in rows.items()}
