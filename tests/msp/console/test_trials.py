"""Replays that are too large for a request: made by a job, watched, stopped, found again and forgotten."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from contracts.statements import trials
from contracts.statements.models import TermTrial
from contracts.terms.document import default_terms
from msp.background import progress
from msp.background.runner import run_claimed
from msp.reports import trials as jobs
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import Work
from tenants.tickets import services
from tests.msp.reports.test_what_if import FORM, NOW, PAGE
from tests.tickets import later, leo, open_in_scope, tina

HOURS = (1, 5, 30)


@pytest.fixture
def codes(app, within, cast):
    """Tickets of March that were solved after so many hours; no mail about them is left to be sent."""
    with within("acme"):
        found = []
        for number, hours in enumerate(HOURS):
            begun = later(days=number * 7)
            ticket = open_in_scope(cast, tina(cast), at=begun)
            services.add_message(ticket, body="Hello.", by=tina(cast), at=begun + timedelta(minutes=30))
            services.resolve_ticket(ticket, solution="", by=leo(cast), at=begun + timedelta(hours=hours))
            found.append(ticket.code)
        db.session.commit()
    with app.app_context(), enter(sweeper()):
        db.session.execute(update(Work).values(state="done"))
        db.session.commit()
    return found


@pytest.fixture
def many(monkeypatch):
    """Three tickets are many here."""
    monkeypatch.setattr("msp.console.what_if.MOST_AT_ONCE", len(HOURS) - 1)


@pytest.fixture
def ask(sign_in, codes, many):
    """Post the form as somebody; the page that it leads to."""

    def ask(name="Mia", **changes):
        with time.frozen(NOW):
            answer = sign_in(name).post(PAGE, data=FORM | changes)
        assert answer.status_code == 302, answer.text
        return answer.location

    return ask


def _run(app, at=NOW, kind=trials.REPLAY):
    """Work of one kind: for the database, which keeps its own time, what ends a week later is due as well."""
    with app.app_context(), time.frozen(at):
        with enter(sweeper()):
            asked = select(Work.tenant_id, Work.id).where(Work.kind == kind, Work.state == "due")
            due = db.session.execute(asked).all()
        return sum(run_claimed(*one) for one in due)


def _trials(within):
    with within("acme"):
        return list(db.session.scalars(select(TermTrial).order_by(TermTrial.id)))


def _make_due(app, kind):
    with app.app_context(), enter(sweeper()):
        db.session.execute(update(Work).where(Work.kind == kind).values(state="due", due_at=func.now()))
        db.session.commit()


def test_a_large_replay_is_a_job_with_the_answer_that_a_small_one_gives(
    app, sign_in, ask, monkeypatch, codes
):
    manager, page = sign_in("Mia"), ask()
    waiting = manager.get(page).text
    assert "0 of 3" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert _run(app) == 1
    done = manager.get(page).text
    assert 'http-equiv="refresh"' not in done
    assert "hx-get" not in done.partition('id="trial"')[2].partition(">")[0]
    monkeypatch.setattr("msp.console.what_if.MOST_AT_ONCE", len(HOURS))
    with time.frozen(NOW):
        at_once = manager.post(PAGE, data=FORM).text
    assert codes[1] in done
    assert _answer(done) == _answer(at_once)


def _answer(page):
    return page.partition('id="answer"')[2].partition("<details>")[0].split("</section>")[0]


def test_how_far_it_is_shows_while_it_runs(app, sign_in, ask, within, monkeypatch):
    monkeypatch.setattr(progress, "SHOWN_EVERY_SECONDS", 0)
    manager, page = sign_in("Mia"), ask()
    seen = []

    def look(trial_id, done):
        shown = noted(trial_id, done)
        db.session.commit()
        seen.append(manager.get(page).text.partition("progress-count")[2][:20])
        return shown

    noted = trials.note_progress
    monkeypatch.setattr(trials, "note_progress", look)
    _run(app)
    assert [f"{done} of 3" in text for done, text in enumerate(seen, start=1)] == [True] * 3
    assert _trials(within)[0].tickets_done == 3


def test_a_stopped_replay_ends_and_keeps_nothing(app, sign_in, ask, within, monkeypatch):
    monkeypatch.setattr(progress, "SHOWN_EVERY_SECONDS", 0)
    manager, page = sign_in("Mia"), ask()
    told = []

    def stop(trial_id, done):
        told.append(done)
        manager.post(f"{page}/cancel")
        return noted(trial_id, done)

    noted = trials.note_progress
    monkeypatch.setattr(trials, "note_progress", stop)
    assert _run(app) == 1
    assert told == [1]
    (trial,) = _trials(within)
    assert (trial.state, trial.outcome) == ("cancelled", None)
    assert "The replay was stopped" in manager.get(page).text


def test_one_that_was_stopped_before_it_began_does_not_begin(app, sign_in, ask, within):
    manager, page = sign_in("Mia"), ask()
    assert manager.post(f"{page}/cancel").status_code == 302
    _run(app)
    assert [(one.state, one.tickets_done) for one in _trials(within)] == [("cancelled", 0)]


def test_stopping_what_is_done_changes_nothing(app, sign_in, ask, within):
    manager, page = sign_in("Mia"), ask()
    _run(app)
    manager.post(f"{page}/cancel")
    assert [one.state for one in _trials(within)] == ["done"]


def test_the_same_asked_again_is_the_same_while_it_is_under_way(app, ask):
    page = ask()
    assert ask() == page
    assert ask(P2_response="25") != page
    assert ask("Owen") != page
    _run(app)
    assert ask() != page


def test_a_repeat_of_the_job_does_nothing(app, ask, within):
    ask()
    _run(app)
    before = _trials(within)[0]
    _make_due(app, trials.REPLAY)
    _run(app, NOW + timedelta(hours=1))
    assert _trials(within)[0].finished_at == before.finished_at


def test_a_failure_is_tried_again_and_told_at_last(app, sign_in, ask, within, monkeypatch):
    page = ask()

    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(jobs, "replay_tenant", fail)
    for _ in range(jobs.MOST_TRIES):
        assert _trials(within)[0].is_under_way
        _run(app)
        _make_due(app, trials.REPLAY)
    assert _trials(within)[0].state == "failed"
    assert "could not be made" in sign_in("Mia").get(page).text


def test_a_week_later_it_is_forgotten(app, sign_in, ask, within):
    page = ask()
    with app.app_context(), enter(sweeper()):
        due = select(Work.due_at).where(Work.kind == trials.FORGET)
        assert db.session.scalar(due) == NOW + timedelta(days=7)
    _run(app)
    assert _run(app, kind=trials.FORGET) == 1
    assert _trials(within) == []
    assert sign_in("Mia").get(page).status_code == 404
    with app.app_context(), enter(sweeper()):
        left = select(func.count()).select_from(Work).where(Work.state != "done")
        assert db.session.scalar(left) == 0


def test_only_those_with_the_right_see_and_stop_it(sign_in, ask, within):
    page = ask()
    assert sign_in("Owen").get(page).status_code == 200
    for name in ("Tina", "Alice"):
        assert sign_in(name).get(page).status_code == 403
        assert sign_in(name).post(f"{page}/cancel").status_code == 403
    assert sign_in("Mia").get(page.replace("/acme/", "/globex/")).status_code == 404
    assert sign_in("Mia").post(f"{page.replace('/acme/', '/globex/')}/cancel").status_code == 404
    assert sign_in("Mia").get(f"{PAGE}/nothing").status_code == 404
    assert _trials(within)[0].state == "waiting"


def test_its_draft_is_where_the_next_begins(app, sign_in, ask):
    page = ask(P3_resolution="1234")
    manager, again = sign_in("Mia"), f"{PAGE}?trial={page.rpartition('/')[2]}"
    begun = manager.get(again).text
    assert 'value="1234"' in begun
    assert 'value="2026-03"' in begun
    assert page in begun
    assert manager.get(f"{PAGE}?trial=nothing").status_code == 404


def test_more_than_a_job_replays_is_for_the_command(sign_in, codes, monkeypatch, within):
    monkeypatch.setattr("msp.console.what_if.MOST", len(HOURS) - 1)
    with time.frozen(NOW):
        page = sign_in("Mia").post(PAGE, data=FORM)
    assert page.status_code == 422
    assert "flask sla what-if" in page.text
    assert _trials(within) == []


def test_clients_read_no_drafts(within, cast, ask):
    ask()
    assert "permission denied" in _refused(within)


def _refused(within):
    with within("Alice"), pytest.raises(Exception, match="permission denied") as refused:
        db.session.scalars(select(TermTrial)).all()
    return str(refused.value)


def test_a_draft_that_is_a_document_can_be_gone_on_with(sign_in, ask):
    page = ask(document=json.dumps(default_terms("Asia/Jakarta") | {"calendar": "always"}))
    begun = sign_in("Mia").get(f"{PAGE}?trial={page.rpartition('/')[2]}")
    assert begun.status_code == 200
    assert 'name="is_always" type="checkbox" value="y"' in begun.text.replace(" checked", "")
