"""Signing in and out: a password, then the second factor where one is set; a fresh session each time."""

from datetime import datetime
from typing import Any

import structlog
from flask import Response, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user

from msp.account.blueprint import bp
from msp.account.devices import known_device, remember_device
from msp.account.following import home, safe_next
from msp.account.forms import SignInForm
from msp.web.access import public
from msp.web.sessions import SignedIn
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people import limits, principals, sessions
from tenants.people.accounts import normal_email, prove_password, user_object
from tenants.people.models import User
from tenants.people.principals import Principal

log = structlog.get_logger()


@bp.get("/")
@public("leads everybody to the page that is theirs")
def go_home() -> Any:
    """To the sign-in, or to the person's own first page."""
    return redirect(home())


@bp.route("/sign-in", methods=["GET", "POST"])
@public("this is where a person proves who it is")
def sign_in() -> Any:
    """The form; a right password begins a session, which may still lack the second factor."""
    form = SignInForm(data={"next": safe_next(request.args.get("next")) or ""})
    following = safe_next(form.next.data)
    form.next.data = following or ""
    if request.method == "GET" and g.get("principal") is not None:
        return redirect(following or home())
    if form.validate_on_submit():
        return _try(form, following)
    return render_template("account/sign_in.html", form=form), 422 if form.errors else 200


def _try(form: SignInForm, following: str | None) -> Any:
    at, email = time.now(), form.email.data
    counted = _count(email, at)
    db.session.commit()
    user = prove_password(email, form.password.data)
    if user is None:
        log.info("sign-in refused", source=limits.source_of(request.remote_addr))
        form.password.errors = [_("Address and password do not match an account. Check both and try again.")]
        return render_template("account/sign_in.html", form=form), 401
    for limit, of in counted:
        limits.give_back(limit, of, at=at)
    found = principals.by_user_id(user.id)
    if found is None:
        db.session.commit()
        form.email.errors = [
            _("Your access is closed at present. Ask the person who looks after it in your company.")
        ]
        return render_template("account/sign_in.html", form=form), 403
    return _welcome(user, found, following, at)


def _count(email: str, at: datetime) -> list[tuple[limits.Limit, str]]:
    """Count this try for the account (or for its known device) and for the source."""
    device = known_device(email)
    account = (limits.SIGN_IN_DEVICE, device) if device else (limits.SIGN_IN_ACCOUNT, normal_email(email))
    counted = [account, (limits.SIGN_IN_SOURCE, limits.source_of(request.remote_addr))]
    for limit, of in counted:
        limits.take(limit, of, at=at)
    return counted


def _welcome(user: User, found: Principal, following: str | None, at: datetime) -> Response:
    end_present_session(at)
    begin(user.id, at=at, by=found.actor, subject=user_object(user))
    if found.has_second_factor:
        return make_response(redirect(url_for("account.second_factor", next=following)))
    return remember_device(make_response(redirect(following or url_for("account.go_home"))), user.email)


def begin(user_id: int, *, at: datetime, by: Actor, subject: str, second_factor: bool = False) -> None:
    """A new session in the database and a new one in the browser: nothing from before survives. Commits."""
    token = sessions.begin_session(
        user_id,
        at=at,
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        second_factor=second_factor,
    )
    step = "account.second_factor_passed" if second_factor else "account.signed_in"
    audit.record(step, tenant_id=None, by=by, object=subject, at=at)
    db.session.commit()
    found = principals.by_session(token, at)
    session.clear()
    if found is not None:
        login_user(SignedIn(token, found))


def end_present_session(at: datetime) -> None:
    """Revoke the session that the browser shows, if any."""
    present: Principal | None = g.get("principal")
    if present is not None and present.session_id is not None:
        sessions.end_session(present.session_id, at=at)


@bp.post("/sign-out")
@public("works for everybody, so that nobody is stuck in a half-open session")
def sign_out() -> Any:
    """End the session in the database and in the browser."""
    at = time.now()
    present: Principal | None = g.get("principal")
    with enter(gate()):
        end_present_session(at)
        if present is not None:
            audit.record(
                "account.signed_out",
                tenant_id=None,
                by=present.actor,
                object=f"user:{present.user_id}",
                at=at,
            )
        db.session.commit()
    session.clear()
    return redirect(url_for("account.sign_in"))
