"""The chat on a client's website: a script, a page inside a frame, and a visitor's conversation without any cookie."""

from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for

from msp.intake.chats import doors, ending, presence, queries, services
from msp.intake.chats.forms import StartForm, VisitorLineForm
from msp.intake.chats.live import address
from msp.intake.chats.models import Chat
from msp.web.access import credential, public
from msp.web.assets import STATIC
from msp.web.errors import refuse_into_form
from msp.web.languages import reader_language
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, TooMany
from tenants.people import limits

bp = Blueprint("chats", __name__, url_prefix="/chat")


@bp.get("/embed.js")
@public("a script for clients' websites, the same for everybody; reads no cookie")
def show_script() -> Response:
    """The script that puts a button and a frame onto a page of a client's website."""
    script = (STATIC / "js" / "embed.js").read_bytes()
    answer = Response(script, content_type="text/javascript; charset=utf-8")
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.get("/<key>/example")
@credential("website")
def show_example(key: str) -> Any:
    """A page that looks like a client's website with the chat in it."""
    answer = current_app.make_response(render_template("chats/show_example.html", key=key))
    answer.headers["Content-Security-Policy"] = current_app.config["CSP"] + "; frame-src 'self'"
    return answer


@bp.route("/<key>", methods=["GET", "POST"])
@credential("website")
def start_chat(key: str) -> Any:
    """Say who one is and what it is about; without anybody there it becomes a message."""
    form = StartForm()
    is_there = presence.is_somebody_there(g.door.tenant_id, at=time.now())
    if form.validate_on_submit():
        chat = _begin(form, is_there=is_there)
        if chat is not None:
            return _to(chat)
    page = render_template(
        "chats/start_chat.html", form=form, key=key, is_there=is_there, visitors_url=request.path
    )
    return _framed(page, g.get("form_status", 422) if form.errors else 200)


def _begin(form: StartForm, *, is_there: bool) -> Chat | None:
    at = time.now()
    if not _counted(services.BEGINNINGS, limits.source_of(request.remote_addr), form):
        return None
    if not _counted(services.ADDRESSES, (form.email.data or "").lower(), form):
        return None
    start = services.Start(
        channel="website",
        name=form.name.data or "",
        email=form.email.data,
        language=reader_language(),
        request_key=form.request_key.data,
    )
    try:
        chat = services.begin_chat(g.door.tenant_id, start, form.body.data or "", at=at)
        if not is_there:
            ending.end_as_ticket(chat, by=doors.visitor_of(chat), at=at)
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return None
    return chat


def _counted(limit: limits.Limit, of: str, form: VisitorLineForm) -> bool:
    """Within the limit; else it is said in the frame, where an error's page would not be shown."""
    try:
        limits.take_at_once(limit, of, at=time.now())
    except TooMany as refused:
        form.body.errors = [str(refused.message)]
        g.form_status = refused.http_status
        return False
    return True


def _to(chat: Chat) -> Any:
    return redirect(url_for("chats.show_chat", key=g.door.key, token=doors.token_of(g.door, chat)), 303)


@bp.route("/<key>/<token>", methods=["GET", "POST"])
@credential("visitor")
def show_chat(key: str, token: str) -> Any:
    """The visitor's conversation, and saying something in it."""
    chat, form, status = doors.visited_chat(), VisitorLineForm(), 200
    if form.is_submitted():
        status = _say(chat, form) if form.validate() else 422
        if status == 200:
            return _to(chat)
    page = render_template(
        "chats/show_chat.html",
        chat=chat,
        lines=queries.list_lines(chat),
        form=form,
        key=key,
        token=token,
        visitors_url=request.path,
        too_late=status == 409,
        ticket=ending.ticket_of(chat),
        stream=address(f"visitors/{key}/{token}") if chat.state != "ended" else "",
        version=queries.version_of(chat) if chat.state != "ended" else "",
    )
    return _framed(page, status)


def _say(chat: Chat, form: VisitorLineForm) -> int:
    at = time.now()
    if not _counted(services.LINES, f"{chat.tenant_id}/{chat.id}", form):
        return 429
    try:
        services.ask(chat, form.body.data or "", at=at, request_key=form.request_key.data)
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return 422
    except Conflict:
        db.session.rollback()
        return 409
    return 200


def _framed(page: str, status: int) -> Response:
    """The client's own pages may show it in a frame, and nobody else's; its address is told to nobody."""
    answer = current_app.make_response((page, status))
    allowed = " ".join(["frame-ancestors 'self'", *g.door.origins])
    answer.headers["Content-Security-Policy"] = current_app.config["CSP"].replace(
        "frame-ancestors 'none'", allowed
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def install(app: Flask) -> None:
    """Resolve the credentials of websites and visitors; they carry no cookie, so no form token either."""
    app.extensions["credentials"]["website"] = doors.resolve_website
    app.extensions["credentials"]["visitor"] = doors.resolve_visitor
    app.extensions["csrf"].exempt(bp)
