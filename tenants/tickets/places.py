"""Where a ticket belongs: its main asset, further ones, and the site."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, delete, select

from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Invalid
from tenants.tenancy.models import Site
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import TicketAsset
from tenants.tickets.texts import learn_words

MOST_ASSETS = 20


def list_further_assets(ticket: Ticket) -> list[Asset]:
    """The assets beside the main one, by name."""
    on_it = and_(TicketAsset.tenant_id == Asset.tenant_id, TicketAsset.asset_id == Asset.id)
    found = (
        select(Asset)
        .join(TicketAsset, on_it)
        .where(TicketAsset.tenant_id == ticket.tenant_id, TicketAsset.ticket_id == ticket.id)
    )
    return list(db.session.scalars(found.order_by(Asset.name, Asset.id)))


def place_ticket(
    ticket: Ticket,
    *,
    asset: Asset | None,
    further: Sequence[Asset] = (),
    site: Site | None,
    by: Actor,
    at: datetime,
    rev: int | None = None,
) -> None:
    """Say which assets and which site a ticket concerns; all of them at once. Raises Invalid, Forbidden, Conflict."""
    hold(ticket)
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden
    _check(ticket, asset, further, site)
    main = asset.id if asset else None
    rest = {one.id: one for one in further if one.id != main}
    before = {one.id: one for one in list_further_assets(ticket)}
    wanted_site = site.id if site else None
    if (ticket.asset_id, ticket.site_id, set(before)) == (main, wanted_site, set(rest)):
        return
    ticket.asset_id, ticket.site_id = main, wanted_site
    _write_further(ticket, set(before) - set(rest), set(rest) - set(before))
    names = sorted(one.name for one in rest.values())
    learn_words(ticket, asset.name if asset else None, *names, site.name if site else None)
    note(
        ticket,
        "placed",
        by=by,
        at=at,
        asset=asset.name if asset else None,
        further=names,
        site=site.name if site else None,
    )


def _check(ticket: Ticket, asset: Asset | None, further: Sequence[Asset], site: Site | None) -> None:
    if asset is not None and asset.tenant_id != ticket.tenant_id:
        raise Invalid("asset", _l("This asset is not known."))
    if any(one.tenant_id != ticket.tenant_id for one in further):
        raise Invalid("further", _l("This asset is not known."))
    if len(further) > MOST_ASSETS:
        raise Invalid("further", _l("Choose at most 20 assets."))
    if site is not None and site.tenant_id != ticket.tenant_id:
        raise Invalid("site", _l("This site is not known."))


def _write_further(ticket: Ticket, gone: set[int], new: set[int]) -> None:
    if gone:
        db.session.execute(
            delete(TicketAsset).where(
                TicketAsset.tenant_id == ticket.tenant_id,
                TicketAsset.ticket_id == ticket.id,
                TicketAsset.asset_id.in_(gone),
            )
        )
    place = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id}
    db.session.add_all(TicketAsset(**place, asset_id=one) for one in sorted(new))
    db.session.flush()
