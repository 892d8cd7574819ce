"""One ticket on the desk: its story, what may be done with it, and saying something."""

from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, url_for

from msp.desk.blueprint import bp
from msp.desk.composing import filled_reply
from msp.threads.acting import acted, form_status, keep_uploads
from msp.threads.around import awaited_change
from msp.threads.entries import asked_line, tell
from msp.threads.forms import ActForm, StaffMessageForm
from msp.web.access import actor, require
from msp.web.panels import panels
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries, rules, services
from tenants.tickets.attachments import FileOnTicket
from tenants.tickets.hand_overs import list_decided
from tenants.tickets.models import TicketEvent
from tenants.tickets.replies import list_replies
from tenants.tickets.stories import list_merged_messages, read_story


@bp.get("/tickets/<code>")
@require(Permission.VIEW_DESK)
def show_ticket(code: str) -> Any:
    """The ticket with its whole history."""
    return render_ticket(code, StaffMessageForm(formdata=None))


def render_ticket(code: str, form: StaffMessageForm) -> Any:
    """The ticket's page with a composer as it was filled in."""
    view = queries.find_ticket_view(code, by=actor())
    story = read_story(view.ticket, by=actor(), before=asked_line())

    def file_url(file: FileOnTicket) -> str:
        return url_for("desk.download_file", code=view.ticket.code, public_id=file.public_id)

    def release_url(file: FileOnTicket) -> str:
        return url_for("desk.release_file", code=view.ticket.code, public_id=file.public_id)

    page = render_template(
        "desk/show_ticket.html",
        view=view,
        ticket=view.ticket,
        entries=tell(
            story.told,
            view.files,
            audience="staff",
            file_url=file_url,
            release_url=release_url,
            merged=list_merged_messages(view.ticket, story, by=actor()),
        ),
        story=story,
        steps=queries.list_steps(view.ticket, by=actor(), at=time.now()),
        may_decide=view.hand_over is not None and rules.may_hold(actor().tier, view.hand_over.to_tier),
        form=form,
        replies=list_replies(view.tenant.language),
        change=awaited_change(view.ticket),
        passed_before=list_decided(view.ticket) if _was_handed_over(story.lines) else (),
        act=ActForm(formdata=None, rev=str(view.ticket.rev)),
        panels=panels(
            "ticket", ticket=view.ticket, view=view, history=story.lines, said=story.said, staff=True
        ),
    )
    return page, form_status()


def _was_handed_over(lines: Sequence[TicketEvent]) -> bool:
    return any(line.kind == "hand_over_made" for line in lines)


@bp.post("/tickets/<code>/messages")
@require(Permission.WORK_TICKETS)
def add_message(code: str) -> Any:
    """Reply in public, or leave a note."""
    ticket = services.current_of(queries.find_ticket(code, by=actor()))
    form = StaffMessageForm()
    said = acted(
        form,
        lambda: services.add_message(
            ticket,
            body=form.body.data or "",
            kind=form.kind.data,
            by=actor(),
            at=time.now(),
            files=keep_uploads(ticket.tenant_id),
            spoke_with_caller=form.spoke_with_caller.data,
            request_key=form.request_key.data,
        ),
    )
    return redirect(url_for("desk.show_ticket", code=ticket.code)) if said else render_ticket(code, form)


@bp.post("/tickets/<code>/messages/fill")
@require(Permission.WORK_TICKETS)
def fill_message(code: str) -> Any:
    """Put a canned reply after what was typed; nothing is said yet."""
    form = StaffMessageForm()
    typed, reply = (form.body.data or "").rstrip(), filled_reply(code, request.form.get("reply", ""))
    form.body.data = f"{typed}\n\n{reply}" if typed else reply
    return render_ticket(code, form)
