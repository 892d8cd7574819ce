"""Who watches a ticket."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.desk.around_forms import WatcherForm
from msp.desk.blueprint import bp
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.people.queries import list_granted
from tenants.tickets import queries, watching
from tenants.tickets.models import Ticket


@bp.route("/tickets/<code>/watchers", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def list_watchers(code: str) -> Any:
    """Who watches, and a form to add somebody."""
    ticket, form = queries.find_ticket(code, by=actor()), WatcherForm()
    people: list[Any] = [*queries.list_requesters(ticket.tenant_id), *list_granted(ticket.tenant_id)]
    named = [(str(one.public_id), f"{one.name} · {one.email}") for one in people]
    form.person.choices = options([("", _("Somebody without an account")), *named])
    if acted(form, lambda: _add(ticket, form, people)):
        return _back(ticket, _("Added."))
    page = render_template(
        "desk/list_watchers.html", ticket=ticket, form=form, watchers=watching.list_watchers(ticket)
    )
    return page, form_status()


def _add(ticket: Ticket, form: WatcherForm, people: list[Any]) -> None:
    acting: dict[str, Any] = {"by": actor(), "at": time.now()}
    person = next((one for one in people if str(one.public_id) == form.person.data), None)
    if person is not None:
        watching.watch_as(ticket, person, **acting)
    elif form.email.data:
        watching.watch_by_mail(ticket, form.email.data, **acting)
    else:
        raise Invalid("person", _("Choose a person, or type an e-mail address."))


def _back(ticket: Ticket, said: str) -> Any:
    flash(said, "good")
    return redirect(url_for("desk.list_watchers", code=ticket.code))


@bp.post("/tickets/<code>/watchers/<watcher_id>/remove")
@require(Permission.WORK_TICKETS)
def remove_watcher(code: str, watcher_id: str) -> Any:
    """Take somebody off."""
    ticket = queries.find_ticket(code, by=actor())
    watcher = watching.find_watcher(ticket, watcher_id)
    watching.unwatch(ticket, watcher, by=actor(), at=time.now())
    db.session.commit()
    return _back(ticket, _("%(name)s does not watch any more.", name=watcher.name))


@bp.post("/tickets/<code>/watchers/<watcher_id>/confirm")
@require(Permission.WORK_TICKETS)
def confirm_watcher(code: str, watcher_id: str) -> Any:
    """Let somebody who was on copy of a mail get what is written from now on."""
    ticket = queries.find_ticket(code, by=actor())
    watcher = watching.find_watcher(ticket, watcher_id)
    watching.confirm_watcher(ticket, watcher, by=actor(), at=time.now())
    db.session.commit()
    return _back(ticket, _("%(name)s watches now.", name=watcher.name))
