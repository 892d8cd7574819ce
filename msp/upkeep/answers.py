"""What pages of plans and of policies answer: the form with the dates that follow from it, and an act that is done."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, redirect, render_template

from msp.web.errors import refuse_into_form
from msp.windows.forms import RecurringForm, dates_of
from msp.windows.rules import Recurring
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.spans import Span

RULE = "rule"


def answer_form(
    form: RecurringForm,
    template: str,
    save: Callable[[Recurring], Any],
    *,
    places: Mapping[str, str] | None = None,
    **shown: Any,
) -> Any:
    """The page of a form whose dates are looked at before `save` is called, which answers for it then.

    `places`: where a service's refusal is shown, if its field is called otherwise on the form.
    """
    dates: list[Span] = []
    if form.validate_on_submit():
        try:
            recurring = form.recurring(time.now())
            dates = dates_of(recurring, time.now())
            if form.is_to_be_saved(recurring):
                return save(recurring)
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(_placed(refused, form, places or {}), form)
    page = render_template(template, form=form, dates=dates, **shown)
    return page, 422 if form.errors else 200


def _placed(refused: Invalid, form: RecurringForm, places: Mapping[str, str]) -> Invalid:
    """The refusal with the names of the form's fields."""
    known = {**places, RULE: RULE if form.repeat.data == RULE else "repeat"}
    return InvalidMany([(known.get(field, field), message) for field, message in refused.errors])


def answer_done(words: str, address: str) -> Any:
    """Keep what was done, say so, and go on there."""
    db.session.commit()
    flash(words, "good")
    return redirect(address)
