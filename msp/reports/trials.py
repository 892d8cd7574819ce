"""Replaying draft terms in the background, while somebody watches or comes back later."""

from contracts.statements import trials
from contracts.statements.models import TermTrial
from contracts.statements.what_if import Period, replay_tenant
from msp.background.jobs import job
from msp.background.progress import ticker
from msp.reports.what_if import document_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Claimed
from tenants.tenancy.queries import find_tenant_by_id

MOST_TRIES = 3


class Stopped(Exception):
    """Nobody waits for it any more."""


@job(trials.REPLAY)
def replay_terms(claimed: Claimed) -> None:
    """Replay once; cancelled or forgotten meanwhile it ends within a second, and nothing is kept."""
    trial = _begin(claimed)
    if trial is None:
        return
    try:
        _replay(claimed, trial)
    except Stopped:
        return
    except Exception:
        if claimed.attempts >= MOST_TRIES:
            _give_up(claimed, trial.id)
        raise


@job(trials.FORGET)
def forget_trial(claimed: Claimed) -> None:
    """The week is over."""
    trials.forget_trial(int(claimed.arguments["trial"]))


def _begin(claimed: Claimed) -> TermTrial | None:
    with enter(of_tenant(claimed.tenant_id)):
        trial = trials.begin_trial(int(claimed.arguments["trial"]))
        db.session.commit()
    return trial


def _replay(claimed: Claimed, trial: TermTrial) -> None:
    def show(done: int) -> None:
        if not trials.note_progress(trial.id, done):
            raise Stopped

    zone = find_tenant_by_id(claimed.tenant_id).time_zone
    period = Period.of(trial.first, trial.last, zone, trial.asked_at)
    outcome, given, currency = replay_tenant(claimed.tenant_id, trial.draft, period, ticker(claimed, show))
    document = document_of(outcome, given, currency)
    trials.finish_trial(trial.id, document, tickets=outcome.tickets, at=time.now())


def _give_up(claimed: Claimed, trial_id: int) -> None:
    with enter(of_tenant(claimed.tenant_id)):
        trials.fail_trial(trial_id, at=time.now())
        db.session.commit()
