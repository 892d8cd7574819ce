"""Trying what a form asks for, and saying in the form why it was refused."""

from collections.abc import Callable
from typing import Any

from flask import flash, g, request
from flask_wtf import FlaskForm

from msp.web.errors import refuse_into_form
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid


def acted(form: FlaskForm, act: Callable[[], Any]) -> bool:
    """Whether the form was sent, was in order, and the act was done and committed.

    Else the reasons stand in the form, what was typed is kept, and `form_status()` says which answer fits.
    """
    if request.method != "POST":
        return False
    g.form_status = 422
    if not form.validate_on_submit():
        return False
    try:
        act()
        db.session.commit()
    except Conflict as conflict:
        db.session.rollback()
        g.form_status = 409
        flash(str(conflict.message), "risk")
        return False
    except Invalid as invalid:
        db.session.rollback()
        refuse_into_form(invalid, form)
        return False
    return True


def form_status() -> int:
    """200 for a form to fill in, 422 for one with mistakes, 409 for one that came too late."""
    status: int = g.get("form_status", 200)
    return status
