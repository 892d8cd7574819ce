"""Tying articles to tickets and known errors to assets."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from msp.knowledge.models import Article, ArticleAsset, ArticleTicket
from msp.knowledge.rules import LINKS, may_concern
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Invalid
from tenants.foundation.permissions import Permission
from tenants.tickets.models import Ticket


def link_ticket(article: Article, ticket: Ticket, *, how: str, by: Actor, at: datetime) -> None:
    """Say that an article and a ticket have to do with each other; a repeat changes nothing. Raises Invalid."""
    _demand(by, Permission.WORK_TICKETS)
    if how not in LINKS:
        raise Invalid("how", _l("This kind of link is not known."))
    demand_concern(article, ticket.tenant_id, field="code")
    if how == "problem" and ticket.kind != "problem":
        raise Invalid("how", _l("Only a problem stands behind a known error."))
    row = insert(ArticleTicket).values(
        tenant_id=ticket.tenant_id,
        article_id=article.id,
        ticket_id=ticket.id,
        how=how,
        linked_by_name=by.name[:120],
        linked_at=at,
    )
    if db.session.scalar(row.on_conflict_do_nothing().returning(ArticleTicket.id)) is not None:
        detail = {"article": str(article.public_id), "how": how}
        _audit("ticket.article_linked", ticket.tenant_id, f"ticket {ticket.code}", by, at, detail)


def unlink_ticket(article: Article, ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Take all links between the two back."""
    _demand(by, Permission.WORK_TICKETS)
    gone = delete(ArticleTicket).where(
        ArticleTicket.tenant_id == ticket.tenant_id,
        ArticleTicket.ticket_id == ticket.id,
        ArticleTicket.article_id == article.id,
    )
    db.session.execute(gone)
    detail = {"article": str(article.public_id)}
    _audit("ticket.article_unlinked", ticket.tenant_id, f"ticket {ticket.code}", by, at, detail)


def tie_asset(article: Article, asset: Asset, *, by: Actor, at: datetime) -> None:
    """Say that an asset has a known error; a repeat changes nothing. Raises Invalid, Forbidden."""
    _demand(by, Permission.WORK_TICKETS)
    if article.kind != "known_error":
        raise Invalid("asset", _l("Only known errors are tied to assets."))
    demand_concern(article, asset.tenant_id, field="asset")
    row = insert(ArticleAsset).values(
        tenant_id=asset.tenant_id,
        article_id=article.id,
        asset_id=asset.id,
        tied_by_name=by.name[:120],
        tied_at=at,
    )
    if db.session.scalar(row.on_conflict_do_nothing().returning(ArticleAsset.id)) is not None:
        detail = {"article": str(article.public_id)}
        _audit("asset.known_error_tied", asset.tenant_id, f"asset {asset.public_id}", by, at, detail)


def untie_asset(article: Article, asset: Asset, *, by: Actor, at: datetime) -> None:
    """Say that an asset has a known error no more."""
    _demand(by, Permission.WORK_TICKETS)
    gone = delete(ArticleAsset).where(
        ArticleAsset.tenant_id == asset.tenant_id,
        ArticleAsset.asset_id == asset.id,
        ArticleAsset.article_id == article.id,
    )
    db.session.execute(gone)
    detail = {"article": str(article.public_id)}
    _audit("asset.known_error_untied", asset.tenant_id, f"asset {asset.public_id}", by, at, detail)


def demand_concern(article: Article, tenant_id: int, *, field: str) -> None:
    """Refuse to tie to a client what was chosen for others. Raises Invalid on the field."""
    if not may_concern(article.audience, article.tenant_ids, tenant_id):
        raise Invalid(field, _l("This was written for other clients only."))


def _demand(by: Actor, permission: Permission) -> None:
    if not by.may(permission):
        raise Forbidden


def _audit(
    action: str, tenant_id: int, subject: str, by: Actor, at: datetime, detail: dict[str, str]
) -> None:
    audit.record(action, tenant_id=tenant_id, by=by, object=subject, at=at, detail=detail)
