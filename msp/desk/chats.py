"""Chats on the desk: who waits, answering, and how a conversation ends."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import Length

from msp.desk.blueprint import bp
from msp.intake.chats import ending, presence, queries, services
from msp.intake.chats.forms import LineForm
from msp.intake.chats.live import address
from msp.intake.chats.models import Chat
from msp.threads.acting import acted, form_status
from msp.threads.forms import IMPACTS, URGENCIES
from msp.web.access import actor, require
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id, names_of
from tenants.tickets.opening import LONGEST_SUBJECT

ENDINGS = (
    ("ticket", _l("It becomes a ticket")),
    ("appended", _l("It belongs to a ticket that is there")),
    ("none", _l("Nothing is left to do")),
)


class EndChatForm(FlaskForm):
    """How a conversation ends; what the chosen way needs is said by the service."""

    ending = RadioField(_l("How does it end?"), choices=options(ENDINGS), default="ticket")
    subject = StringField(
        _l("Subject of the ticket"),
        [Length(max=LONGEST_SUBJECT, message=_l("Write one line of at most 200 characters."))],
    )
    impact = SelectField(_l("How many are affected?"), choices=options(IMPACTS), default="low")
    urgency = SelectField(_l("How urgent is it?"), choices=options(URGENCIES), default="medium")
    code = StringField(
        _l("Code of the ticket"), [Length(max=30, message=_l("A code looks like ACME-7K3Q-XP4M."))]
    )
    reason = StringField(
        _l("Why is nothing left to do?"),
        [Length(max=300, message=_l("Say in one line why there is nothing left to do."))],
    )


@bp.get("/chats")
@require(Permission.WORK_TICKETS)
def list_chats() -> Any:
    """Who waits, who is answered by whom, and what ended lately."""
    presence.note_presence(actor().id or 0, at=time.now())
    chats, ended = queries.list_open(), queries.list_ended(10)
    return render_template(
        "desk/list_chats.html",
        chats=chats,
        ended=ended,
        tenants=names_of([one.tenant_id for one in (*chats, *ended)]),
        stream=address("chats"),
        version=queries.queue_version(actor().tenants),
    )


@bp.get("/chats/<chat>")
@require(Permission.WORK_TICKETS)
def show_chat(chat: str) -> Any:
    """One conversation."""
    return _page(queries.find_chat(chat, by=actor()), LineForm(formdata=None))


def _page(chat: Chat, form: LineForm) -> Any:
    presence.note_presence(actor().id or 0, at=time.now())
    is_open = chat.state != "ended"
    page = render_template(
        "desk/show_chat.html",
        chat=chat,
        lines=queries.list_lines(chat),
        form=form,
        tenant=find_tenant_by_id(chat.tenant_id),
        ticket=ending.ticket_of(chat),
        stream=address(f"desk/chats/{chat.public_id}") if is_open else "",
        version=queries.version_of(chat) if is_open else "",
    )
    return page, form_status()


@bp.post("/chats/<chat>/lines")
@require(Permission.WORK_TICKETS)
def answer_chat(chat: str) -> Any:
    """Say something; whoever answers first takes it."""
    found, form = queries.find_chat(chat, by=actor()), LineForm()
    said = acted(
        form,
        lambda: services.answer(
            found, form.body.data or "", by=actor(), at=time.now(), request_key=form.request_key.data
        ),
    )
    return redirect(url_for("desk.show_chat", chat=chat)) if said else _page(found, form)


@bp.post("/chats/<chat>/take")
@require(Permission.WORK_TICKETS)
def take_chat(chat: str) -> Any:
    """Take it up, unless a colleague was faster."""
    services.take_chat(queries.find_chat(chat, by=actor()), by=actor(), at=time.now())
    db.session.commit()
    return redirect(url_for("desk.show_chat", chat=chat))


@bp.post("/chats/<chat>/give-back")
@require(Permission.WORK_TICKETS)
def give_back_chat(chat: str) -> Any:
    """Let others answer it."""
    services.give_back_chat(queries.find_chat(chat, by=actor()), by=actor(), at=time.now())
    db.session.commit()
    flash(_("The chat waits for somebody else."), "good")
    return redirect(url_for("desk.list_chats"))


@bp.route("/chats/<chat>/end", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def end_chat(chat: str) -> Any:
    """Say how it ends."""
    found, form = queries.find_chat(chat, by=actor()), EndChatForm()
    if acted(form, lambda: _end(found, form)):
        ticket = ending.ticket_of(found)
        if ticket is None:
            flash(_("The chat has ended."), "good")
            return redirect(url_for("desk.list_chats"))
        flash(_("The chat is in ticket %(code)s.", code=ticket.code), "good")
        return redirect(url_for("desk.show_ticket", code=ticket.code))
    page = render_template(
        "desk/end_chat.html", chat=found, form=form, tenant=find_tenant_by_id(found.tenant_id)
    )
    return page, form_status()


def _end(chat: Chat, form: EndChatForm) -> None:
    at = time.now()
    if form.ending.data == "appended":
        ending.end_on_ticket(chat, form.code.data or "", by=actor(), at=at)
    elif form.ending.data == "none":
        ending.end_without_ticket(chat, form.reason.data or "", by=actor(), at=at)
    else:
        ending.end_as_ticket(
            chat,
            by=actor(),
            at=at,
            subject=form.subject.data or "",
            impact=form.impact.data,
            urgency=form.urgency.data,
        )
