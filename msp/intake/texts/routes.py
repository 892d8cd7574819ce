"""Where the gateway brings texts and tells what became of answers; each request carries its signature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, request

from msp.intake.reception import own_tenant_id
from msp.intake.texts import arriving, gateway, sending
from msp.web import panels
from msp.web.access import credential
from tenants.foundation import time
from tenants.foundation.errors import Forbidden, NotFound, TooMany
from tenants.foundation.scope import Scope, gate
from tenants.people import limits

bp = Blueprint("texts", __name__, url_prefix="/intake/messages")
LARGEST = 256 * 1024
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def resolve_texts() -> Scope:
    """The gateway's credential: the key in the address, then the signature over PUBLIC_URL's address and the form.

    Raises NotFound for another key, Forbidden for another signature. Opens the gate: the tenant is found later.
    """
    key = str((request.view_args or {}).get("key", ""))
    if key != gateway.public_key():
        raise NotFound
    if (request.content_length or 0) > LARGEST:
        raise Forbidden
    path = request.full_path if request.query_string else request.path
    url = current_app.extensions["settings"].public_url + path
    fields = {name: request.form.getlist(name) for name in request.form}
    if not gateway.is_signed(url, fields, request.headers.get("X-Twilio-Signature", "")):
        raise Forbidden
    return gate()


@bp.post("/<key>")
@credential("texts")
def receive_text(key: str) -> Any:
    """A text came; the same again gets the same answer and nothing happens twice."""
    arrived, at = arriving.read_arrived(request.form), time.now()
    arriving.receive_text(own_tenant_id(), arrived, at=at, by_hand=_is_too_much(arrived, at))
    return Response(NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")


def _is_too_much(arrived: arriving.Arrived, at: datetime) -> bool:
    """A gateway brings a text once, so that one too many is kept like any other, and only not placed."""
    try:
        limits.take_at_once(arriving.FROM_NUMBER, arrived.number, at=at)
    except TooMany:
        return True
    return False


@bp.post("/<key>/status")
@credential("texts")
def note_status(key: str) -> Any:
    """The gateway tells what became of an answer."""
    try:
        about = UUID(request.args.get("text", ""))
    except ValueError:
        raise NotFound from None
    told = request.form.get
    sending.note_status(about, told("MessageSid", "")[:64], told("MessageStatus", ""), told("ErrorCode", ""))
    return Response(status=204)


def install(app: Flask) -> None:
    """Resolve the gateway's credential; its requests carry no cookie, so no form token either."""
    app.extensions["credentials"]["texts"] = resolve_texts
    app.extensions["csrf"].exempt(bp)
    panels.add(app, "ticket", sending.build_texts)
