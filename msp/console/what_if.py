"""Draft terms tried out on a client's past: what would have been, beside what was. Stores nothing."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.faults import MESSAGES
from contracts.statements.rules import Figure
from contracts.statements.what_if import (
    MOST_CHANGES,
    MonthCredit,
    Outcome,
    Period,
    count_cases,
    replay_tenant,
)
from contracts.terms.document import PAUSE_REASONS, PRIORITIES, TermsInvalid, default_terms, read_terms
from contracts.terms.queries import list_contracts, list_versions
from msp.console.blueprint import bp
from msp.console.what_if_form import CLOCKS, WhatIfForm, draft_of, field_of, months_of, values_of
from msp.promises.words import CLOCK_WORDS, PAUSE_WORDS, TARGET_WORDS
from msp.web import charts
from msp.web.access import require
from msp.web.errors import refuse_into_form
from msp.web.formats import percent
from tenants.foundation import time
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant

MOST_AT_ONCE = 5_000
"""Tickets that one request replays; more are for the command."""


@dataclass(frozen=True)
class Result:
    """The outcome as the page shows it."""

    outcome: Outcome
    credits: list[MonthCredit]
    currency: str
    draft: str

    @property
    def totals(self) -> list[tuple[Figure, Figure]]:
        """Was and would of each clock over all priorities."""
        return [pair for pair in self.outcome.figures() if not pair[0].priority]


@bp.route("/tenants/<slug>/what-if", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def try_terms(slug: str) -> Any:
    """Choose months and draft terms; the answer stands above the form."""
    tenant = find_tenant(slug)
    before = _latest_terms(tenant)
    form = WhatIfForm(data=None if request.method == "POST" else values_of(before, *_last_quarter(tenant)))
    result = _tried(tenant, form, before) if form.validate_on_submit() else None
    page = render_template(
        "console/try_terms.html",
        tenant=tenant,
        form=form,
        result=result,
        chart=_chart(result) if result else None,
        most=MOST_CHANGES,
        priorities=PRIORITIES,
        clocks=CLOCKS,
        weekdays=WEEKDAYS,
        reasons=PAUSE_REASONS,
        clock_words=CLOCK_WORDS,
        target_words=TARGET_WORDS,
        pause_words=PAUSE_WORDS,
        verdict_words={"met": _l("met"), "missed": _l("missed"), "none": _l("none due")},
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


def _tried(tenant: Tenant, form: WhatIfForm, before: dict[str, Any]) -> Result | None:
    """The result, or None after each fault was put beside its field."""
    draft = before
    try:
        first, last = months_of(form)
        draft = draft_of(form, before, tenant.time_zone)
        read_terms(draft)
        period = Period.of(first, last, tenant.time_zone, time.now())
        if count_cases(tenant.id, period) > MOST_AT_ONCE:
            raise Invalid("last", _too_many())
        return Result(*replay_tenant(tenant.id, draft, period), json.dumps(draft, indent=1))
    except Invalid as refused:
        refuse_into_form(refused, form)
    except TermsInvalid as wrong:
        said = [
            (field_of(one.field, form, draft), _in_words(one, pasted=bool(form.document.data)))
            for one in wrong.faults
        ]
        refuse_into_form(InvalidMany(said), form)
    return None


def _too_many() -> Any:
    return _l(
        "More than %(count)s tickets: choose fewer months, or run flask sla what-if, which takes any number.",
        count=MOST_AT_ONCE,
    )


def _in_words(fault: Any, *, pasted: bool) -> str:
    said = _(MESSAGES[fault.code]).format(**fault.values)
    return f"{fault.field}: {said}" if pasted else said


def _chart(result: Result) -> Any:
    """Kept shares of each clock, as they were and as they would have been."""
    rows = []
    for was, would in result.totals:
        clock = str(CLOCK_WORDS[was.clock])
        rows += [
            charts.Bar(_("%(clock)s, was", clock=clock), _share(was), _kept(was), "quiet"),
            charts.Bar(_("%(clock)s, would have been", clock=clock), _share(would), _kept(would), "a"),
        ]
    return charts.bars(rows, title=_("Kept targets, was and would have been"), maximum=1)


def _share(figure: Figure) -> float:
    return float(figure.attained or 0)


def _kept(figure: Figure) -> str:
    return _("none due") if figure.attained is None else percent(float(figure.attained))
