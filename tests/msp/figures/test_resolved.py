"""Tables of what was resolved: what counts as what, for whom, and that the parts add up."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from contracts.timers.models import TicketTimer
from msp.figures.resolved import By, Of, list_behind, list_lines
from msp.staff import teams
from msp.staff.figures import figures_of
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.people.models import StaffMember
from tenants.tickets import categories, services
from tenants.tickets.models import HandOver
from tests import personas
from tests.counting import counted
from tests.msp.figures.conftest import DAY, HOUR, MONDAY, QUIET, period, resolved
from tests.tickets import open_in_scope


def lines(by, slug=""):
    return {one.key: one for one in list_lines(by, period(slug), QUIET)}


def parts(line):
    return line.figures.resolved, line.figures.stayed, line.figures.reopened, line.figures.came_back


def behind(by, of, key, *, limit=25, after=None):
    return list_behind(by, of, key, period(), QUIET, after=after, limit=limit)


def test_nothing_is_no_line(leo):
    assert [list_lines(by, period(), QUIET) for by in By] == [[]] * 4


def test_each_table_counts_the_same_ticket(leo, cast):
    printer = categories.add_category(name_en="Printer", name_id="Printer", parent=None, by=leo, at=MONDAY)
    resolved(cast, leo, category=printer)
    member = db.session.scalars(select(StaffMember).where(StaffMember.name == "Leo")).one()
    team = teams.save_team(
        None, name="Field", members=[member], lead=None, default_tier=None, by=leo, at=MONDAY
    )
    db.session.flush()
    keys = {
        By.TECHNICIAN: leo.id,
        By.TEAM: team.id,
        By.CLIENT: cast.tenants["acme"],
        By.CATEGORY: printer.id,
    }
    for by, key in keys.items():
        assert {one: parts(line) for one, line in lines(by).items()} == {key: (1, 1, 0, 0)}
    assert lines(By.CLIENT, "globex") == {}
    assert figures_of([leo.id], period().begin, period().end)[leo.id] == lines(By.TECHNICIAN)[leo.id].figures


def test_what_nobody_of_staff_resolved_counts_by_client_only(leo, cast):
    system = type(leo).system("import", via="command")
    resolved_by_nobody = open_in_scope(cast, leo, at=MONDAY)
    services.change_state(resolved_by_nobody, to="in_progress", by=leo, at=MONDAY)
    services.resolve_ticket(resolved_by_nobody, solution="", by=system, at=MONDAY)
    assert lines(By.TECHNICIAN) == {}
    assert parts(lines(By.CLIENT)[cast.tenants["acme"]]) == (1, 1, 0, 0)
    assert lines(By.CATEGORY)[None].figures.resolved == 1


def first_contact(by=By.CLIENT):
    (line,) = lines(by).values()
    return line.first_contact


def test_first_contact(leo, cast):
    resolved(cast, leo)
    assert first_contact() == 1


@pytest.mark.parametrize("what", ["spoke", "one reply"])
def test_one_reply_before_is_still_the_first_contact(leo, cast, what):
    ticket = open_in_scope(cast, leo, at=MONDAY - 2 * HOUR)
    services.take_ticket(ticket, by=leo, at=MONDAY - 2 * HOUR)
    if what == "spoke":
        services.add_message(
            ticket, body="", kind="internal", spoke_with_caller=True, by=leo, at=MONDAY - 2 * HOUR
        )
    else:
        services.add_message(ticket, body="I look.", by=leo, at=MONDAY - HOUR)
    services.add_message(ticket, body="Spooler?", kind="internal", by=leo, at=MONDAY - HOUR)
    services.resolve_ticket(ticket, solution="Done.", by=leo, at=MONDAY)
    assert first_contact() == 1


@pytest.mark.parametrize("what", ["another", "two replies", "asked again", "passed", "reopened"])
def test_no_first_contact(leo, cast, app, what):
    ticket = open_in_scope(cast, leo, at=MONDAY - 3 * HOUR)
    tina, bob = personas.actor(app, cast, "Tina"), personas.actor(app, cast, "Bob")
    services.add_message(ticket, body="I look.", by=tina if what == "another" else leo, at=MONDAY - 2 * HOUR)
    if what == "two replies":
        services.add_message(ticket, body="I still look.", by=leo, at=MONDAY - HOUR)
    if what == "asked again":
        services.add_message(ticket, body="And?", by=bob, at=MONDAY - HOUR)
    if what == "passed":
        handed_over(ticket, leo, personas.actor(app, cast, "Nadia"))
    services.resolve_ticket(ticket, solution="Done.", by=leo, at=MONDAY)
    if what == "reopened":
        services.reopen_ticket(ticket, because="No.", by=leo, at=MONDAY + DAY)
    assert first_contact() == 0


def handed_over(ticket, by, other):
    briefing = services.Briefing(symptoms="It burns.", tried="Water.", told_requester="Wait.")
    services.hand_over(ticket, briefing, to_tier="L3", by=by, at=MONDAY - 2 * HOUR)
    services.return_hand_over(ticket, reason="Which printer?", by=other, at=MONDAY - HOUR)


def test_returned_hand_overs_are_theirs_who_made_them(leo, cast, app):
    ticket = open_in_scope(cast, leo, at=MONDAY - 3 * HOUR)
    services.take_ticket(ticket, by=leo, at=MONDAY - 3 * HOUR)
    handed_over(ticket, leo, personas.actor(app, cast, "Nadia"))
    assert {key: one.returned for key, one in lines(By.TECHNICIAN).items()} == {leo.id: 1}
    assert {key: one.returned for key, one in lines(By.CATEGORY).items()} == {None: 1}
    (row,) = behind(By.TECHNICIAN, Of.RETURNED, leo.id)
    assert row.ticket_id == ticket.id
    db.session.execute(update(HandOver).values(state="accepted"))
    assert lines(By.CLIENT) == {}


def test_times_are_the_clocks_business_seconds(leo, cast):
    tickets = [resolved(cast, leo) for _ in range(11)]
    for number, ticket in enumerate(tickets):
        for name, seconds in (("response", 60 * number), ("resolution", 600 * number)):
            db.session.add(_timer(ticket, name, 1, seconds))
    # A second cycle counts with the first; one that runs leaves its ticket out.
    db.session.add(_timer(tickets[10], "resolution", 2, 4000))
    db.session.add(_timer(tickets[0], "resolution", 2, None))
    db.session.flush()
    (line,) = lines(By.CLIENT).values()
    assert (line.reply.measured, line.reply.median, line.reply.ninety) == (11, 300, 540)
    assert (line.resolution.measured, line.resolution.median) == (10, 3300)
    assert line.reply.is_enough


def _timer(ticket, name, cycle, seconds):
    own = select(TicketTimer).where(TicketTimer.ticket_id == ticket.id, TicketTimer.clock == name)
    found = db.session.scalars(own.where(TicketTimer.cycle == cycle)).one_or_none() or TicketTimer(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        contract_version_id=ticket.contract_version_id,
        clock=name,
        cycle=cycle,
        priority="P3",
        target_seconds=600,
        target_version=1,
        state="met",
        started_at=MONDAY,
    )
    found.elapsed_seconds = seconds
    return found


def test_statements_do_not_grow(leo, cast, app):
    def ask():
        with counted(app) as count:
            for by in By:
                list_lines(by, period(), QUIET)
            return count()

    resolved(cast, leo)
    few = ask()
    for _ in range(5):
        resolved(cast, leo)
    assert ask() == few == 12


# -- against plain Python ---------------------------------------------------------------------------------

ACTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # whose asset, 0 for none
        st.integers(0, 30),  # days after the start
        st.lists(st.tuples(st.sampled_from(["reopen", "resolve"]), st.integers(1, 20)), max_size=4),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_the_parts_add_up_as_a_plain_count_does(leo, cast, histories):
    point = db.session.begin_nested()
    try:
        assets = [
            None,
            *db.session.scalars(select(Asset).where(Asset.tenant_id == cast.tenants["acme"])).all(),
        ]
        told = [_play(cast, leo, assets, *one) for one in histories]
        (line,) = lines(By.TECHNICIAN).values()
        expected = Counter(_fate(one, told) for one in told)
        assert parts(line)[1:] == (expected["stayed"], expected["reopened"], expected["came_back"])
        assert line.figures.resolved == len(told) == sum(parts(line)[1:])
        for of in (Of.STAYED, Of.REOPENED, Of.CAME_BACK):
            found = {one.ticket_id for one in behind(By.TECHNICIAN, of, leo.id)}
            assert found == {one["id"] for one in told if _fate(one, told) == of.value}
    finally:
        point.rollback()


def _play(cast, leo, assets, which, day, acts):
    at = MONDAY - 20 * DAY + day * DAY
    asset = assets[min(which, len(assets) - 1)]
    ticket = resolved(cast, leo, at=at, asset=asset)
    told = {"id": ticket.id, "asset": asset, "opened": at - 2 * HOUR, "resolved": [at], "reopened": []}
    is_open = False
    for act, days in acts:
        at += days * DAY
        if (act == "reopen") == is_open:
            continue
        if act == "reopen":
            services.reopen_ticket(ticket, because="Again.", by=leo, at=at)
        else:
            services.resolve_ticket(ticket, solution="Done.", by=leo, at=at)
        told["reopened" if act == "reopen" else "resolved"].append(at)
        is_open = act == "reopen"
    return told


def _fate(one, told):
    first = min(one["resolved"])
    if any(first <= at <= first + QUIET for at in one["reopened"]):
        return "reopened"
    again = [
        other
        for other in told
        if one["asset"] is not None
        and other["asset"] is one["asset"]
        and other["id"] != one["id"]
        and first < other["opened"] <= first + QUIET
    ]
    return "came_back" if again else "stayed"


def test_the_tickets_behind_a_number_come_in_pages(leo, cast):
    for number in range(5):
        resolved(cast, leo, at=MONDAY + (number // 2) * DAY)
    rows, after = [], None
    while True:
        found = behind(By.CLIENT, Of.RESOLVED, cast.tenants["acme"], limit=2, after=after)
        rows += found[:2]
        if len(found) <= 2:
            break
        after = (found[1].at, found[1].sort)
    assert len({one.ticket_id for one in rows}) == len(rows) == 5
    assert all((one.at, one.sort) > (two.at, two.sort) for one, two in pairwise(rows))
    assert behind(By.CLIENT, Of.RESOLVED, cast.tenants["globex"]) == []


def test_only_what_is_in_scope(app, cast, leo):
    resolved(cast, leo, slug="globex", at=MONDAY)
    db.session.commit()
    assert set(lines(By.CLIENT)) == {cast.tenants["globex"]}
    with personas.within(app, cast, "Tina"):
        assert lines(By.CLIENT) == {}
        assert behind(By.CLIENT, Of.RESOLVED, cast.tenants["globex"]) == []


def test_the_quiet_time_is_the_reader_s_choice(leo, cast):
    ticket = resolved(cast, leo)
    services.reopen_ticket(ticket, because="Again.", by=leo, at=MONDAY + 8 * DAY)
    for days, reopened in ((7, 0), (14, 1)):
        (line,) = list_lines(By.CLIENT, period(), timedelta(days=days))
        assert line.figures.reopened == reopened
