"""Talking to the desk from the portal."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.intake.chats import ending, presence, queries, services
from msp.intake.chats.forms import LineForm
from msp.intake.chats.live import address
from msp.intake.chats.models import Chat
from msp.portal.blueprint import bp
from msp.threads.acting import acted, form_status
from msp.web import navigation
from msp.web.access import actor, principal, require, tenant
from msp.web.languages import reader_language
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.people import limits

PLACE = navigation.Place(
    _l("Chat"), "portal.start_chat", "chat-dots", Permission.OPEN_OWN_TICKETS, staff=False, order=25
)


@bp.route("/chat", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def start_chat() -> Any:
    """Begin a conversation; where nobody is there, leave a message that becomes a ticket."""
    company, form = tenant(), LineForm()
    is_there = presence.is_somebody_there(company, at=time.now())
    begun: list[Chat] = []
    if acted(form, lambda: begun.append(_begin(company, form, is_there=is_there))):
        ticket = ending.ticket_of(begun[0])
        if ticket is None:
            return redirect(url_for("portal.show_chat", chat=begun[0].public_id))
        flash(_("Thank you. Your ticket is %(code)s; we answer here and by mail.", code=ticket.code), "good")
        return redirect(url_for("portal.show_ticket", code=ticket.code))
    page = render_template(
        "portal/start_chat.html",
        form=form,
        is_there=is_there,
        chats=queries.list_own(company, by=actor()),
    )
    return page, form_status()


def _begin(company: int, form: LineForm, *, is_there: bool) -> Chat:
    at, who = time.now(), actor()
    limits.take_at_once(services.BEGINNINGS, f"person {who.id}", at=at)
    start = services.Start(
        channel="chat",
        name=who.name,
        email=principal().email,
        user_id=who.id,
        language=reader_language(),
        request_key=form.request_key.data,
    )
    chat = services.begin_chat(company, start, form.body.data or "", at=at)
    if not is_there:
        ending.end_as_ticket(chat, by=who, at=at)
    return chat


@bp.route("/chat/<chat>", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def show_chat(chat: str) -> Any:
    """One's own conversation, and saying something in it."""
    found, form = queries.find_chat(chat, by=actor()), LineForm()
    if acted(form, lambda: _ask(found, form)):
        return redirect(url_for("portal.show_chat", chat=chat))
    is_open = found.state != "ended"
    page = render_template(
        "portal/show_chat.html",
        chat=found,
        lines=queries.list_lines(found),
        form=form,
        ticket=ending.ticket_of(found),
        stream=address(f"portal/chats/{chat}") if is_open else "",
        version=queries.version_of(found) if is_open else "",
    )
    return page, form_status()


def _ask(chat: Chat, form: LineForm) -> None:
    at = time.now()
    limits.take_at_once(services.LINES, f"{chat.tenant_id}/{chat.id}", at=at)
    services.ask(chat, form.body.data or "", at=at, request_key=form.request_key.data)
