"""Lists of assets as CSV downloads."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Response
from flask_babel import gettext as _

from tenants.assets import queries
from tenants.assets.models import Asset
from tenants.assets.queries import AssetFilter
from tenants.assets.sheets import write_sheet
from tenants.foundation import time
from tenants.tenancy import queries as tenancy

PIECE = 2000
MOST_ROWS = 100_000


def asset_sheet(chosen: AssetFilter, *, with_client: bool) -> Response:
    """Assets as CSV that can be read in again; the first columns are the ones of the import."""
    headers = [
        "Name",
        "Kind",
        "Site",
        "Serial",
        "Tags",
        "Notes",
        "Agent ID",
        "State",
        "Last seen",
        "Operating system",
    ]
    text = write_sheet(["Client", *headers] if with_client else headers, _rows(chosen, with_client))
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="assets-{time.now():%Y%m%d}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _rows(chosen: AssetFilter, with_client: bool) -> Iterator[list[Any]]:
    clients = {tenant.id: tenant.name for tenant in tenancy.list_all_tenants()} if with_client else {}
    after: Sequence[Any] | None = None
    for _piece in range(MOST_ROWS // PIECE):
        assets = queries.list_assets(chosen, at=time.now(), after=after, limit=PIECE)
        shown = assets[:PIECE]
        sites = tenancy.sites_of([(one.tenant_id, one.site_id) for one in shown if one.site_id])
        for asset in shown:
            site = sites.get((asset.tenant_id, asset.site_id or 0))
            row = _row(asset, site.name if site else "")
            yield [clients.get(asset.tenant_id, ""), *row] if with_client else row
        if len(assets) <= PIECE:
            return
        after = queries.sort_key(shown[-1])
    yield [_("There are more rows than one file may hold. Narrow the list.")]


def _row(asset: Asset, site: str) -> list[Any]:
    return [
        asset.name,
        asset.kind,
        site,
        asset.serial,
        ", ".join(asset.tags),
        asset.notes,
        asset.controller_id,
        asset.state,
        _moment(asset.last_seen_at),
        asset.facts.get("os_release", ""),
    ]


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
