"""Draft terms tried out on a client's past: what would have been, beside what was.

A few tickets are replayed at once, and nothing is stored; more become a trial, which `trials` shows.
"""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.faults import MESSAGES
from contracts.statements.models import TermTrial
from contracts.statements.trials import ask_for_trial, find_trial, list_trials
from contracts.statements.what_if import Period, count_cases, replay_tenant
from contracts.terms.document import PAUSE_REASONS, PRIORITIES, TermsInvalid, default_terms, read_terms
from contracts.terms.queries import list_contracts, list_versions
from msp.console.blueprint import bp
from msp.console.trials import answer_words
from msp.console.what_if_form import CLOCKS, WhatIfForm, draft_of, field_of, months_of, values_of
from msp.promises.words import PAUSE_WORDS, TARGET_WORDS
from msp.reports.what_if import Answer, document_of
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant

MOST_AT_ONCE = 1_000
"""Tickets that one request replays; more are for a job."""
MOST = 200_000
"""Tickets that one job replays; more are for the command."""


@bp.route("/tenants/<slug>/what-if", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def try_terms(slug: str) -> Any:
    """Choose months and draft terms; the answer stands above the form, or on a page of its own.

    `?trial=` begins with the draft of a trial.
    """
    tenant = find_tenant(slug)
    earlier = find_trial(tenant.id, request.args["trial"]) if "trial" in request.args else None
    before = earlier.draft if earlier else _latest_terms(tenant)
    months = (earlier.first, earlier.last) if earlier else _last_quarter(tenant)
    form = WhatIfForm(data=None if request.method == "POST" else values_of(before, *months))
    found = _tried(tenant, form, before) if form.validate_on_submit() else None
    if isinstance(found, TermTrial):
        db.session.commit()
        return redirect(url_for("console.show_trial", slug=slug, trial_id=found.public_id))
    page = render_template(
        "console/try_terms.html",
        tenant=tenant,
        form=form,
        priorities=PRIORITIES,
        clocks=CLOCKS,
        weekdays=WEEKDAYS,
        reasons=PAUSE_REASONS,
        target_words=TARGET_WORDS,
        pause_words=PAUSE_WORDS,
        trials=list_trials(tenant.id),
        **answer_words(*(found or (None, None))),
    )
    return page, 422 if form.errors else 200


def _latest_terms(tenant: Tenant) -> dict[str, Any]:
    """Those of the newest contract's latest version; where nothing is promised, the usual ones."""
    contracts = list_contracts(tenant.id)
    return list_versions(contracts[0])[0].terms if contracts else default_terms(tenant.time_zone)


def _last_quarter(tenant: Tenant) -> tuple[date, date]:
    """The three months before the present one."""
    today = time.now().astimezone(ZoneInfo(tenant.time_zone)).date()
    number = today.year * 12 + today.month - 1
    return _month(number - 3), _month(number - 1)


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


Tried = tuple[Answer, dict[str, Any]] | TermTrial


def _tried(tenant: Tenant, form: WhatIfForm, before: dict[str, Any]) -> Tried | None:
    """The answer and the draft, or the trial that will give it; None after each fault was put beside its field."""
    draft = before
    try:
        first, last = months_of(form)
        draft = draft_of(form, before, tenant.time_zone)
        read_terms(draft)
        return _replayed(tenant, draft, first, last)
    except Invalid as refused:
        refuse_into_form(refused, form)
    except TermsInvalid as wrong:
        said = [
            (field_of(one.field, form, draft), _in_words(one, pasted=bool(form.document.data)))
            for one in wrong.faults
        ]
        refuse_into_form(InvalidMany(said), form)
    return None


def _replayed(tenant: Tenant, draft: dict[str, Any], first: date, last: date) -> Tried:
    """At once, or by a job. Raises Invalid for more than a job replays."""
    period = Period.of(first, last, tenant.time_zone, time.now())
    tickets = count_cases(tenant.id, period)
    if tickets > MOST:
        raise Invalid("last", _too_many())
    if tickets > MOST_AT_ONCE:
        return ask_for_trial(tenant.id, draft, first, last, tickets=tickets, by=actor(), at=time.now())
    return Answer.of(document_of(*replay_tenant(tenant.id, draft, period))), draft


def _too_many() -> Any:
    return _l(
        "More than %(count)s tickets: choose fewer months, or run flask sla what-if, which takes any number.",
        count=MOST,
    )


def _in_words(fault: Any, *, pasted: bool) -> str:
    said = _(MESSAGES[fault.code]).format(**fault.values)
    return f"{fault.field}: {said}" if pasted else said
