"""Timers by real processes: killing sweepers, running two, and emptying Redis changes no verdict."""

import random
import threading
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from contracts.timers.models import TimerMark
from contracts.timers.queries import read_clocks_of
from msp.background.runner import run_claimed
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Work
from tenants.tickets import services as tickets
from tenants.tickets.queries import list_history
from tests import clockwork
from tests.guarantees.ownportal import own_redis
from tests.guarantees.processes import running, until

desk = clockwork.desk
SEED = 2026
OPEN, RESOLVED = 5, 2
FAULTS = 6


@pytest.fixture
def owed(desk):
    """Tickets of ten days ago whose targets have run out, and some that were resolved eight days ago."""
    always_promised(desk)
    ago = (time.now() - clockwork.MORNING) / timedelta(hours=1) - 240
    held = [desk.open(ago + number / 60) for number in range(OPEN)]
    for ticket in held[::2]:
        desk.assign(ticket, "Leo", ago + 1)
    rested = [desk.open(ago) for _ in range(RESOLVED)]
    for ticket in rested:
        desk.do(ticket, tickets.take_ticket, "Leo", ago + 1)
        desk.do(ticket, tickets.resolve_ticket, "Leo", ago + 48, solution="Done.")
    return held, rested


def always_promised(desk):
    """Terms around the clock from long ago, so that the day on which this runs does not matter."""
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        add_contract(
            desk.tenant_id,
            name="Around the clock",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 1, 1),
            ends_on=None,
            terms={**default_terms("Asia/Jakarta"), "calendar": "always"},
            by=Actor.system("test"),
            at=clockwork.JUNE,
        )
        db.session.commit()


def test_no_fault_loses_or_doubles_a_warning_a_miss_or_a_closing(app, desk, owed):
    held, rested = owed
    chance = random.Random(SEED)
    with own_redis(app), running(app, ("sweeper",), ("sweeper",)) as sweepers:
        for _ in range(FAULTS):
            threading.Event().wait(chance.uniform(0.5, 2.0))
            app.extensions["redis"].flushall()
            chance.choice(sweepers).kill()
            for one in sweepers:
                one.keep()
        assert until(lambda: is_recorded(desk, held, rested), seconds=120)
    for _ in range(2):
        work_twice(app, desk)
    for ticket in held:
        assert recorded(desk, ticket) == said_by_the_clock(desk, ticket)
    told = Counter((one.to_address, one.key) for one in desk.mails() if one.template.startswith("timer"))
    assert set(told.values()) == {1}
    assert {key.rpartition(":")[0] for _address, key in told} == missed_marks(desk)
    closings = [[line.kind for line in desk.history(ticket)].count("closed") for ticket in rested]
    assert closings == [1] * RESOLVED


def is_recorded(desk, held, rested):
    """Everything that is owed was recorded, and asked for."""
    marked = all(recorded(desk, one) == said_by_the_clock(desk, one) for one in held)
    return marked and len(desk.rows(select(Work.id).where(Work.kind == "close_rested"))) == len(rested)


def work_twice(app, desk):
    """The workers' part, in this process; the second time all of it is done already.

    Marks come first: nobody is told of a ticket that is closed by then.
    """
    asked = Work.kind.in_(("act_on_mark", "close_rested"))
    desk.act(update(Work).where(asked).values(state="due", lease_until=None))
    with app.app_context():
        for work_id in desk.rows(select(Work.id).where(asked).order_by(Work.kind, Work.id)):
            assert run_claimed(desk.tenant_id, work_id)


def recorded(desk, ticket):
    """What was recorded of a ticket, each as often as it was."""
    rows = desk.rows(select(TimerMark).where(TimerMark.ticket_id == ticket))
    return Counter((one.clock, one.cycle, one.mark, one.percent, one.at) for one in rows)


def said_by_the_clock(desk, ticket):
    """What the clock says of it now, by itself."""
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        readings = read_clocks_of(desk.ticket(ticket), list_history(ticket), time.now())
    warned = [
        (one.kind, one.cycle, "warning", w.percent, w.at) for one in readings for w in one.verdict.warnings
    ]
    decided = [(one.kind, one.cycle, d.state, 0, d.at) for one in readings for d in one.decisions]
    return Counter(warned + decided)


def missed_marks(desk):
    """The keys of mails about misses: a warning that comes after its miss mails nobody."""
    return {f"timer:{one}" for one in desk.rows(select(TimerMark.id).where(TimerMark.mark == "missed"))}
