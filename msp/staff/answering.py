"""The steps that staff's pages share: try an act, commit it once, and put refusals into the form."""

from collections.abc import Callable
from typing import Any

from flask import flash, g, redirect, request
from flask_wtf import FlaskForm

from msp.web.errors import refuse_into_form
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid


def acted(form: FlaskForm, act: Callable[[], Any]) -> bool:
    """Whether the form was sent, was in order, and the act was done and committed; else the reasons stand in it."""
    if request.method != "POST":
        return False
    g.form_status = 422
    if not form.validate_on_submit():
        return False
    try:
        act()
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        refuse_into_form(invalid, form)
        return False
    return True


def status() -> int:
    """200 for a form to fill in, 422 for one with mistakes."""
    found: int = g.get("form_status", 200)
    return found


def back(said: str, address: str) -> Any:
    """To a page, saying what was done."""
    flash(said, "good")
    return redirect(address)
