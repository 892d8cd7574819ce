"""Closing a month, amending it, deciding its credit: frozen means frozen."""

import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import select, text

from contracts.statements import queries, services
from contracts.statements.models import Credit, Statement
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.services import add_version
from contracts.timers.models import TimerMark
from contracts.timers.settling import settle_timers
from contracts.timers.sweep import sweep_due_timers
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tickets import services as tickets
from tests.tickets import open_in_scope

# The first working Monday of November 2026, 09:00 in Jakarta.
MORNING = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
NOVEMBER, ENDED = date(2026, 11, 1), datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
CREDITS = {"table": [{"clock": "resolution", "below_percent": 95, "credit_percent": 10}], "cap_percent": 20}


@pytest.fixture
def month(within, as_actor, cast):
    """Acme's worker scope with a manager and a month of tickets to make."""
    with within("acme"):
        yield Month(cast, as_actor("Leo"), as_actor("Bob"), as_actor("Mia"))


class Month:
    def __init__(self, cast, staff, requester, manager):
        self.cast, self.staff, self.requester, self.manager = cast, staff, requester, manager
        self.contract = db.session.scalars(select(Contract)).one()

    def ticket(self, day=0, *, solved_after=1.0, subject="Printer on fire"):
        """A P3 ticket, answered after half an hour and solved after so many hours (24 business hours allowed)."""
        at = MORNING + timedelta(days=day)
        ticket = open_in_scope(
            self.cast, self.requester, at=at, impact="medium", urgency="medium", subject=subject
        )
        answered = at + timedelta(minutes=30)
        tickets.add_message(ticket, body="Looking.", by=self.staff, at=answered)
        solved = at + timedelta(hours=solved_after)
        tickets.change_state(ticket, to="resolved", by=self.staff, at=solved)
        db.session.commit()
        return ticket

    def promise_credit(self):
        terms = db.session.scalars(select(ContractVersion)).one().terms | {"credits": CREDITS}
        self.contract.monthly_fee = 1_000_000
        db.session.commit()
        add_version(
            self.contract,
            in_force_on=date(2026, 2, 1),
            terms=terms,
            by=self.manager,
            at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        db.session.commit()

    def close(self, month=NOVEMBER, at=ENDED):
        statement = services.close_month(self.contract, month, evidence={}, by=self.manager, at=at)
        db.session.commit()
        return statement

    def amend(self, statement, *positions, reason="The power of the whole town was off."):
        amended = services.amend_statement(
            statement, set_aside=positions, reason=reason, by=self.manager, at=ENDED + timedelta(days=1)
        )
        db.session.commit()
        return amended


def bodies(statement):
    return [json.loads(one.body) for one in queries.list_lines(statement)]


def everything(statement):
    return statement.head, statement.sha256, [one.body for one in queries.list_lines(statement)]


def test_a_line_for_each_target_decided_with_what_a_client_can_check(month):
    ticket = month.ticket(solved_after=2)
    statement = month.close()
    response, resolution = bodies(statement)
    assert resolution == {
        "ticket": ticket.code,
        "subject": "Printer on fire",
        "clock": "resolution",
        "cycle": 1,
        "priority": "P3",
        "contract_version": 1,
        "verdict": "met",
        "cause": None,
        "decided_at": "2026-11-02T04:00:00Z",
        "started_at": "2026-11-02T02:00:00Z",
        "stopped_at": "2026-11-02T04:00:00Z",
        "due_at": "2026-11-04T08:00:00Z",
        "target_seconds": 24 * 3600,
        "elapsed_seconds": 2 * 3600,
        "paused_seconds": 0,
        "maintenance_seconds": 0,
        "set_aside": None,
    }
    assert (response["clock"], response["elapsed_seconds"]) == ("response", 1800)
    head = json.loads(statement.head)
    assert head["figures"][1] == {
        "clock": "resolution",
        "priority": "P3",
        "met": 1,
        "missed": 0,
        "set_aside": 0,
        "attained": "1/1",
    }
    assert (head["month"], head["from"], head["to"]) == (
        "2026-11",
        "2026-10-31T17:00:00Z",
        "2026-11-30T17:00:00Z",
    )
    assert services.is_intact(statement)


def test_closing_twice_makes_one_statement(month):
    month.ticket()
    assert month.close().id == month.close().id
    assert len(queries.list_statements()) == 1


def test_what_the_sweep_did_not_see_yet_is_recorded_before_the_month_is_frozen(month):
    at = MORNING
    ticket = open_in_scope(month.cast, month.requester, at=at, impact="medium", urgency="medium")
    db.session.commit()
    assert not db.session.scalars(select(TimerMark).where(TimerMark.mark == "missed")).all()
    lines = bodies(month.close())
    assert [(one["ticket"], one["clock"], one["verdict"]) for one in lines] == [
        (ticket.code, "response", "missed"),
        (ticket.code, "resolution", "missed"),
    ]
    assert lines[1]["stopped_at"] is None
    assert lines[1]["elapsed_seconds"] > lines[1]["target_seconds"]


def test_a_month_is_that_of_the_contracts_zone(month):
    """Answered on 30 November at 23:54 in Jakarta, solved half an hour later: in December there, not yet in London."""
    late = month.ticket(day=28.6)
    november, december = month.close(), month.close(date(2026, 12, 1), datetime(2027, 1, 1, tzinfo=UTC))
    assert [(one["ticket"], one["clock"]) for one in bodies(november)] == [(late.code, "response")]
    assert [(one["ticket"], one["clock"]) for one in bodies(december)] == [(late.code, "resolution")]


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        (NOVEMBER, ENDED - timedelta(seconds=1)),
        (date(2025, 11, 1), ENDED),
        (date(2027, 1, 1), ENDED),
    ],
    ids=["not ended", "before the contract", "in the future"],
)
def test_months_that_cannot_be_closed_are_refused_by_name(month, wanted, at):
    with pytest.raises(Invalid) as refused:
        month.close(wanted, at)
    assert [field for field, _ in refused.value.errors] == ["month"]
    db.session.rollback()
    assert queries.list_statements() == []


def test_terms_calendars_and_holidays_of_later_leave_a_closed_month_as_it_was(month, superuser):
    month.ticket(solved_after=1)
    month.ticket(day=1, solved_after=200)
    statement = month.close()
    before = everything(statement)
    version = db.session.scalars(select(ContractVersion)).one()
    stricter = json.loads(json.dumps(version.terms))
    stricter["service_levels"]["P3"]["resolution_minutes"] = 1
    stricter["calendar"]["holidays"] = ["2026-11-02"]
    add_version(month.contract, in_force_on=date(2026, 12, 1), terms=stricter, by=month.manager, at=ENDED)
    db.session.commit()
    sweep_due_timers()
    # Even terms and marks that somebody rewrote behind our back change nothing that is frozen.
    superuser.execute('UPDATE contract_versions SET terms = terms || \'{"reopen": "count"}\'')
    superuser.execute("DELETE FROM timer_marks")
    db.session.expire_all()
    again = month.close()
    assert everything(again) == before
    assert services.is_intact(again)


def test_reopened_and_missed_in_a_later_month_is_a_new_line_there(month):
    ticket = month.ticket(day=25, solved_after=2)
    first = month.close()
    tickets.change_state(
        ticket, to="in_progress", by=month.staff, at=ENDED + timedelta(days=1), reason="Again"
    )
    db.session.commit()
    december = month.close(date(2026, 12, 1), datetime(2027, 1, 1, tzinfo=UTC))
    assert [one["verdict"] for one in bodies(first) if one["clock"] == "resolution"] == ["met"]
    later = [one for one in bodies(december) if one["clock"] == "resolution"]
    assert [(one["ticket"], one["verdict"]) for one in later] == [(ticket.code, "missed")]


def test_a_miss_counts_for_the_priority_whose_target_ran_out(month):
    """Missed as P1, made P4 later and before any sweep looked: still a miss of P1, with P1's target."""
    ticket = open_in_scope(month.cast, month.requester, at=MORNING, impact="high", urgency="high")
    later = MORNING + timedelta(hours=6)
    tickets.set_priority(ticket, priority="P4", reason="Not that bad", by=month.staff, at=later)
    db.session.commit()
    missed = {one["clock"]: one for one in bodies(month.close()) if one["verdict"] == "missed"}
    assert [(one["priority"], one["target_seconds"]) for one in missed.values()] == [
        ("P1", 30 * 60),
        ("P1", 4 * 3600),
    ]


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=1)], ids=["in the same second", "later"])
def test_a_miss_stays_countable_when_the_clock_loses_its_target(month, later):
    """Missed as P1, then made P4, for which nothing is promised: the month can still be closed."""
    terms = db.session.scalars(select(ContractVersion)).one().terms
    level = dict.fromkeys(("response_minutes", "update_minutes", "resolution_minutes"))
    levels = terms["service_levels"] | {"P4": level | {"always": False}}
    early = datetime(2026, 1, 5, tzinfo=UTC)
    add_version(
        month.contract,
        in_force_on=date(2026, 2, 1),
        terms=terms | {"service_levels": levels},
        by=month.manager,
        at=early,
    )
    ticket = open_in_scope(month.cast, month.requester, at=MORNING, impact="high", urgency="high")
    db.session.commit()
    missed_at = MORNING + timedelta(hours=4)
    settle_timers(ticket.tenant_id, before=missed_at + timedelta(minutes=1), by=month.manager, at=missed_at)
    tickets.set_priority(ticket, priority="P4", reason="Not that bad", by=month.staff, at=missed_at + later)
    db.session.commit()
    lines = bodies(month.close())
    assert [(one["clock"], one["priority"], one["target_seconds"]) for one in lines] == [
        ("response", "P1", 30 * 60)
    ] + [("resolution", "P1", 4 * 3600)] * bool(later)
    assert all(
        one["verdict"] == "missed" and one["elapsed_seconds"] >= one["target_seconds"] for one in lines
    )


def test_the_database_refuses_to_change_a_statement(month, app):
    month.ticket()
    statement = month.close()
    for change in ("UPDATE statements SET number = 9", "DELETE FROM statement_lines"):
        with pytest.raises(Exception) as refused:
            db.session.execute(text(change))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
        db.session.rollback()
    assert services.is_intact(statement)


def test_an_amendment_sets_misses_aside_with_a_reason_and_the_first_stays(month):
    month.promise_credit()
    month.ticket()
    month.ticket(day=1, solved_after=200)
    first = month.close()
    before = everything(first)
    missed = [one.position for one in queries.list_lines(first, verdict="missed")]
    second = month.amend(first, *missed)
    assert everything(first) == before
    head = json.loads(second.head)
    assert (second.number, head["replaces"], head["reason"]) == (
        2,
        first.sha256,
        "The power of the whole town was off.",
    )
    (aside,) = queries.list_lines(second, verdict="set_aside")
    assert json.loads(aside.body)["set_aside"] == head["reason"]
    assert head["totals"][1]["attained"] == "1/1"
    assert queries.find_credit(first).state == "replaced"
    assert queries.find_credit(second) is None
    assert [one.number for one in queries.list_numbers(first)] == [2, 1]
    third = month.amend(second, reason="It was ours after all.")
    assert json.loads(third.head)["totals"] == json.loads(first.head)["totals"]
    assert queries.find_credit(third).amount == 100_000


def test_only_the_latest_is_amended_and_only_misses_are_set_aside(month):
    month.ticket()
    month.ticket(day=1, solved_after=200)
    first = month.close()
    met = [one.position for one in queries.list_lines(first, verdict="met")]
    missed = [one.position for one in queries.list_lines(first, verdict="missed")]
    for positions, reason, field in (
        (met[:1], "Why", "set_aside"),
        ([99], "Why", "set_aside"),
        ([], "Why", "set_aside"),
        (missed, " ", "reason"),
        (missed, "x" * 2001, "reason"),
    ):
        with pytest.raises(Invalid) as refused:
            month.amend(first, *positions, reason=reason)
        assert [name for name, _ in refused.value.errors] == [field]
        db.session.rollback()
    month.amend(first, *missed)
    with pytest.raises(Conflict):
        month.amend(first, *missed)


def test_a_credit_is_proposed_then_decided_once_with_a_reason(month):
    month.promise_credit()
    month.ticket(solved_after=200)
    statement = month.close()
    credit = queries.find_credit(statement)
    assert (credit.state, credit.amount, credit.currency) == ("proposed", 100_000, "IDR")
    assert json.loads(statement.head)["credit"]["steps"][0]["attained"] == "0/1"
    at = ENDED + timedelta(days=2)
    with pytest.raises(Invalid):
        services.decide_credit(statement, approve=False, reason="", by=month.manager, at=at)
    services.decide_credit(statement, approve=True, reason="Owed.", by=month.manager, at=at)
    db.session.commit()
    with pytest.raises(Conflict):
        services.decide_credit(statement, approve=False, reason="No", by=month.manager, at=at)
    db.session.rollback()
    (row,) = db.session.scalars(select(Credit)).all()
    assert (row.state, row.decided_by, row.reason) == ("approved", "Mia", "Owed.")


def test_two_people_close_at_once(app, month, cast, within):
    """The second waits for the contract's row and finds the first one's statement."""
    from threading import Thread

    month.ticket()
    db.session.commit()
    found = []

    def close():
        with app.app_context(), within("acme"):
            contract = db.session.scalars(select(Contract)).one()
            made = services.close_month(contract, NOVEMBER, evidence={}, by=month.manager, at=ENDED)
            db.session.commit()
            found.append(made.id)

    threads = [Thread(target=close) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert db.session.scalars(select(Statement)).one().id == found[0]
