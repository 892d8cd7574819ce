"""The version in force applied to open tickets: what moves, what stays, who reads it, and that nothing differs."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from contracts.statements import queries as statements
from contracts.statements.services import close_month
from contracts.statements.what_if import Period, replay_tenant
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import find_version_of, list_versions
from contracts.terms.services import add_version
from contracts.timers import sweep
from contracts.timers.applying import apply_version, check_in_force, count_awaiting, foresee_version
from contracts.timers.models import TimerMark
from contracts.timers.queries import badges, find_measure, find_versions, read_clocks_of
from contracts.timers.verifying import verify_tenant
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden
from tenants.tickets import services as tickets
from tenants.tickets.queries import list_history
from tests.contracts.timers.test_following import Desk

# A Tuesday, 09:00 in Jakarta; a P3 has 4 h for the response and 24 h of business time for the solution.
MORNING = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
NOON = MORNING + timedelta(hours=2)
HOUR = 3600
MOMENTS = count(1)


@pytest.fixture
def desk(within, as_actor, cast):
    with within("acme") as acme:
        yield Desk(acme, as_actor("Leo"), as_actor("Bob"), cast)


def amend(desk, *, on=date(2026, 11, 17), level=None, **members):
    """The next version of Acme's terms, in force from that Tuesday's midnight on; P3 in 1 h and 8 h."""
    contract = db.session.scalars(select(Contract)).one()
    (latest, *_) = list_versions(contract)
    levels = latest.terms["service_levels"] | {
        "P3": {"response_minutes": 60, "resolution_minutes": 480} if level is None else level
    }
    terms = latest.terms | {"service_levels": levels} | members
    # What a process has read of a version it knows again by the moment of its creation: each has one of its own.
    at = datetime(2026, 11, 16, 3, 0, tzinfo=UTC) + timedelta(microseconds=next(MOMENTS))
    version = add_version(contract, in_force_on=on, terms=terms, by=desk.staff, at=at)
    db.session.commit()
    return version


@pytest.fixture
def opened(desk):
    """Opened on Monday by version 1, under which it stays."""
    return desk.open(MORNING - timedelta(days=1))


def apply(desk, version, at=NOON):
    applied = apply_version(version, by=desk.staff, at=at)
    db.session.commit()
    return applied


def clocks(ticket, at=NOON):
    return {one.kind: one for one in read_clocks_of(ticket, list_history(ticket.id), at)}


def measure(ticket):
    history = list_history(ticket.id)
    return find_measure(ticket, history, find_versions(ticket, history))


def verified(desk, now):
    return verify_tenant(desk.tenant_id, now=now).differences


def sweep_at(at):
    with time.frozen(at):
        sweep.sweep_due_timers()


def test_a_new_version_alone_moves_nothing(desk, opened):
    amend(desk)
    assert clocks(opened)["resolution"].target.seconds == 24 * HOUR
    assert measure(opened).number == 1


def test_applied_it_measures_from_creation_with_all_pauses_kept(desk, opened):
    desk.reply(opened, MORNING - timedelta(hours=23))
    desk.move(opened, "waiting", MORNING - timedelta(hours=22), reason="requester")
    desk.move(opened, "in_progress", MORNING)
    version = amend(desk)
    assert apply(desk, version).done == 1
    found = clocks(opened)["resolution"]
    # Two hours on Monday, two on Tuesday.
    assert (found.target.seconds, found.verdict.elapsed_seconds) == (8 * HOUR, 4 * HOUR)
    assert (found.target_version, found.terms_id) == (2, version.id)
    assert opened.next_due_at == found.verdict.due_at == NOON + timedelta(hours=4)
    assert badges([opened], NOON)[opened.tenant_id, opened.id].target_seconds == 8 * HOUR


def test_terms_may_say_from_the_change(desk, opened):
    apply(desk, amend(desk, change="from_change"))
    found = clocks(opened)["resolution"]
    assert (found.started_at, found.verdict.elapsed_seconds) == (NOON, 0)


def test_what_was_used_up_already_is_missed_at_the_change_with_its_cause(desk):
    ticket = desk.open(MORNING)
    version = amend(desk, on=date(2026, 11, 18))
    later = NOON + timedelta(days=1)
    desk.reply(ticket, MORNING + timedelta(minutes=30))
    apply(desk, version, later)
    found = clocks(ticket, later)["resolution"]
    assert (found.verdict.state, found.verdict.missed_at, found.verdict.cause) == (
        "missed",
        later,
        "terms_applied",
    )
    marks = {(one.clock, one.mark, one.cause, one.at) for one in db.session.scalars(select(TimerMark))}
    assert ("resolution", "missed", "terms_applied", later) in marks
    assert verified(desk, later) == []


def test_a_recorded_miss_never_vanishes(desk, opened):
    late = MORNING - timedelta(hours=19)
    sweep_at(late)
    apply(desk, amend(desk, level={"response_minutes": 40_000, "resolution_minutes": 80_000}))
    found = clocks(opened)["response"]
    assert (found.verdict.state, found.verdict.missed_at, found.verdict.cause) == (
        "missed",
        MORNING - timedelta(hours=20),
        "time_ran_out",
    )
    assert verified(desk, NOON) == []


def test_what_has_stopped_keeps_its_verdict_and_its_version(desk, opened):
    desk.reply(opened, MORNING - timedelta(hours=23))
    first = clocks(opened)["response"].terms_id
    version = amend(desk, level={"response_minutes": 10, "resolution_minutes": 480})
    apply(desk, version)
    response = clocks(opened)["response"]
    assert (response.verdict.state, response.terms_id, response.target.seconds) == ("met", first, 4 * HOUR)
    assert {clock: row.contract_version_id for clock, row in desk.timers(opened).items()} == {
        "response": first,
        "resolution": version.id,
    }
    assert verified(desk, NOON) == []


def test_a_clock_may_lose_its_target_and_another_get_one(desk, opened):
    apply(desk, amend(desk, level={"update_minutes": 30, "resolution_minutes": 480}))
    assert desk.timers(opened)["response"].state == "missed"
    assert desk.timers(opened)["response"].look_at is None
    desk.reply(opened, NOON)
    desk.reply(opened, NOON + timedelta(minutes=5), by=desk.requester)
    assert clocks(opened, NOON + timedelta(minutes=6))["update"].target.seconds == 1800
    assert verified(desk, NOON + timedelta(minutes=6)) == []


def test_several_versions_one_after_the_other(desk, opened):
    for number, on in ((2, 17), (3, 18), (4, 19)):
        version = amend(desk, on=date(2026, 11, on), level={"resolution_minutes": 480 * number})
        at = datetime(2026, 11, on, 3, tzinfo=UTC)
        apply(desk, version, at)
        assert clocks(opened, at)["resolution"].target.seconds == number * 8 * HOUR
        assert verified(desk, at) == []
    told = measure(opened)
    assert (told.number, told.since, told.was_applied) == (4, at, True)
    lines = [one.data["version"] for one in list_history(opened.id) if one.kind == "terms_applied"]
    assert lines == [2, 3, 4]


def test_a_warning_of_the_new_target_fires_once(desk, opened):
    apply(desk, amend(desk))
    late = NOON + timedelta(days=1)
    for _ in range(2):
        sweep_at(late)
    versions = {
        (one.percent, one.target_version)
        for one in db.session.scalars(select(TimerMark))
        if one.clock == "resolution" and one.mark == "warning"
    }
    assert {version for _, version in versions} == {2}
    assert verified(desk, late) == []


def test_twice_does_nothing_new_and_one_entry_is_audited(desk, opened):
    other = desk.open(MORNING - timedelta(hours=20))
    solved = desk.open(MORNING - timedelta(hours=20))
    desk.reply(solved, MORNING - timedelta(hours=20))
    desk.move(solved, "resolved", MORNING - timedelta(hours=19))
    version = amend(desk)
    newer = desk.open(MORNING)
    assert count_awaiting(version) == 2
    applied = apply(desk, version)
    assert (applied.done, applied.waiting) == (2, 0)
    seqs = [one.rev for one in (opened, other, solved, newer)]
    assert apply(desk, version).done == 0
    assert [one.rev for one in (opened, other, solved, newer)] == seqs
    assert solved.contract_version_id != version.id
    audited = [one for one in db.session.scalars(select(AuditEntry)) if "terms_applied" in one.action]
    assert [json.loads(one.body)["detail"] for one in audited] == [{"version": 2, "tickets": 2}]


def test_piece_by_piece_is_the_same(desk):
    opened = [desk.open(MORNING - timedelta(hours=20 + n)) for n in range(3)]
    version, done = amend(desk), 0
    for expected in (2, 3):
        applied = apply_version(version, by=desk.staff, at=NOON, done=done, piece=2)
        db.session.commit()
        done = applied.done
        assert done == expected
    assert {one.contract_version_id for one in opened} == {version.id}
    audited = [
        one for one in db.session.scalars(select(AuditEntry)) if one.action == "contract.terms_applied"
    ]
    assert [json.loads(one.body)["detail"]["tickets"] for one in audited] == [3]


def test_only_what_is_in_force_can_be_applied(desk, opened):
    future = amend(desk, on=date(2026, 12, 1))
    contract = db.session.scalars(select(Contract)).one()
    with pytest.raises(Conflict):
        check_in_force(contract, future, at=NOON)
    assert find_version_of(contract, NOON).number == 1
    check_in_force(contract, future, at=datetime(2026, 11, 30, 17, tzinfo=UTC))
    contract.ends_on = date(2026, 11, 16)
    assert find_version_of(contract, NOON) is None


def test_an_earlier_version_never_takes_a_ticket_back(desk, opened):
    second = amend(desk)
    third = amend(desk, on=date(2026, 11, 18))
    apply(desk, third)
    assert count_awaiting(second) == 0
    assert apply(desk, second).done == 0


def test_neither_a_requester_nor_a_ticket_that_is_over(desk, opened):
    version = amend(desk)
    with pytest.raises(Forbidden):
        tickets.apply_terms(opened, version_id=version.id, number=2, by=desk.requester, at=NOON)
    desk.reply(opened, NOON)
    desk.move(opened, "resolved", NOON)
    with pytest.raises(Conflict):
        tickets.apply_terms(opened, version_id=version.id, number=2, by=desk.staff, at=NOON)


def test_what_would_change_is_what_changes(desk):
    late, early = desk.open(MORNING - timedelta(days=4)), desk.open(MORNING + timedelta(minutes=90))
    desk.reply(late, MORNING - timedelta(days=4))
    waits = desk.open(MORNING + timedelta(minutes=95))
    desk.reply(waits, MORNING + timedelta(minutes=96))
    desk.move(waits, "waiting", MORNING + timedelta(minutes=97), reason="requester")
    version = amend(desk, on=date(2026, 11, 18))
    seen = foresee_version(version, at=NOON)
    # Solving of the first is used up; the second's reply and both others' solutions come earlier.
    assert (seen.tickets, seen.looked_at, seen.missed) == (3, 3, 1)
    assert (seen.earlier, seen.later, seen.same) == (3, 0, 0)
    before = {one.id: one.next_due_at for one in (late, early)}
    apply(desk, version)
    assert late.sla_state == "missed"
    assert early.next_due_at < before[early.id]
    assert foresee_version(version, at=NOON).tickets == 0


def test_foreseeing_many_looks_at_the_first_only(desk):
    for n in range(3):
        desk.open(MORNING + timedelta(minutes=n))
    version = amend(desk, on=date(2026, 11, 18))
    seen = foresee_version(version, at=NOON, most=2)
    assert (seen.tickets, seen.looked_at) == (3, 2)


class TestStatements:
    def close(self, desk, month, at):
        contract = db.session.scalars(select(Contract)).one()
        statement = close_month(contract, month, evidence={}, by=desk.staff, at=at)
        db.session.commit()
        return statement

    def lines(self, statement):
        return [json.loads(one.body) for one in statements.list_lines(statement)]

    def test_each_line_names_the_version_that_decided(self, desk, opened):
        desk.reply(opened, MORNING - timedelta(hours=23))
        apply(desk, amend(desk))
        desk.move(opened, "resolved", NOON + timedelta(hours=1))
        closed = self.close(desk, date(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC))
        found = {one["clock"]: (one["contract_version"], one["target_seconds"]) for one in self.lines(closed)}
        assert found == {"response": (1, 4 * HOUR), "resolution": (2, 8 * HOUR)}

    def test_a_clock_that_ran_late_when_others_were_applied_was_missed_by_the_first(self, desk, opened):
        apply(desk, amend(desk))
        closed = self.close(desk, date(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC))
        (response,) = [one for one in self.lines(closed) if one["clock"] == "response"]
        assert (response["contract_version"], response["target_seconds"]) == (1, 4 * HOUR)
        assert response["decided_at"] == response["due_at"] == "2026-11-16T06:00:00Z"

    def test_what_was_decided_before_stays_what_it_was(self, desk):
        """October closed after November's change says what it would have said before it."""
        ticket = desk.open(datetime(2026, 10, 29, 2, tzinfo=UTC))
        desk.reply(ticket, datetime(2026, 10, 29, 8, tzinfo=UTC))
        before = self.lines(self.close(desk, date(2026, 10, 1), datetime(2026, 11, 5, tzinfo=UTC)))
        db.session.rollback()
        apply(desk, amend(desk, level={"resolution_minutes": 480}))
        (frozen,) = statements.list_statements()
        assert self.lines(frozen.statement) == before
        assert [one["contract_version"] for one in before] == [1]

    def test_a_month_closed_late_says_the_same(self, desk):
        ticket = desk.open(datetime(2026, 10, 29, 2, tzinfo=UTC))
        desk.reply(ticket, datetime(2026, 10, 29, 8, tzinfo=UTC))
        apply(desk, amend(desk, level={"resolution_minutes": 480}))
        closed = self.close(desk, date(2026, 10, 1), datetime(2026, 11, 18, tzinfo=UTC))
        (line,) = self.lines(closed)
        assert (line["clock"], line["verdict"], line["cause"]) == ("response", "missed", "time_ran_out")
        assert (line["contract_version"], line["target_seconds"]) == (1, 4 * HOUR)

    def test_what_if_was_and_would_have_been(self, desk, opened):
        desk.reply(opened, MORNING - timedelta(hours=23))
        apply(desk, amend(desk))
        desk.move(opened, "resolved", NOON + timedelta(days=2))
        (first,) = [one for one in db.session.scalars(select(ContractVersion)) if one.number == 1]
        november = date(2026, 11, 1)
        period = Period.of(november, november, "Asia/Jakarta", NOON + timedelta(days=3))
        outcome, _credits, _currency = replay_tenant(desk.tenant_id, first.terms, period)
        figures = {
            (was.clock, was.priority): (was.met, was.missed, would.met, would.missed)
            for was, would in outcome.figures()
        }
        assert figures["resolution", "P3"] == (0, 1, 0, 1)
        relaxed = first.terms | {
            "service_levels": first.terms["service_levels"] | {"P3": {"resolution_minutes": 10_000}}
        }
        outcome, _credits, _currency = replay_tenant(desk.tenant_id, relaxed, period)
        (change,) = [one for one in outcome.changes if one.clock == "resolution"]
        assert (change.was, change.would) == ("missed", "met")

    def test_what_if_knows_what_only_applied_terms_promised(self, desk, opened):
        """The first version promises no updates, the draft is the first one, and both say the same of other clocks."""
        desk.reply(opened, MORNING - timedelta(hours=23))
        (first,) = list_versions(db.session.scalars(select(Contract)).one())
        assert "update_minutes" not in first.terms["service_levels"]["P3"]
        promised = first.terms["service_levels"]["P3"] | {"update_minutes": 30}
        apply(desk, amend(desk, level=promised))
        desk.reply(opened, NOON, by=desk.requester)
        desk.reply(opened, NOON + timedelta(minutes=10))
        november = date(2026, 11, 1)
        period = Period.of(november, november, "Asia/Jakarta", NOON + timedelta(hours=1))
        outcome, _credits, _currency = replay_tenant(desk.tenant_id, first.terms, period)
        assert [(one.clock, one.was, one.would) for one in outcome.changes] == [("update", "met", "none")]

    def test_what_if_keeps_what_was_missed_before_others_were_applied(self, desk, opened):
        """By the version that was applied, and is the draft, the response had been in time from the beginning."""
        version = amend(desk, level={"response_minutes": 40_000, "resolution_minutes": 80_000})
        apply(desk, version)
        desk.reply(opened, NOON)
        november = date(2026, 11, 1)
        period = Period.of(november, november, "Asia/Jakarta", NOON + timedelta(hours=1))
        outcome, _credits, _currency = replay_tenant(desk.tenant_id, version.terms, period)
        assert [(one.clock, one.was, one.would) for one in outcome.changes] == [("response", "missed", "met")]


def test_a_planted_version_is_named(desk, opened, superuser):
    version = amend(desk)
    apply(desk, version)
    superuser.execute("UPDATE tickets SET contract_version_id = contract_version_id - 1")
    assert ("", "contract_version_id") in {(one.clock, one.field) for one in verified(desk, NOON)}
