"""A ticket's checklist: adding, ticking, taking back."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, url_for
from flask_babel import gettext as _

from msp.desk.around_forms import ChecklistForm
from msp.desk.blueprint import bp
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tickets import checklists, queries
from tenants.tickets.models import Ticket


@bp.route("/tickets/<code>/checklist", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def edit_checklist(code: str) -> Any:
    """The list with what is done, and a form to add to it."""
    ticket, form = queries.find_ticket(code, by=actor()), ChecklistForm()
    templates = checklists.list_templates()
    named = [(str(one.public_id), f"{one.name} ({len(one.lines)})") for one in templates]
    form.template.choices = options([("", _("None")), *named])
    if acted(form, lambda: _add(ticket, form)):
        return _back(ticket)
    page = render_template(
        "desk/edit_checklist.html", ticket=ticket, form=form, items=checklists.list_items(ticket)
    )
    return page, form_status()


def _add(ticket: Ticket, form: ChecklistForm) -> None:
    lines = (form.what.data or "").splitlines()
    if form.template.data:
        lines = [*checklists.find_template(form.template.data).lines, *lines]
    checklists.add_items(ticket, lines, by=actor(), at=time.now())


def _back(ticket: Ticket) -> Any:
    return redirect(url_for("desk.edit_checklist", code=ticket.code))


@bp.post("/tickets/<code>/checklist/<item_id>/tick")
@require(Permission.WORK_TICKETS)
def tick_item(code: str, item_id: str) -> Any:
    """It is done."""
    return _mark(code, item_id, checklists.tick_item)


@bp.post("/tickets/<code>/checklist/<item_id>/reopen")
@require(Permission.WORK_TICKETS)
def reopen_item(code: str, item_id: str) -> Any:
    """It is not done after all."""
    return _mark(code, item_id, checklists.reopen_item)


def _mark(code: str, item_id: str, act: Callable[..., None]) -> Any:
    ticket = queries.find_ticket(code, by=actor())
    act(ticket, checklists.find_item(ticket, item_id), by=actor(), at=time.now())
    db.session.commit()
    return _back(ticket)
