"""Trials: draft terms that a job replays, with how far it is and what came of it."""

import json
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from contracts.statements.rules import Figure
from contracts.statements.trials import cancel_trial, find_trial
from contracts.statements.what_if import MOST_CHANGES
from msp.console.blueprint import bp
from msp.promises.words import CLOCK_WORDS
from msp.reports.what_if import Answer
from msp.web import charts
from msp.web.access import require
from msp.web.formats import percent
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant


@bp.get("/tenants/<slug>/what-if/<trial_id>")
@require(Permission.MANAGE_CONTRACTS)
def show_trial(slug: str, trial_id: str) -> str:
    """How far it is, or what came of it."""
    tenant = find_tenant(slug)
    trial = find_trial(tenant.id, trial_id)
    answer = Answer.of(trial.outcome) if trial.outcome else None
    return render_template(
        "console/show_trial.html", tenant=tenant, trial=trial, **answer_words(answer, trial.draft)
    )


@bp.post("/tenants/<slug>/what-if/<trial_id>/cancel")
@require(Permission.MANAGE_CONTRACTS)
def cancel_replay(slug: str, trial_id: str) -> Any:
    """Wait for it no longer."""
    trial = find_trial(find_tenant(slug).id, trial_id)
    if trial.is_under_way:
        cancel_trial(trial, at=time.now())
        flash(_("The replay was stopped."), "info")
    db.session.commit()
    return redirect(url_for("console.show_trial", slug=slug, trial_id=trial_id))


def answer_words(answer: Answer | None, draft: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `parts/what_if_answer.html` needs."""
    return {
        "answer": answer,
        "chart": _chart(answer) if answer else None,
        "draft": json.dumps(draft, indent=1),
        "most": MOST_CHANGES,
        "clock_words": CLOCK_WORDS,
        "verdict_words": {"met": _l("met"), "missed": _l("missed"), "none": _l("none due")},
    }


def _chart(answer: Answer) -> Any:
    """Kept shares of each clock, as they were and as they would have been."""
    rows = []
    for was, would in answer.totals:
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
