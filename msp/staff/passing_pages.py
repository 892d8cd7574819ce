"""Leaving a shift, and what others left: the notes from shift to shift."""

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.staff import passing
from msp.staff.blueprint import bp
from msp.staff.forms import LeaveForm
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.paging import asked, cut
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission


@bp.route("/roster/leave", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def leave_shift() -> Any:
    """Write a note for the next shift, and pass one's own open tickets on."""
    form, at = LeaveForm(), time.now()
    tickets = passing.list_own_open(actor())
    if acted(form, lambda: _leave(form, {one.id: one.code for one in tickets})):
        _tell(g.summary)
        return redirect(url_for("staff.show_note", note=g.summary.note.public_id))
    page = render_template(
        "staff/leave_shift.html",
        form=form,
        tickets=tickets,
        takers=passing.list_takers(tickets, by=actor(), at=at),
        chosen=request.form,
    )
    return page, form_status()


def _leave(form: LeaveForm, codes: dict[int, str]) -> None:
    choices = {ticket_id: request.form.get(f"to-{code}", passing.KEEP) for ticket_id, code in codes.items()}
    g.summary = passing.leave_shift(form.body.data or "", choices, by=actor(), at=time.now())


def _tell(summary: passing.Summary) -> None:
    parts = [
        ngettext("%(num)s ticket is passed on.", "%(num)s tickets are passed on.", len(summary.passed)),
        ngettext("%(num)s is back in the queue.", "%(num)s are back in the queue.", len(summary.queued)),
        ngettext("%(num)s stays with you.", "%(num)s stay with you.", summary.note.kept_count),
    ]
    flash(" ".join([_("Your note is there for the next shift."), *parts]), "good")
    for ticket, why in summary.stayed:
        flash(_("%(code)s stays with you: %(why)s", code=ticket.code, why=why), "risk")


@bp.get("/roster/notes")
@require(Permission.VIEW_DESK)
def list_notes() -> Any:
    """What was left from shift to shift, the newest first."""
    after, limit = asked(int)
    rows = passing.list_notes(before=after[0] if after else None, limit=limit)
    return render_template(
        "staff/list_notes.html",
        page=cut(rows, limit, lambda note: [note.id]),
        readers=passing.count_readers(rows),
    )


@bp.get("/roster/notes/<note>")
@require(Permission.VIEW_DESK)
def show_note(note: str) -> Any:
    """One note with its tickets, of the clients that one may see."""
    found = passing.find_note(note)
    return render_template(
        "staff/show_note.html", note=found, lines=passing.tickets_of([found]).get(found.id, [])
    )


@bp.post("/roster/notes/<note>/read")
@require(Permission.VIEW_DESK)
def read_note(note: str) -> Any:
    """It was read."""
    passing.read_note(passing.find_note(note), by=actor(), at=time.now())
    db.session.commit()
    return redirect(url_for("desk.show_queue"))


def build_unread(actor: Actor) -> Panel | None:
    """The desk's home: notes that one has not read yet."""
    notes = passing.list_unread(actor, at=time.now())
    if not notes:
        return None
    return "staff/unread_panel.html", {"notes": notes, "lines_of": passing.tickets_of(notes)}
