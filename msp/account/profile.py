"""One's own name, language, time zone, password and address."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.forms import AskForm, ChangePasswordForm, EmailForm, ProfileForm
from msp.account.prove import proves_password
from msp.web.access import actor, principal, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.people import accounts, limits, requests
from tenants.people.accounts import find_user
from tenants.people.models import User


@bp.route("/account", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT)
def show_profile() -> Any:
    """Name, language and time zone."""
    with enter(gate()):
        user = find_user(principal().user_id)
        form = ProfileForm(
            data={"name": user.name, "language": user.language or "", "time_zone": user.time_zone or ""}
        )
        if form.validate_on_submit():
            accounts.change_profile(
                user,
                name=form.name.data,
                language=form.language.data or None,
                time_zone=form.time_zone.data or None,
                by=actor(),
                at=time.now(),
            )
            db.session.commit()
            flash(_("Your profile is saved."), "good")
            return redirect(url_for("account.show_profile"))
    return _page("profile", form=form, user=user)


def _page(name: str, *, form: Any, **more: Any) -> Any:
    return render_template(f"account/{name}.html", form=form, **more), 422 if form.errors else 200


@bp.route("/account/password", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT)
def change_password() -> Any:
    """A new password; every other session of the person ends."""
    form = ChangePasswordForm()
    with enter(gate()):
        user = find_user(principal().user_id)
        if form.validate_on_submit() and proves_password(form, user) and _set(user, form):
            flash(_("Your password is changed. Your other sessions were ended."), "good")
            return redirect(url_for("account.show_security"))
    return _page("password", form=form)


def _set(user: User, form: ChangePasswordForm) -> bool:
    try:
        accounts.set_password(
            user,
            form.password.data,
            by=actor(),
            at=time.now(),
            keep_session=principal().session_id,
        )
        requests.tell(user, "password", by=actor(), at=time.now())
    except Invalid as refused:
        refuse_into_form(refused, form)
        return False
    db.session.commit()
    return True


@bp.route("/account/email", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT)
def change_email() -> Any:
    """Ask for another address; it counts once the link that goes there was opened."""
    form = EmailForm()
    with enter(gate()):
        user = find_user(principal().user_id)
        if form.validate_on_submit() and proves_password(form, user) and _ask(user, form):
            flash(_("Open the link that we sent to the new address. Until then the old one counts."), "info")
            return redirect(url_for("account.show_profile"))
    return _page("email", form=form, user=user)


def _ask(user: User, form: EmailForm) -> bool:
    at = time.now()
    limits.take(limits.EMAIL_CHANGE, str(user.id), at=at)
    try:
        requests.begin_email_change(user, form.email.data, by=actor(), at=at)
    except Conflict as refused:
        db.session.rollback()
        form.email.errors = [str(refused.message)]
        return False
    db.session.commit()
    return True


@bp.route("/account/email/<token>", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT)
def confirm_email(token: str) -> Any:
    """The link in the new mailbox, opened by the signed-in owner of the account."""
    form, at = AskForm(), time.now()
    with enter(gate()):
        user = find_user(principal().user_id)
        _link, new_email = requests.open_email_change(token, user, at=at)
        if form.validate_on_submit():
            requests.confirm_email_change(user, token, by=actor(), at=at, keep_session=principal().session_id)
            db.session.commit()
            flash(_("Your address is changed. Use the new one to sign in from now on."), "good")
            return redirect(url_for("account.show_profile"))
    return render_template("account/confirm_email.html", token=token, new_email=new_email)
