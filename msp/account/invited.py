"""Accepting an invitation: a newcomer makes an account, somebody who has one signs in with it."""

from datetime import datetime
from typing import Any

from flask import flash, g, make_response, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.devices import remember_device
from msp.account.forms import AcceptForm, AskForm, ProveForm
from msp.account.prove import proves_password
from msp.account.sign_in import begin
from msp.web.access import public
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.people import accounts, invitations
from tenants.people.models import Invitation, User
from tenants.people.principals import by_user_id


@bp.route("/invitations/<token>", methods=["GET", "POST"])
@public("the link proves the mailbox of the person who is invited")
def accept_invitation(token: str) -> Any:
    """Show who invites whom into what, and let the person in."""
    at = time.now()
    invitation = invitations.open_invitation(token, at=at)
    known = accounts.find_by_email(invitation.email)
    if known is not None:
        return _join_with(known, invitation, token, at)
    form = AcceptForm(data={"name": invitation.name})
    if form.validate_on_submit():
        try:
            return _join_anew(form, invitation, at)
        except (Conflict, Invalid) as refused:
            db.session.rollback()
            _show(refused, form)
    return _page(form, invitation, token), 422 if form.errors else 200


def _page(form: Any, invitation: Invitation, token: str, *, how: str = "new") -> str:
    company = invitations.company_of(invitation)
    return render_template(
        "account/invitation.html", form=form, invitation=invitation, company=company, token=token, how=how
    )


def _show(refused: Conflict | Invalid, form: Any) -> None:
    if isinstance(refused, Invalid):
        refuse_into_form(refused, form)
    else:
        form.name.errors = [str(refused.message)]


def _join_anew(form: AcceptForm, invitation: Invitation, at: datetime) -> Any:
    user = accounts.create_user(
        email=invitation.email, name=form.name.data, password=form.password.data, at=at
    )
    by = invitations.accept_invitation(invitation, user, at=at)
    begin(user.id, at=at, by=by, subject=accounts.user_object(user))
    flash(_("Welcome. Your account is ready."), "good")
    return remember_device(make_response(redirect(url_for("account.go_home"))), user.email)


def _join_with(known: User, invitation: Invitation, token: str, at: datetime) -> Any:
    """With the account that has this address, signed in; anybody else is asked to sign in with it first."""
    if by_user_id(known.id) is None:
        return _come_back(known, invitation, token, at)
    form = AskForm()
    present = g.get("principal")
    if present is None or present.user_id != known.id:
        return _page(form, invitation, token, how="sign_in" if present is None else "other_person")
    if not form.validate_on_submit():
        return _page(form, invitation, token, how="known")
    invitations.accept_invitation(invitation, known, at=at)
    db.session.commit()
    flash(_("You belong to %(company)s now.", company=invitations.company_of(invitation).name), "good")
    return redirect(url_for("account.go_home"))


def _come_back(known: User, invitation: Invitation, token: str, at: datetime) -> Any:
    """Somebody whose access ended before cannot sign in; the account's password proves the person."""
    form = ProveForm()
    if not (form.validate_on_submit() and proves_password(form, known)):
        return _page(form, invitation, token, how="come_back"), 422 if form.errors else 200
    invitations.accept_invitation(invitation, known, at=at)
    db.session.commit()
    flash(_("You belong to %(company)s now.", company=invitations.company_of(invitation).name), "good")
    return redirect(url_for("account.sign_in"))
