"""Filters of the queue that somebody keeps under a name."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, update

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import as_uuid
from tenants.tickets.category_models import QueueView

# Arguments of the queue's address that a view may keep.
KEPT = (
    "q", "tenant", "state", "tier", "priority", "assignee", "category", "kind", "waiting", "asset", "site", "source",
    "from", "to", "team",
)  # fmt: skip
MOST_VIEWS = 50


def list_views(*, by: Actor) -> Sequence[QueueView]:
    """One's own views and the shared ones, by name."""
    found = select(QueueView).where(or_(QueueView.user_id == by.id, QueueView.user_id.is_(None)))
    return db.session.scalars(
        found.order_by(func.lower(QueueView.name), QueueView.id).limit(2 * MOST_VIEWS)
    ).all()


def find_view(public_id: str, *, by: Actor) -> QueueView:
    """A view of one's own or a shared one. Raises NotFound."""
    found = next((one for one in list_views(by=by) if one.public_id == as_uuid(public_id)), None)
    if found is None:
        raise NotFound
    return found


def home_among(views: Sequence[QueueView], by: Actor) -> QueueView | None:
    """What the queue shows somebody first."""
    return next((one for one in views if one.is_home and one.user_id == by.id), None)


def save_view(
    *, name: str, filters: Mapping[str, str], is_shared: bool, is_home: bool, by: Actor, at: datetime
) -> QueueView:
    """Keep a filter under a name; the same name again replaces it. Raises Invalid, Forbidden, Conflict."""
    if is_shared and not by.may(Permission.MANAGE_DESK):
        raise Forbidden
    title = " ".join(name.split())
    if not 1 <= len(title) <= 60 or not title.isprintable():
        raise Invalid("name", _l("Write a name of at most 60 characters."))
    owner = None if is_shared else by.id
    kept = {one: filters[one][:200] for one in KEPT if filters.get(one)}
    there = db.session.scalars(select(QueueView).where(QueueView.user_id.is_not_distinct_from(owner))).all()
    view = next((one for one in there if one.name == title), None)
    if view is None and len(there) >= MOST_VIEWS:
        raise Conflict(_l("Keep at most 50 views. Remove one first."))
    view = view or QueueView(user_id=owner, name=title, is_home=False, created_at=at)
    view.filters = kept
    db.session.add(view)
    db.session.flush()
    if is_home and not is_shared:
        make_home(view, by=by)
    if is_shared:
        _audit("queue_view.share", view, by, at)
    return view


def make_home(view: QueueView | None, *, by: Actor) -> None:
    """Show a view of one's own first from now on, or none. Raises Forbidden for one that is not one's own."""
    if view is not None and view.user_id != by.id:
        raise Forbidden
    db.session.execute(
        update(QueueView).where(QueueView.user_id == by.id, QueueView.is_home).values(is_home=False)
    )
    if view is not None:
        view.is_home = True
    db.session.flush()


def remove_view(view: QueueView, *, by: Actor, at: datetime) -> None:
    """Forget a view of one's own; shared ones are for managers to remove. Raises Forbidden."""
    if view.user_id is None and not by.may(Permission.MANAGE_DESK):
        raise Forbidden
    if view.user_id is None:
        _audit("queue_view.remove", view, by, at)
    db.session.delete(view)
    db.session.flush()


def _audit(action: str, view: QueueView, by: Actor, at: datetime) -> None:
    where = f"queue view {view.public_id}"
    audit.record(action, tenant_id=None, by=by, object=where, at=at, detail={"name": view.name})
