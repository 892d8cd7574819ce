"""Attachments of tickets: handed out, or kept back until somebody looked at them."""

from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from msp.desk.blueprint import bp
from msp.threads.acting import hand_out
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.words import name_of
from tenants.files.services import release_file as release
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries
from tenants.tickets.attachments import find_file_of


@bp.get("/tickets/<code>/files/<public_id>")
@require(Permission.VIEW_DESK)
def download_file(code: str, public_id: str) -> Response:
    """An attachment, checked against the ticket it hangs on."""
    return hand_out(find_file_of(queries.find_ticket(code, by=actor()), public_id, by=actor()))


@bp.route("/tickets/<code>/files/<public_id>/release", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def release_file(code: str, public_id: str) -> Any:
    """Hand out an attachment that was kept back, after a look at why."""
    ticket = queries.find_ticket(code, by=actor())
    file = find_file_of(ticket, public_id, by=actor())
    form = FlaskForm()
    if acted(form, lambda: release(file, by=actor(), at=time.now())):
        flash(_("%(name)s is handed out now.", name=file.name), "good")
        return redirect(url_for("desk.show_ticket", code=ticket.code))
    why = name_of("danger", file.danger or "unknown")
    return render_template(
        "desk/release_file.html", form=form, ticket=ticket, file=file, why=why
    ), form_status()
