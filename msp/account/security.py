"""One's own protection at one glance: second factor, recovery codes and sessions."""

from typing import Any

from flask import flash, redirect, render_template, session, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.forms import ProveForm
from msp.account.prove import proves_password
from msp.account.words import device_words
from msp.web.access import actor, principal, require
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.people import requests, sessions
from tenants.people import second_factor as factor
from tenants.people.accounts import find_user
from tenants.tenancy.queries import as_uuid


@bp.get("/account/security")
@require(Permission.USE_ACCOUNT)
def show_security() -> Any:
    """Password, second factor, recovery codes and sessions."""
    return _page(ProveForm(formdata=None))


def _page(form: ProveForm) -> Any:
    with enter(gate()):
        user = find_user(principal().user_id)
        page = render_template(
            "account/security.html",
            form=form,
            user=user,
            codes_left=factor.count_codes(user.id),
            sessions=sessions.list_sessions(user.id, at=time.now()),
            present_id=principal().session_id,
            device_words=device_words,
        )
    return page, 422 if form.errors else 200


@bp.post("/account/recovery-codes")
@require(Permission.USE_ACCOUNT)
def renew_recovery_codes() -> Any:
    """New recovery codes in place of the old ones; shown once."""
    form = ProveForm()
    with enter(gate()):
        user = find_user(principal().user_id)
        if form.validate_on_submit() and proves_password(form, user):
            codes = factor.renew_codes(user, by=actor(), at=time.now())
            db.session.commit()
            onward = url_for("account.show_security")
            return render_template("account/recovery_codes.html", codes=codes, onward=onward)
    return _page(form)


@bp.post("/account/second-factor/remove")
@require(Permission.USE_ACCOUNT)
def remove_second_factor() -> Any:
    """Take the second factor away, to set up another one; staff have to do so at once."""
    form = ProveForm()
    with enter(gate()):
        user = find_user(principal().user_id)
        if not user.has_second_factor:
            raise Forbidden
        if form.validate_on_submit() and proves_password(form, user):
            factor.remove(user, by=actor(), at=time.now(), reason="own wish")
            requests.tell(user, "second_factor_removed", by=actor(), at=time.now())
            db.session.commit()
            flash(_("Your second factor is removed."), "info")
            return redirect(url_for("account.show_security"))
    return _page(form)


@bp.post("/account/sessions/<public_id>/end")
@require(Permission.USE_ACCOUNT)
def end_session(public_id: str) -> Any:
    """End one of one's own sessions; ending the present one is signing out."""
    me, at = principal(), time.now()
    with enter(gate()):
        ended = sessions.end_own_session(me.user_id, as_uuid(public_id), at=at)
        _audit_end(at, detail={"session": public_id})
        db.session.commit()
    if ended == me.session_id:
        session.clear()
        return redirect(url_for("account.sign_in"))
    flash(_("The session is ended."), "good")
    return redirect(url_for("account.show_security"))


@bp.post("/account/sessions/end-others")
@require(Permission.USE_ACCOUNT)
def end_other_sessions() -> Any:
    """End all of one's own sessions but this one."""
    me, at = principal(), time.now()
    with enter(gate()):
        sessions.end_sessions_of(me.user_id, at=at, except_id=me.session_id)
        _audit_end(at, detail={"session": "all others"})
        db.session.commit()
    flash(_("Your other sessions are ended."), "good")
    return redirect(url_for("account.show_security"))


def _audit_end(at: Any, detail: dict[str, Any]) -> None:
    audit.record(
        "account.session_ended",
        tenant_id=None,
        by=actor(),
        object=f"user:{principal().user_id}",
        at=at,
        detail=detail,
    )
