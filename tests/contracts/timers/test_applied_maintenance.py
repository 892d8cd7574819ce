"""Other terms applied to a ticket with planned maintenance ahead: the rule of the terms that then hold decides."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from contracts.statements.what_if import Period, replay_tenant
from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.terms.services import add_version
from contracts.timers.applying import apply_version, foresee_version
from contracts.timers.models import TicketTimer
from contracts.timers.queries import find_versions, read_clocks_by
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tickets import services as tickets
from tenants.tickets.queries import list_history
from tests.clockwork import inside
from tests.contracts.timers.test_maintenance import badge, close, differences, due, marks, plan

HOUR = 3600
DECEMBER = 24 * 14
BEFORE = 0.6
"""Hours after the morning, when the maintenance from 1 to 3 is known and has not begun."""


class Terms:
    """Acme's contract, amended and applied at hours after the morning."""

    def __init__(self, desk):
        self.app, self.desk = desk.app, desk

    @inside
    def amend(self, **members):
        """Terms in force from today on that measure no ticket yet which is open."""
        with enter(of_tenant(self.desk.tenant_id)):
            contract = db.session.scalars(select(Contract)).one()
            latest = list_versions(contract)[0]
            by, at = self.desk.as_actor("Mia"), self.desk.at()
            add_version(contract, in_force_on=date(2026, 11, 17), terms=latest.terms | members, by=by, at=at)
            db.session.commit()

    @inside
    def foresee(self, hours):
        with enter(of_tenant(self.desk.tenant_id)):
            return foresee_version(self._latest(), at=self.desk.at(hours))

    @inside
    def apply(self, hours):
        with enter(of_tenant(self.desk.tenant_id)):
            latest, by = self._latest(), self.desk.as_actor("Mia")
            assert apply_version(latest, by=by, at=self.desk.at(hours)).done == 1
            db.session.commit()
            return latest.id

    def _latest(self):
        return list_versions(db.session.scalars(select(Contract)).one())[0]

    @inside
    def replay(self, **members):
        """What the latest terms would have decided until six, had they said this too."""
        month = date(2026, 11, 1)
        with enter(of_tenant(self.desk.tenant_id)):
            draft = self._latest().terms | members
            period = Period.of(month, month, "Asia/Jakarta", self.desk.at(6))
            outcome, _credits, _currency = replay_tenant(self.desk.tenant_id, draft, period)
            return [(one.clock, one.was, one.would) for one in outcome.changes]

    @inside
    def strip(self, ticket, hours):
        """The response as the page reads it: which terms it names, and its intervals in hours."""
        with enter(of_tenant(self.desk.tenant_id)):
            row, history = self.desk._ticket(ticket), list_history(ticket)
            found = read_clocks_by(row, history, find_versions(row, history), self.desk.at(hours))[0]
            return found.terms_id, [
                (str(one.kind), (one.to_at - one.from_at) / timedelta(hours=1))
                for one in found.verdict.intervals
            ]


@pytest.fixture
def terms(desk):
    return Terms(desk)


def line(desk):
    _head, _sha256, bodies = close(desk, date(2026, 11, 1), desk.at(DECEMBER))
    (found,) = [one for one in map(json.loads, bodies) if one["clock"] == "response"]
    return {name: found[name] for name in ("contract_version", "verdict", "cause", "elapsed_seconds")} | {
        name: found[f"{name}_seconds"] // HOUR for name in ("paused", "maintenance")
    }


def stored_version(desk, ticket):
    found = select(TicketTimer).where(TicketTimer.ticket_id == ticket, TicketTimer.clock == "response")
    return desk.rows(found)[0].contract_version_id


def test_terms_that_leave_it_out_move_the_due_time_of_what_was_planned_before(desk, terms):
    """A P3 is answered within four hours: two of them are planned away by the terms that are applied."""
    ticket = desk.open()
    plan(desk, 1, 3, known=0.5)
    terms.amend(maintenance="excluded")
    assert due(desk, ticket) == 4
    foreseen = terms.foresee(BEFORE)
    assert (foreseen.later, foreseen.earlier, foreseen.same) == (2, 0, 0)
    version = terms.apply(BEFORE)
    assert due(desk, ticket) == 6
    assert differences(desk, BEFORE) == []
    standing = badge(desk, ticket, 2)
    assert (standing.state, standing.reason, standing.remaining_seconds) == (
        "paused",
        "maintenance",
        3 * HOUR,
    )
    assert terms.strip(ticket, 5) == (version, [("counted", 1), ("maintenance", 2), ("counted", 2)])
    desk.look(5)
    assert marks(desk, ticket) == []
    desk.do(ticket, tickets.add_message, "Leo", 5.5, body="Looking.")
    assert stored_version(desk, ticket) == version
    assert differences(desk, 5.5) == []
    assert terms.replay(maintenance="shown") == [("response", "met", "missed")]
    assert terms.replay() == []
    assert line(desk) == {
        "contract_version": 2,
        "verdict": "met",
        "cause": None,
        "elapsed_seconds": 3.5 * HOUR,
        "paused": 2,
        "maintenance": 2,
    }


def test_terms_that_only_show_it_give_its_time_back(desk, terms):
    desk.terms(maintenance="excluded")
    ticket = desk.open()
    plan(desk, 1, 3, known=0.5)
    terms.amend(maintenance="shown")
    assert due(desk, ticket) == 6
    foreseen = terms.foresee(BEFORE)
    assert (foreseen.later, foreseen.earlier, foreseen.same) == (0, 2, 0)
    version = terms.apply(BEFORE)
    assert due(desk, ticket) == 4
    assert badge(desk, ticket, 2).state == "running"
    assert terms.strip(ticket, 4) == (
        version,
        [("counted", 1), ("maintenance_counted", 2), ("counted", 1)],
    )
    desk.look(4.1)
    assert marks(desk, ticket) == [("response", "missed")]
    desk.do(ticket, tickets.add_message, "Leo", 5, body="Looking.")
    assert differences(desk, 5) == []
    assert terms.replay(maintenance="excluded") == [("response", "missed", "met")]
    assert line(desk) == {
        "contract_version": 3,
        "verdict": "missed",
        "cause": "time_ran_out",
        "elapsed_seconds": 5 * HOUR,
        "paused": 0,
        "maintenance": 2,
    }


def test_what_the_first_terms_left_out_was_not_missed_before_others_were_applied(desk, terms):
    """Its four hours ended at six by the first terms and at four by those applied at five: missed at five."""
    desk.terms(maintenance="excluded")
    ticket = desk.open()
    plan(desk, 1, 3, known=0.5)
    terms.amend(maintenance="shown")
    assert terms.foresee(5).missed == 1
    terms.apply(5)
    assert marks(desk, ticket) == [("response", "missed")]
    assert differences(desk, 5) == []
    assert line(desk)["cause"] == "terms_applied"


def test_maintenance_planned_after_other_terms_were_applied_is_theirs_to_judge(desk, terms):
    ticket = desk.open()
    terms.amend(maintenance="excluded")
    terms.apply(0.2)
    plan(desk, 1, 3, known=0.5)
    assert due(desk, ticket) == 6
    assert differences(desk, 0.5) == []
