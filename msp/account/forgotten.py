"""Back in by mail: a new password, and the lost second factor that a second person lifts."""

from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.devices import remember_device
from msp.account.forms import AskForm, ForgottenForm, NewPasswordForm
from msp.web.access import actor, principal, public, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.foundation.work import request_work
from tenants.people import limits, links, requests
from tenants.people.accounts import find_user, normal_email


@bp.route("/password/forgotten", methods=["GET", "POST"])
@public("a person who forgot the password cannot sign in")
def forget_password() -> Any:
    """Ask for a link. Answer and work are the same for every address: a job looks whether there is an account."""
    form = ForgottenForm()
    if not form.validate_on_submit():
        return render_template("account/forgotten.html", form=form), 422 if form.errors else 200
    email, at = normal_email(form.email.data), time.now()
    limits.take(limits.RESET_ACCOUNT, email, at=at)
    limits.take(limits.RESET_SOURCE, limits.source_of(request.remote_addr), at=at)
    home = requests.own_tenant_id()
    if home is not None:
        request_work("account.begin_password_reset", tenant_id=home, arguments={"email": email}, queue="mail")
    db.session.commit()
    return render_template("account/reset_asked.html")


@bp.route("/password/reset/<token>", methods=["GET", "POST"])
@public("the link proves the mailbox")
def reset_password(token: str) -> Any:
    """Choose a new password by a mailed link."""
    form, at = NewPasswordForm(), time.now()
    link = links.open_link(token, links.PASSWORD_RESET, at=at)
    if form.validate_on_submit():
        try:
            user = requests.reset_password(link, form.password.data, at=at)
            db.session.commit()
            flash(_("Your new password counts from now on. Sign in with it."), "good")
            return remember_device(make_response(redirect(url_for("account.sign_in"))), user.email)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    return render_template("account/reset_password.html", form=form, token=token), 422 if form.errors else 200


@bp.route("/sign-in/second-factor/lost", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT, any_factor=True)
def lose_second_factor() -> Any:
    """Ask a second person to lift the lost second factor."""
    form, at = AskForm(), time.now()
    if not form.validate_on_submit():
        return render_template("account/lost_factor.html", form=form, is_asked=False)
    with enter(gate()):
        user = find_user(principal().user_id)
        limits.take(limits.LOST_FACTOR, str(user.id), at=at)
        requests.ask_to_be_let_in(user, by=actor(), at=at)
        db.session.commit()
    return render_template("account/lost_factor.html", form=form, is_asked=True)


@bp.route("/sign-in/let-in/<token>", methods=["GET", "POST"])
@public("the link goes to the mailbox of a person for whom somebody vouched")
def lift_second_factor(token: str) -> Any:
    """Remove the lost second factor; the person signs in and sets up a new one."""
    form, at = AskForm(), time.now()
    link = links.open_link(token, links.SECOND_FACTOR_RESET, at=at)
    if not form.validate_on_submit():
        return render_template("account/let_in.html", form=form, token=token)
    requests.lift_second_factor(link, at=at)
    db.session.commit()
    if g.get("principal") is not None and g.principal.user_id == link.user_id:
        session.clear()
    flash(_("The lost second factor is removed. Sign in and set up a new one."), "good")
    return redirect(url_for("account.sign_in"))
