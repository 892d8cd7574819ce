"""The second factor at the door: passing it, or setting it up where it is required and missing."""

from typing import Any

import segno
from flask import current_app, make_response, redirect, render_template, request

from msp.account.blueprint import bp
from msp.account.devices import known_device, remember_device
from msp.account.following import home, safe_next
from msp.account.forms import CodeForm
from msp.account.sign_in import begin, end_present_session
from msp.web.access import actor, principal, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.people import limits, rules
from tenants.people import second_factor as factor
from tenants.people.accounts import find_user, user_object


@bp.route("/sign-in/second-factor", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT, any_factor=True)
def second_factor() -> Any:
    """Ask for the code where a factor is set; else help to set one up."""
    me = principal()
    following = safe_next(request.values.get("next"))
    if me.has_second_factor and me.second_factor_passed:
        return redirect(following or home())
    form = CodeForm(data={"next": following or ""})
    form.next.data = following or ""
    with enter(gate()):
        return _pass(form, following) if me.has_second_factor else _set_up(form, following)


def _pass(form: CodeForm, following: str | None) -> Any:
    if not form.validate_on_submit():
        return render_template("account/second_factor.html", form=form), 422 if form.errors else 200
    me, at = principal(), time.now()
    device = known_device(me.email)
    count_for = device or str(me.user_id)
    limits.take(limits.SECOND_FACTOR, count_for, at=at)
    db.session.commit()
    user = find_user(me.user_id)
    try:
        factor.pass_second_factor(user, form.code.data, by=actor(), at=at)
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return render_template("account/second_factor.html", form=form), 422
    limits.give_back(limits.SECOND_FACTOR, count_for, at=at)
    end_present_session(at)
    begin(user.id, at=at, by=actor(), subject=user_object(user), second_factor=True)
    return remember_device(make_response(redirect(following or home())), user.email)


def _set_up(form: CodeForm, following: str | None) -> Any:
    user = find_user(principal().user_id)
    if request.method == "POST" and request.form.get("step") == "begin":
        factor.begin_set_up(user)
        db.session.commit()
    elif form.validate_on_submit():
        try:
            return _confirm(form, following)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
    secret = factor.secret_of(find_user(user.id))
    page = render_template(
        "account/set_up_second_factor.html",
        form=form,
        is_required=_is_required(),
        **_shown(secret, user.email),
    )
    return page, 422 if form.errors else 200


def _is_required() -> bool:
    """Staff of a real installation have no choice."""
    return actor().is_staff and not current_app.extensions["settings"].demo


def _confirm(form: CodeForm, following: str | None) -> Any:
    user, at = find_user(principal().user_id), time.now()
    limits.take(limits.SECOND_FACTOR, str(user.id), at=at)
    db.session.commit()
    codes = factor.confirm_set_up(user, form.code.data, by=actor(), at=at)
    end_present_session(at)
    begin(user.id, at=at, by=actor(), subject=user_object(user), second_factor=True)
    page = render_template("account/recovery_codes.html", codes=codes, onward=following or home())
    return remember_device(make_response(page), user.email)


def _shown(secret: bytes | None, email: str) -> dict[str, Any]:
    """The picture and the words of a secret that waits for its first code."""
    if secret is None:
        return {"picture": None, "words": None}
    uri = rules.provisioning_uri(
        secret, account=email, issuer=current_app.extensions["settings"].provider_name
    )
    words = rules.secret_words(secret)
    grouped = " ".join(words[start : start + 4] for start in range(0, len(words), 4))
    return {
        "picture": segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
        "words": grouped,
    }
