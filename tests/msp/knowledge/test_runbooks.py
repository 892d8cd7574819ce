"""Runbooks: copied, ticked by people and by what happens, once each, and told in the ticket among staff only."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.background import runner
from msp.knowledge import jobs, runbooks, services
from msp.knowledge.jobs import sweep_seen_assets
from msp.knowledge.models import Article, RunbookRun, RunbookStep
from msp.knowledge.rules import Step
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import Work
from tenants.tickets import queries
from tenants.tickets import services as tickets_services
from tenants.tickets.models import Message
from tests import tickets
from tests.msp.knowledge.conftest import STEPS, runbook
from tests.tickets import MONDAY, later


@pytest.fixture
def slug(write):
    return write(draft=runbook(*STEPS))


@pytest.fixture
def code(app, cast):
    return tickets.opened(app, cast)


def start(code, slug, by, at=MONDAY):
    ticket = queries.find_ticket(code, by=by)
    article = db.session.scalars(select(Article).where(Article.slug == slug)).one()
    return ticket, runbooks.start_runbook(ticket, article, language="en", by=by, at=at)


def notes(ticket):
    asked = select(Message.body).where(Message.ticket_id == ticket.id, Message.via == "runbook")
    return list(db.session.scalars(asked.order_by(Message.id)))


def done(ticket):
    return [
        [one.place for one in view.steps if one.done_at is not None] for view in runbooks.list_runs(ticket)
    ]


def test_steps_are_copied_and_later_versions_change_nothing(within, slug, code):
    with within("Tina") as tina:
        start(code, slug, tina)
        db.session.commit()
    with within("Nadia") as nadia:
        article = db.session.scalars(select(Article).where(Article.slug == slug)).one()
        services.change_article(article, runbook(Step("x", "Another")), by=nadia, at=MONDAY)
        services.publish_article(article, by=nadia, at=MONDAY)
        db.session.commit()
    with within("Tina") as tina:
        (view,) = runbooks.list_runs(queries.find_ticket(code, by=tina))
        assert [one.words for one in view.steps] == [
            "Make the account",
            "Tell the requester",
            "Resolve the ticket",
        ]


def test_a_step_is_ticked_once_and_told_once(within, slug, code):
    with within("Tina") as tina:
        ticket, run = start(code, slug, tina)
        for _twice in range(2):
            runbooks.tick_step(run, ticket, 1, note="Named after the rule", by=tina, at=later(minutes=5))
        assert done(ticket) == [[1]]
        assert notes(ticket) == ["New employee, step 1 of 3 done: Make the account\nNamed after the rule"]
        (view,) = runbooks.list_runs(ticket)
        assert (view.steps[0].done_by_name, view.steps[0].done_at) == ("Tina", later(minutes=5))


def test_clients_see_nothing_of_it(within, slug, code):
    with within("Tina") as tina:
        ticket, run = start(code, slug, tina)
        runbooks.tick_step(run, ticket, 1, note="", by=tina, at=MONDAY)
        db.session.commit()
    with within("Bob") as bob:
        ticket = queries.find_ticket(code, by=bob)
        assert all("New employee" not in one.body for one in queries.list_messages(ticket, by=bob))


def test_steps_tick_themselves_when_it_happens(within, slug, code):
    with within("Tina") as tina:
        ticket, run = start(code, slug, tina)
        tickets_services.take_ticket(ticket, by=tina, at=MONDAY)
        tickets_services.add_message(ticket, body="only for us", kind="internal", by=tina, at=MONDAY)
        assert done(ticket) == [[]]
        tickets_services.add_message(ticket, body="It is under way.", by=tina, at=later(minutes=1))
        assert done(ticket) == [[2]]
        runbooks.tick_step(run, ticket, 1, note="", by=tina, at=later(minutes=2))
        tickets_services.resolve_ticket(ticket, solution="Done.", by=tina, at=later(minutes=3))
        assert done(ticket) == [[1, 2, 3]]
        assert run.finished_at == later(minutes=3)
        assert ticket.state == "resolved"
        db.session.commit()
        (view,) = runbooks.list_runs(ticket)
        assert [one.done_by_name for one in view.steps] == ["Tina", "Portal", "Portal"]


def test_what_a_client_does_ticks_a_moment_later(app, within, write, code):
    slug = write(draft=runbook(Step("Tutup", "Close it", "state:closed")))
    with within("Tina") as tina:
        ticket, _run = start(code, slug, tina)
        tickets_services.take_ticket(ticket, by=tina, at=MONDAY)
        tickets_services.resolve_ticket(ticket, solution="Done.", by=tina, at=MONDAY)
        db.session.commit()
    with within("Bob") as bob:
        tickets_services.close_ticket(queries.find_ticket(code, by=bob), by=bob, at=later(hours=1))
        db.session.commit()
    _work(app)
    with within("Tina") as tina:
        assert done(queries.find_ticket(code, by=tina)) == [[1]]


def _work(app):
    """Run what waits, as the workers do, and once more."""
    with app.app_context(), enter(sweeper()):
        waiting = db.session.execute(select(Work.tenant_id, Work.id).where(Work.kind == "tick_steps")).all()
    assert waiting
    with app.app_context():
        for tenant_id, work_id in [*waiting, *waiting]:
            runner.run_work(tenant_id, work_id)


def test_a_machine_that_calls_again_ticks(app, within, cast, write):
    slug = write(draft=runbook(Step("Nyalakan", "Switch it on", "asset_seen")))
    with within("Tina") as tina:
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
        ticket = tickets.open_in_scope(cast, tina, asset=asset)
        code = ticket.code
        start(code, slug, tina, at=MONDAY)
        db.session.commit()

    def seen(at):
        with within("acme"):
            db.session.execute(update(Asset).where(Asset.name == "acme-pc-1").values(last_seen_at=at))
            db.session.commit()

    seen(MONDAY - timedelta(minutes=1))
    with app.app_context(), time.frozen(later(hours=1)):
        assert sweep_seen_assets() == 0
        seen(later(minutes=10))
        assert sweep_seen_assets() == 1
        assert sweep_seen_assets() == 0
    with within("Tina") as tina:
        assert done(queries.find_ticket(code, by=tina)) == [[1]]


def test_machines_that_never_call_again_hold_up_nobody(app, within, cast, write, monkeypatch):
    """One ticket is looked at in each round, and the first one has no machine."""
    monkeypatch.setattr(jobs, "BATCH", 1)
    slug = write(draft=runbook(Step("Nyalakan", "Switch it on", "asset_seen")))
    codes = []
    with within("Tina") as tina:
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
        for machine in (None, asset):
            codes.append(tickets.open_in_scope(cast, tina, asset=machine).code)
            start(codes[-1], slug, tina, at=MONDAY)
        asset.last_seen_at = later(minutes=10)
        db.session.commit()
    with app.app_context(), time.frozen(later(hours=1)):
        rounds = (sweep_seen_assets() for _round in range(60))
        assert 1 in rounds
    with within("Tina") as tina:
        assert [done(queries.find_ticket(code, by=tina)) for code in codes] == [[[]], [[1]]]


def test_a_step_is_taken_back_and_that_is_told(within, slug, code):
    with within("Tina") as tina:
        ticket, run = start(code, slug, tina)
        runbooks.tick_step(run, ticket, 1, note="", by=tina, at=MONDAY)
        runbooks.take_back_step(run, ticket, 1, by=tina, at=MONDAY)
        runbooks.take_back_step(run, ticket, 1, by=tina, at=MONDAY)
        assert done(ticket) == [[]]
        assert notes(ticket)[1:] == ["New employee: not done after all: Make the account"]


def test_what_is_refused(within, slug, write, code, cast):
    article = write()
    with within("Tina") as tina:
        ticket, run = start(code, slug, tina)
        with pytest.raises(Conflict):
            start(code, slug, tina)
        with pytest.raises(Invalid):
            start(code, article, tina)
        with pytest.raises(NotFound):
            runbooks.tick_step(run, ticket, 9, note="", by=tina, at=MONDAY)
        with pytest.raises(Invalid) as long:
            runbooks.tick_step(run, ticket, 1, note="x" * 501, by=tina, at=MONDAY)
        assert long.value.field == "note"
        with pytest.raises(Forbidden):
            runbooks.tick_step(run, ticket, 1, note="", by=tickets.bob(cast), at=MONDAY)
        tickets_services.cancel_ticket(ticket, reason="", by=tina, at=MONDAY)
        with pytest.raises(Conflict):
            start(code, slug, tina)


def test_runs_of_other_companies_are_not_found(within, slug, app, cast):
    code = tickets.opened(app, cast, slug="globex")
    with within("Leo") as leo:
        _ticket, run = start(code, slug, leo)
        db.session.commit()
        public_id = str(run.public_id)
        assert runbooks.find_run(public_id)[0].run.id == run.id
    with within("Tina"):
        with pytest.raises(NotFound):
            runbooks.find_run(public_id)
        assert db.session.scalars(select(RunbookRun)).all() == []
        assert db.session.scalars(select(RunbookStep)).all() == []
