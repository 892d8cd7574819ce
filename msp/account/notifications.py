"""Which mails one wants."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from msp.account.blueprint import bp
from msp.mail.choices import choose_notices, list_unwanted, notices_for
from msp.web.access import actor, require
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission


@bp.route("/account/notifications", methods=["GET", "POST"])
@require(Permission.USE_ACCOUNT)
def choose_notifications() -> Any:
    """Every kind of mail that reaches this person, each with its tick."""
    if FlaskForm().validate_on_submit():
        choose_notices(request.form.getlist("wanted"), by=actor())
        db.session.commit()
        flash(_("Your choice is saved."), "good")
        return redirect(url_for("account.choose_notifications"))
    notices = notices_for(actor())
    return render_template("account/notifications.html", notices=notices, unwanted=list_unwanted(actor()))
