"""One act upon ticked tickets of the queue: a page says what will happen, another one what did."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import Length, Optional, Regexp

from msp.desk.blueprint import bp
from msp.desk.each import Tried, try_each
from msp.threads.acting import acted, form_status
from msp.threads.choices import category_options
from msp.threads.forms import words
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.errors import Forbidden, Invalid
from tenants.foundation.permissions import Permission
from tenants.people.queries import list_staff
from tenants.tickets import categories, queries, services, watching
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import PRIORITIES, Ticket

MOST = 100
# The right that each act needs is the one of the single verb.
ACTS: dict[str, tuple[Any, Permission]] = {
    "assign": (_l("Assign"), Permission.ASSIGN_TICKETS),
    "priority": (_l("Set the priority"), Permission.SET_PRIORITY),
    "category": (_l("Set the category"), Permission.WORK_TICKETS),
    "watch": (_l("Add a watcher"), Permission.WORK_TICKETS),
    "note": (_l("Add an internal note"), Permission.WORK_TICKETS),
    "resolve": (_l("Resolve"), Permission.WORK_TICKETS),
    "cancel": (_l("Cancel"), Permission.WORK_TICKETS),
}


class BulkForm(FlaskForm):
    """What the chosen act needs; the page shows only that."""

    to = SelectField(_l("Who takes care of them?"), choices=[], validate_choice=True, default="")
    priority = SelectField(_l("Priority"), choices=options((one, one) for one in PRIORITIES), default="P3")
    category = SelectField(_l("Category"), choices=[], validate_choice=True, default="")
    email = StringField(_l("E-mail address"), [Optional(), Length(max=254)])
    reason = words(_l("Why?"), "", longest=2000, required=False)
    note = words(_l("Internal note"), "", longest=LONGEST_BODY, required=False)
    solution = words(_l("What was done?"), "", longest=LONGEST_BODY, required=False)
    key = HiddenField(default=lambda: str(uuid.uuid4()), validators=[Regexp(r"^[0-9a-f-]{36}\Z")])


def acts_for() -> list[tuple[str, Any]]:
    """The acts that somebody may do, with their names."""
    return [(act, label) for act, (label, right) in ACTS.items() if actor().may(right)]


@bp.route("/bulk", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def act_on_many() -> Any:
    """Say what will happen to how many; after that, what was done and what was refused and why."""
    act = request.values.get("act", "")
    if act not in ACTS:
        raise Invalid("act", _("Choose what to do with the tickets."))
    if not actor().may(ACTS[act][1]):
        raise Forbidden
    codes = _codes()
    tickets = queries.list_by_codes(codes, by=actor())
    form = _form(act)
    tried: list[Tried] = []
    if acted(form, lambda: tried.extend(_do(act, tickets, form))):
        found = {one.code for one in tickets}
        tried += [Tried(code, "", _("There is no such ticket.")) for code in codes if code not in found]
        return render_template("desk/bulk_done.html", tried=tried, back_url=url_for("desk.show_queue"))
    page = render_template(
        "desk/act_on_many.html", act=act, label=ACTS[act][0], form=form, codes=codes, tickets=tickets
    )
    return page, form_status()


def _codes() -> list[str]:
    """The ticked codes, each once. Raises Invalid."""
    codes = list(dict.fromkeys(one.strip().upper()[:40] for one in request.values.getlist("codes")))
    if not codes:
        raise Invalid("codes", _("Tick at least one ticket."))
    if len(codes) > MOST:
        raise Invalid("codes", _("Tick at most 100 tickets."))
    return codes


def _form(act: str) -> BulkForm:
    form = BulkForm()
    people = list_staff() if act == "assign" else []
    named = [(str(one.public_id), f"{one.name} ({one.tier})") for one in people if one.tier]
    form.to.choices = options([("", _("Nobody: back into the queue")), *named])
    tree = categories.read_tree()
    form.category.choices = options([("", _("None")), *category_options(tree)])
    return form


def _do(act: str, tickets: Sequence[Ticket], form: BulkForm) -> list[Tried]:
    return try_each(tickets, _VERBS[act](form))


Act = Callable[[Ticket], Any]


def _assign(form: BulkForm) -> Act:
    person = next((one for one in list_staff() if str(one.public_id) == form.to.data), None)
    to, at = (person.user_id if person else None), time.now()
    return lambda ticket: services.assign_ticket(ticket, to_user_id=to, by=actor(), at=at)


def _weigh(form: BulkForm) -> Act:
    priority, reason, at = form.priority.data, _asked(form, "reason"), time.now()
    return lambda ticket: services.set_priority(ticket, priority=priority, reason=reason, by=actor(), at=at)


def _categorise(form: BulkForm) -> Act:
    place, at = categories.read_tree().named(form.category.data or ""), time.now()
    category = place.category if place else None
    return lambda ticket: services.categorise(ticket, category, by=actor(), at=at)


def _watch(form: BulkForm) -> Act:
    email, at = _asked(form, "email"), time.now()
    return lambda ticket: watching.watch_by_mail(ticket, email, by=actor(), at=at)


def _note(form: BulkForm) -> Act:
    body, key, at = _asked(form, "note"), form.key.data, time.now()
    return lambda ticket: services.add_message(
        ticket, body=body, kind="internal", by=actor(), at=at, request_key=f"{key}-{ticket.id}"
    )


def _resolve(form: BulkForm) -> Act:
    solution, at = _asked(form, "solution"), time.now()
    return lambda ticket: services.resolve_ticket(ticket, solution=solution, by=actor(), at=at)


def _cancel(form: BulkForm) -> Act:
    reason, at = _asked(form, "reason"), time.now()
    return lambda ticket: services.cancel_ticket(ticket, reason=reason, by=actor(), at=at)


def _asked(form: BulkForm, name: str) -> str:
    words_ = (form[name].data or "").strip()
    if not words_:
        raise Invalid(name, _("This is needed."))
    return words_


_VERBS: dict[str, Callable[[BulkForm], Act]] = {
    "assign": _assign,
    "priority": _weigh,
    "category": _categorise,
    "watch": _watch,
    "note": _note,
    "resolve": _resolve,
    "cancel": _cancel,
}
