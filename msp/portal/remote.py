"""A remote session as the client decides on it: allow, decline, take back."""

from typing import Any

from flask import flash, redirect, url_for
from flask_babel import gettext as _

from msp.portal.blueprint import bp
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tickets import queries, remote


@bp.post("/tickets/<code>/remote/<session_id>/allow")
@require(Permission.OPEN_OWN_TICKETS)
def allow_remote(code: str, session_id: str) -> Any:
    """Yes, they may."""
    return _answered(code, session_id, allow=True, said=_("Allowed. You can take it back at any time."))


@bp.post("/tickets/<code>/remote/<session_id>/decline")
@require(Permission.OPEN_OWN_TICKETS)
def decline_remote(code: str, session_id: str) -> Any:
    """No, not now."""
    return _answered(code, session_id, allow=False, said=_("Declined. Nobody works on your machine."))


def _answered(code: str, session_id: str, *, allow: bool, said: str) -> Any:
    ticket = queries.find_ticket(code, by=actor())
    session = remote.find_session(ticket, session_id)
    remote.answer_request(ticket, session, allow=allow, by=actor(), at=time.now())
    db.session.commit()
    flash(said, "good")
    return redirect(url_for("portal.show_ticket", code=ticket.code))


@bp.post("/tickets/<code>/remote/<session_id>/withdraw")
@require(Permission.OPEN_OWN_TICKETS)
def withdraw_remote(code: str, session_id: str) -> Any:
    """The consent is taken back, and the session ends."""
    ticket = queries.find_ticket(code, by=actor())
    session = remote.find_session(ticket, session_id)
    remote.withdraw_consent(ticket, session, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The consent is taken back: the remote session is over."), "good")
    return redirect(url_for("portal.show_ticket", code=ticket.code))
