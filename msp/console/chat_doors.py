"""The chat on a client's website: open or shut, on which pages, and the line that puts it there."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, TextAreaField
from wtforms.validators import Length

from msp.console.blueprint import bp
from msp.console.tenants import saved
from msp.intake.chats import doors
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant


class DoorForm(FlaskForm):
    """Whether visitors may chat, and from which pages."""

    is_open = BooleanField(_l("Visitors of the client's website may chat"))
    origins = TextAreaField(
        _l("Websites that may show the chat, one address a line"),
        [Length(max=4000, message=_l("This text is too long."))],
    )
    new_key = BooleanField(_l("Make a new key: pages with the old one lose the chat at once"))


@bp.route("/tenants/<slug>/chat", methods=["GET", "POST"])
@require(Permission.MANAGE_TENANTS)
def set_chat_door(slug: str) -> Any:
    """The door of a client's website."""
    tenant = find_tenant(slug)
    if tenant.kind != "client":
        raise NotFound
    door = doors.find_door(tenant.id)
    kept = {"is_open": door is not None and door.is_open, "origins": "\n".join(door.origins) if door else ""}
    form = DoorForm(formdata=request.form if request.method == "POST" else None, data=kept)
    if form.validate_on_submit() and saved(form, lambda: _set(tenant.id, form)):
        flash(_("The chat of %(name)s is saved.", name=tenant.name), "good")
        return redirect(url_for("console.set_chat_door", slug=slug))
    page = render_template(
        "console/set_chat_door.html",
        tenant=tenant,
        door=door,
        form=form,
        portal=current_app.extensions["settings"].public_url,
    )
    return page, 422 if form.errors else 200


def _set(tenant_id: int, form: DoorForm) -> None:
    doors.set_door(
        tenant_id,
        is_open=form.is_open.data,
        origins=form.origins.data or "",
        new_key=form.new_key.data,
        by=actor(),
        at=time.now(),
    )
