"""Visits: planned for somebody who may go, waited for, moved, done or cancelled; one ahead at a time."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.tickets import services, visits
from tenants.tickets.models import Ticket, TicketEvent
from tenants.tickets.visit_models import Visit
from tests import personas
from tests.tickets import MONDAY, later, opened

PLAN = visits.Plan(later(days=1), later(days=1, hours=2), address="Jl. Sudirman 1")
REPORT = visits.Report("Changed the disk.", "solved", [visits.Part("Disk", "S1", "S2")])


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


@pytest.fixture
def act(app, cast, code):
    def do(who, verb, *given, at=MONDAY, visit=False, of=None, **more):
        with personas.within(app, cast, who) as by:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == (of or code))).one()
            found = [visits.list_visits(ticket)[0]] if visit else []
            done = verb(ticket, *found, *given, by=by, at=at, **more)
            db.session.commit()
            return done

    return do


@pytest.fixture
def seen(app, cast):
    """The ticket, its visits and the lines about them."""

    def read(code):
        with personas.within(app, cast, "acme"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            lines = select(TicketEvent.kind).where(
                TicketEvent.ticket_id == ticket.id, TicketEvent.kind.startswith("visit")
            )
            return (
                ticket,
                list(reversed(visits.list_visits(ticket))),
                list(db.session.scalars(lines.order_by(TicketEvent.seq))),
            )

    return read


def test_the_ticket_waits_until_the_visit_begins_and_goes_on_after(act, seen, code, cast):
    act("Leo", visits.plan_visit, replace(PLAN, technician_user_id=cast.users["Nadia"]))
    ticket, (visit,), _lines = seen(code)
    assert (ticket.state, ticket.waiting_reason) == ("waiting", "visit")
    assert (visit.state, visit.technician_name, visit.sequence) == ("planned", "Nadia", 0)
    act("Nadia", visits.begin_visit, visit=True, at=PLAN.begins_at)
    act("Nadia", visits.begin_visit, visit=True, at=PLAN.begins_at)
    assert seen(code)[0].state == "in_progress"
    act("Nadia", visits.finish_visit, REPORT, visit=True, at=PLAN.ends_at)
    ticket, (visit,), lines = seen(code)
    assert (visit.state, visit.outcome, visit.done) == ("done", "solved", "Changed the disk.")
    assert visit.parts == [{"what": "Disk", "old_serial": "S1", "new_serial": "S2"}]
    assert lines == ["visit_planned", "visit_planned", "visit_done"]
    assert ticket.state == "in_progress"


def test_moving_counts_and_the_same_again_changes_nothing(act, seen, code):
    act("Leo", visits.plan_visit, PLAN)
    moved = replace(PLAN, begins_at=later(days=2), ends_at=later(days=2, hours=1))
    for _time in range(2):
        act("Leo", visits.move_visit, moved, visit=True)
    _ticket, (visit,), lines = seen(code)
    assert (visit.sequence, visit.begins_at, visit.look_at) == (1, later(days=2), later(days=2))
    assert lines == ["visit_planned"] * 2


def test_cancelled_the_ticket_waits_no_more_and_another_may_be_planned(act, seen, code):
    act("Leo", visits.plan_visit, PLAN)
    with pytest.raises(Conflict):
        act("Leo", visits.plan_visit, PLAN)
    act("Leo", visits.cancel_visit, visit=True, why="The part is missing.")
    ticket, (visit,), lines = seen(code)
    assert (visit.state, visit.sequence, visit.look_at, ticket.state) == ("cancelled", 1, None, "in_progress")
    for verb, given in ((visits.move_visit, (PLAN,)), (visits.finish_visit, (REPORT,))):
        with pytest.raises(Conflict):
            act("Leo", verb, *given, visit=True)
    act("Leo", visits.plan_visit, PLAN)
    assert lines == ["visit_planned", "visit_cancelled"]
    assert [one.state for one in seen(code)[1]] == ["cancelled", "planned"]


def test_another_wait_is_left_alone(act, seen, code):
    """A ticket that waits for something else by then goes on waiting for it."""
    act("Leo", visits.plan_visit, PLAN)
    act("Leo", services.change_state, to="waiting", reason="part")
    act("Leo", visits.cancel_visit, visit=True, why="The part is missing.")
    assert seen(code)[0].waiting_reason == "part"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"begins_at": later(days=-3), "ends_at": later(days=-2)}, "on"),
        ({"begins_at": later(days=500), "ends_at": later(days=500, hours=1)}, "on"),
        ({"ends_at": later(days=1)}, "minutes"),
        ({"ends_at": later(days=9)}, "minutes"),
        ({"begins_at": later(hours=-3), "ends_at": later(hours=-2)}, "on"),
        ({"address": " "}, "address"),
        ({"address": "x" * 301}, "address"),
        ({"technician_user_id": -1}, "technician"),
    ],
)
def test_mistakes_are_named_and_nothing_is_kept(act, seen, code, changes, field):
    with pytest.raises(InvalidMany) as refused:
        act("Leo", visits.plan_visit, replace(PLAN, **changes))
    assert field in [name for name, _ in refused.value.errors]
    ticket, found, _lines = seen(code)
    assert (found, ticket.state) == ([], "new")


@pytest.mark.parametrize("who", ["Mallory", "Bob", "Tina"])
def test_nobody_without_grant_or_tier_is_sent(act, cast, who):
    act("Tina", services.hand_over, services.Briefing("It burns", "Water", "Wait"), to_tier="L2")
    with pytest.raises(InvalidMany, match="in L2"):
        act("Leo", visits.plan_visit, replace(PLAN, technician_user_id=cast.users[who]))


@pytest.mark.parametrize(
    ("report", "field"),
    [
        (visits.Report(" ", "solved"), "done"),
        (visits.Report("x" * 5001, "solved"), "done"),
        (visits.Report("Done", "gone"), "outcome"),
        (visits.Report("Done", "solved", [visits.Part("", "S1")]), "parts"),
        (visits.Report("Done", "solved", [visits.Part("x" * 121)]), "parts"),
        (visits.Report("Done", "solved", [visits.Part("a\x00")]), "parts"),
        (visits.Report("Done", "solved", [visits.Part("a")] * 21), "parts"),
    ],
)
def test_a_report_that_says_nothing_is_refused(act, seen, code, report, field):
    act("Leo", visits.plan_visit, PLAN)
    with pytest.raises(InvalidMany) as refused:
        act("Leo", visits.finish_visit, report, visit=True)
    assert field in [name for name, _ in refused.value.errors]
    assert seen(code)[1][0].state == "planned"


def test_clients_read_and_do_nothing(app, cast, act, seen, code):
    with pytest.raises(Forbidden):
        act("Bob", visits.plan_visit, PLAN)
    act("Leo", visits.plan_visit, PLAN)
    for verb, given in (
        (visits.move_visit, (PLAN,)),
        (visits.begin_visit, ()),
        (visits.finish_visit, (REPORT,)),
    ):
        with pytest.raises(Forbidden):
            act("Bob", verb, *given, visit=True)
    with personas.within(app, cast, "Bob"):
        (visit,) = db.session.scalars(select(Visit))
        visit.address = "Elsewhere"
        with pytest.raises(Exception, match="permission denied"):
            db.session.flush()
    with personas.within(app, cast, "Mallory"):
        assert db.session.scalars(select(Visit)).all() == []


def test_a_closed_ticket_and_a_stale_page_plan_nothing(act, seen, code):
    with pytest.raises(Conflict):
        act("Leo", visits.plan_visit, PLAN, rev=0)
    act("Leo", services.cancel_ticket, reason="Sold")
    with pytest.raises(Conflict):
        act("Leo", visits.plan_visit, PLAN)
    assert seen(code)[1] == []


def test_a_visit_that_is_moved_takes_no_resolved_ticket_back(act, seen, code):
    """Resolved from afar while a visit was ahead: it stays resolved, and its clock stays still."""
    act("Leo", visits.plan_visit, PLAN)
    act("Leo", services.resolve_ticket, solution="Restarted it from here.")
    moved = replace(PLAN, begins_at=later(days=2), ends_at=later(days=2, hours=1))
    with pytest.raises(Conflict):
        act("Leo", visits.move_visit, moved, visit=True)
    ticket, (visit,), _lines = seen(code)
    assert (ticket.state, ticket.waiting_reason, ticket.resolved_at) == ("resolved", None, MONDAY)
    assert visit.begins_at == PLAN.begins_at


def test_two_people_at_once_plan_one(act, seen, code):
    met, refused = threading.Barrier(2), []

    def plan(who):
        met.wait()
        try:
            act(who, visits.plan_visit, PLAN)
        except Conflict as conflict:
            refused.append(conflict)

    both = [threading.Thread(target=plan, args=(who,)) for who in ("Leo", "Nadia")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 1
    assert len(seen(code)[1]) == 1


def test_overlaps_are_told_whatever_the_client(app, cast, act, seen, code):
    person = cast.users["Leo"]
    act("Leo", visits.plan_visit, replace(PLAN, technician_user_id=person))
    for hours, clashes in ((-2, 0), (-1, 1), (1, 1), (2, 0)):
        other = opened(app, cast, slug="globex")
        begins = PLAN.begins_at + timedelta(hours=hours)
        there = visits.Plan(begins, begins + timedelta(hours=2), person, None, "Elsewhere")
        with personas.within(app, cast, "Leo") as leo:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == other)).one()
            visit = visits.plan_visit(ticket, there, by=leo, at=MONDAY)
            found = visits.list_clashes(visit)
            assert [one.address for one in found if one.address != "Elsewhere"] == [
                "Jl. Sudirman 1"
            ] * clashes
            db.session.rollback()


def test_others_visits_are_not_found(app, cast, act, seen, code):
    act("Leo", visits.plan_visit, PLAN)
    key = str(seen(code)[1][0].public_id)
    other = opened(app, cast)
    with personas.within(app, cast, "Leo"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == other)).one()
        for typed in (key, "x", "00000000-0000-0000-0000-000000000000"):
            with pytest.raises(NotFound):
                visits.find_visit(ticket, typed)
