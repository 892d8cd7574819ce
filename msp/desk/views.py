"""Saved views of the queue: one's own, one of them first, and those that managers share."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, Length

from msp.desk.blueprint import bp
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_tenant_names
from tenants.tickets import views
from tenants.tickets.category_models import QueueView


class ViewForm(FlaskForm):
    """A name for what the queue shows now."""

    name = StringField(
        _l("Name"),
        [
            DataRequired(_l("Write a name of at most 60 characters.")),
            Length(max=60, message=_l("Write a name of at most 60 characters.")),
        ],
    )
    is_home = BooleanField(_l("Show it first when I open the queue"))
    is_shared = BooleanField(_l("Share it with all colleagues"))


def address_of(view: QueueView) -> str:
    """The queue as a view shows it."""
    return f"{url_for('desk.show_queue')}?{urlencode({**view.filters, 'view': view.public_id})}"


def offered_views(found: Sequence[QueueView], tenants: list[str]) -> list[QueueView]:
    """The views that somebody is offered; a shared one about a client that one does not know is left out."""
    return [one for one in found if one.filters.get("tenant") is None or one.filters["tenant"] in tenants]


@bp.route("/views", methods=["GET", "POST"])
@require(Permission.VIEW_DESK)
def list_views() -> Any:
    """One's views, and a form that keeps what the address says under a name."""
    form = ViewForm()
    filters = {name: request.args[name] for name in views.KEPT if request.args.get(name)}
    if acted(form, lambda: _save(form, filters)):
        flash(_("The view is saved."), "good")
        return redirect(url_for("desk.list_views"))
    known = offered_views(views.list_views(by=actor()), [one.slug for one in list_tenant_names()])
    page = render_template(
        "desk/list_views.html", form=form, filters=filters, views=known, address_of=address_of
    )
    return page, form_status()


def _save(form: ViewForm, filters: dict[str, str]) -> None:
    views.save_view(
        name=form.name.data or "",
        filters=filters,
        is_shared=form.is_shared.data,
        is_home=form.is_home.data,
        by=actor(),
        at=time.now(),
    )


@bp.post("/views/<view_id>/home")
@require(Permission.VIEW_DESK)
def make_home(view_id: str) -> Any:
    """Show it first from now on; what is first already, no more."""
    view = views.find_view(view_id, by=actor())
    views.make_home(None if view.is_home else view, by=actor())
    db.session.commit()
    return redirect(url_for("desk.list_views"))


@bp.post("/views/<view_id>/remove")
@require(Permission.VIEW_DESK)
def remove_view(view_id: str) -> Any:
    """Forget it."""
    view = views.find_view(view_id, by=actor())
    views.remove_view(view, by=actor(), at=time.now())
    db.session.commit()
    flash(_("%(name)s is removed.", name=view.name), "good")
    return redirect(url_for("desk.list_views"))
