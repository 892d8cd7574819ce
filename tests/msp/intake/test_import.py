"""`flask tickets import`: history replayed with its own times, once, silently."""

import os
from pathlib import Path

import pytest
from sqlalchemy import func, select

from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.queries import list_attainment
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Work
from tenants.tickets.categories import add_category, read_tree
from tenants.tickets.models import ImportedRow, Ticket, TicketEvent
from tenants.tickets.queries import list_history
from tests.msp.intake.incidents import course, row, write

SAMPLE = os.environ.get("PORTAL_SAMPLE_INCIDENTS", "")


@pytest.fixture
def load(app, cast, tmp_path):
    """Import events into Acme; the result of the command."""

    def run(*rows, slug="acme", strict=False, path=None):
        file = path or write(tmp_path / "log.csv", *rows)
        flags = ["--strict"] if strict else []
        asked = ["tickets", "import", "--tenant", slug, "--format", "servicenow", *flags, str(file)]
        return app.test_cli_runner().invoke(args=asked)

    return run


@pytest.fixture
def ticket(within):
    """A ticket of Acme's by its number in the log, with its history."""

    def find(number="INC1"):
        with within("acme"):
            found = db.session.scalars(select(Ticket).where(Ticket.external_number == number)).one()
            return found, list(list_history(found.id))

    return find


def count(within, model, slug="acme"):
    with within(slug):
        return db.session.scalar(select(func.count()).select_from(model))


def paths(within):
    """The path of each ticket's category by its number in the log."""
    with within("acme"):
        tree = read_tree()
        rows = db.session.execute(select(Ticket.external_number, Ticket.category_id))
        return {number: tree.path(category) for number, category in rows}


def test_the_log_s_kinds_become_categories_apart_from_our_own(app, cast, within, load, as_actor):
    with within("Mia"):
        ours = add_category(
            name_en="Network", name_id="Jaringan", parent=None, by=as_actor("Mia"), at=time.now()
        )
        add_category(name_en="Wi-Fi", name_id="Nirkabel", parent=ours, by=as_actor("Mia"), at=time.now())
        db.session.commit()
    kinds = {
        "INC1": ("Category 55", "Subcategory 170"),
        "INC2": ("category 55", "Subcategory 170"),
        "INC3": ("jaringan", "Wi-Fi"),
        "INC4": ("Category 55", "?"),
        "INC5": ("?", "?"),
    }
    for _again in range(2):
        rows = [row(number=number, category=one, subcategory=two) for number, (one, two) in kinds.items()]
        assert load(*rows).exit_code == 0
    below = "Imported / Category 55"
    assert paths(within) == {
        "INC1": f"{below} / Subcategory 170",
        "INC2": f"{below} / Subcategory 170",
        "INC3": "Network / Wi-Fi",
        "INC4": below,
        "INC5": "",
    }
    with within("acme"):
        assert len(read_tree().places) == 5


WHOLE = course(
    "INC1",
    ("New", "02-03-2026 10:05"),
    ("Active", "02-03-2026 11:00"),
    ("Awaiting User Info", "02-03-2026 12:00"),
    ("Resolved", "02-03-2026 14:00"),
    ("Closed", "07-03-2026 12:00"),
    resolved_at="02-03-2026 14:00",
)


def test_an_incident_becomes_a_ticket_with_its_history(load, ticket, within):
    result = load(*WHOLE)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["1 tickets opened, 5 rows replayed, 0 known already"]
    found, history = ticket()
    assert (found.state, found.source, found.priority, found.requester_name) == (
        "closed",
        "import",
        "P3",
        "Caller 7",
    )
    assert found.subject == "Category 5: Symptom 2"
    assert found.assignee_name == "Group 1"
    assert found.opened_at.isoformat() == "2026-03-02T03:00:00+00:00"
    assert found.resolved_at.isoformat() == "2026-03-02T07:00:00+00:00"
    assert [one.kind for one in history] == [
        "opened", "assigned", "state_changed", "state_changed", "resolved", "closed",
    ]  # fmt: skip
    assert [one.at.hour for one in history] == [3, 3, 4, 5, 7, 5]
    assert {one.actor_name for one in history} == {"Updated by 3"}


def test_only_solutions_are_measured_and_waiting_pauses(load, ticket, within):
    load(*WHOLE)
    with within("acme"):
        (timer,) = db.session.scalars(select(TicketTimer)).all()
        marks = db.session.scalars(select(TimerMark)).all()
    assert (timer.clock, timer.state) == ("resolution", "met")
    assert timer.started_at.isoformat() == "2026-03-02T03:00:00+00:00"
    assert [one.mark for one in marks] == ["met"]


def test_a_late_solution_is_missed_once_with_the_log_s_time(load, within):
    load(*course("INC1", ("New", "02-03-2026 10:05"), ("Resolved", "20-03-2026 10:05")))
    with within("acme"):
        marks = {one.mark: one for one in db.session.scalars(select(TimerMark)) if one.mark != "warning"}
    assert list(marks) == ["missed"]
    assert marks["missed"].at.isoformat() == "2026-03-04T09:00:00+00:00"


def test_nothing_is_sent_for_the_past(load, superuser):
    before = superuser.execute("SELECT count(*) FROM work").fetchone()
    load(*WHOLE, *course("INC2", ("New", "02-03-2026 10:05")))
    assert superuser.execute("SELECT count(*) FROM work").fetchone() == before


def test_a_ticket_that_is_still_open_is_settled_silently(load, ticket, within):
    load(*course("INC1", ("New", "02-03-2026 10:05")))
    with within("acme"):
        (timer,) = db.session.scalars(select(TicketTimer)).all()
        marks = sorted(one.mark for one in db.session.scalars(select(TimerMark)))
    assert timer.state == "missed"
    assert timer.look_at is None
    assert marks == ["missed", "warning", "warning", "warning"]


def test_importing_again_changes_nothing(load, within, superuser):
    load(*WHOLE)
    before = [
        superuser.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()
        for name in ("tickets", "ticket_events", "ticket_timers", "timer_marks", "audit_entries")
    ]
    again = load(*WHOLE)
    assert again.stdout.splitlines() == ["0 tickets opened, 0 rows replayed, 5 known already"]
    after = [
        superuser.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()
        for name in ("tickets", "ticket_events", "ticket_timers", "timer_marks", "audit_entries")
    ]
    assert before == after


def test_later_rows_go_on_where_the_log_ended(load, ticket):
    load(*WHOLE[:2])
    assert ticket()[0].state == "in_progress"
    result = load(*WHOLE)
    assert "3 rows replayed, 2 known already" in result.stdout
    assert ticket()[0].state == "closed"


def test_earlier_rows_come_too_late(load, ticket):
    load(*WHOLE[1:3])
    result = load(*WHOLE)
    assert "line 2: is older than what the ticket shows already" in result.stderr
    assert ticket()[0].state == "closed"


def test_a_bad_row_is_reported_and_the_rest_goes_in(load, ticket):
    rows = [*WHOLE[:2], row(sys_mod_count="7", incident_state="-100"), *WHOLE[3:]]
    result = load(*rows)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == ['line 4: incident_state "-100" is not known']
    assert "1 rows refused" in result.stdout
    assert ticket()[0].state == "closed"


@pytest.mark.parametrize(
    "bad",
    [row(number="INC2", priority="none"), *course("INC1", ("Active", "09-03-2026 10:00"))[:1]],
    ids=["unreadable", "impossible"],
)
def test_strict_is_all_or_nothing(load, within, bad):
    bad = bad | {"sys_mod_count": "9"}
    result = load(*WHOLE, bad, strict=True)
    assert result.exit_code == 1
    assert "line 7: " in result.stderr
    assert "nothing was imported" in result.stderr
    assert (count(within, Ticket), count(within, ImportedRow), count(within, TicketEvent)) == (0, 0, 0)
    assert load(*WHOLE, strict=True).exit_code == 0
    assert count(within, Ticket) == 1


def test_a_closed_ticket_does_not_open_again(load, ticket):
    result = load(*WHOLE, row(incident_state="Active", sys_mod_count="9", sys_updated_at="09-03-2026 10:00"))
    assert "line 7: there is no way from closed to in_progress" in result.stderr
    assert ticket()[0].state == "closed"


def test_reopening_goes_on_with_the_clock(load, ticket):
    load(
        *course(
            "INC1",
            ("New", "02-03-2026 10:05"),
            ("Resolved", "02-03-2026 11:00"),
            ("Active", "02-03-2026 12:00"),
            ("Resolved", "02-03-2026 13:00"),
        )
    )
    kinds = [one.kind for one in ticket()[1]]
    assert kinds.count("reopened") == 1
    assert kinds.count("resolved") == 2


def test_a_ticket_never_becomes_new_again(load, ticket):
    late = row(sys_mod_count="1", sys_updated_at="02-03-2026 14:07", reopen_count="0")
    load(*WHOLE[:4], late)
    assert ticket()[0].state == "resolved"
    counted = row(sys_mod_count="8", sys_updated_at="02-03-2026 14:09", reopen_count="1")
    load(*WHOLE[:4], late, counted)
    assert ticket()[0].state == "in_progress"


def test_new_ends_a_wait(load, ticket):
    load(*WHOLE[:3], row(sys_mod_count="8", sys_updated_at="02-03-2026 13:00"))
    assert ticket()[0].state == "in_progress"


def test_priorities_follow_the_log_in_one_step(load, ticket):
    high = {"impact": "1 - High", "urgency": "1 - High", "priority": "1 - Critical", "sys_mod_count": "1"}
    odd = {"impact": "3 - Low", "urgency": "3 - Low", "priority": "2 - High", "sys_mod_count": "2"}
    load(row(), row(**high, sys_updated_at="02-03-2026 10:30"), row(**odd, sys_updated_at="02-03-2026 10:40"))
    found, history = ticket()
    assert (found.priority, found.impact, found.priority_overridden) == ("P2", "low", True)
    changes = [one.data["to_priority"] for one in history if one.kind == "reprioritised"]
    assert changes == ["P1", "P2"]


def test_groups_are_kept_in_the_history(load, ticket):
    load(row(), row(sys_mod_count="1", sys_updated_at="02-03-2026 10:30", assignment_group="Group 2"))
    moves = [(one.data["from_name"], one.data["to_name"]) for one in ticket()[1] if one.kind == "assigned"]
    assert moves == [(None, "Group 1"), ("Group 1", "Group 2")]


def test_event_time_decides_and_differences_are_counted(load, ticket):
    rows = [one | {"resolved_at": "03-03-2026 09:00"} for one in WHOLE]
    result = load(*rows)
    assert "1 tickets: resolved_at is another time" in result.stdout
    assert ticket()[0].resolved_at.isoformat() == "2026-03-02T07:00:00+00:00"


def test_an_event_before_the_opening_opens(load, ticket):
    load(*[one | {"opened_at": "02-03-2026 10:30"} for one in WHOLE])
    assert ticket()[0].opened_at.isoformat() == "2026-03-02T03:05:00+00:00"


def test_without_a_contract_no_clock_runs_and_it_is_said(load, within):
    result = load(
        *course(
            "INC1",
            ("New", "29-02-2016 10:05"),
            ("Resolved", "29-02-2016 10:30"),
            opened_at="29-02-2016 10:00",
        )
    )
    assert "1 tickets: no contract was in force" in result.stdout
    assert count(within, TimerMark) == 0


def test_one_audit_entry_tells_of_the_whole(load, superuser):
    load(*WHOLE)
    rows = superuser.execute("SELECT action, body FROM audit_entries WHERE action LIKE 'ticket%'").fetchall()
    assert [action for action, _body in rows] == ["tickets.imported"]
    assert '"rows":5' in rows[0][1]


def test_tenants_are_apart(load, within):
    load(*WHOLE)
    load(*WHOLE, slug="globex")
    assert count(within, Ticket) == count(within, Ticket, "globex") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--tenant", "nobody", "--format", "servicenow"], 1),
        (["--tenant", "acme", "--format", "jira"], 2),
        (["--tenant", "acme"], 2),
        (["--format", "servicenow"], 2),
    ],
)
def test_exit_codes(app, cast, tmp_path, arguments, code):
    file = write(tmp_path / "log.csv", *WHOLE)
    result = app.test_cli_runner().invoke(args=["tickets", "import", *arguments, str(file)])
    assert result.exit_code == code
    assert result.stderr


def test_a_file_that_is_missing_or_something_else(app, cast, load, tmp_path):
    assert load(path=tmp_path / "none.csv").exit_code == 2
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    result = load(path=tmp_path / "other.csv")
    assert result.exit_code == 1
    assert "no column number" in result.stderr
    assert app.test_cli_runner().invoke(args=["tickets", "import", "--help"]).exit_code == 0


@pytest.mark.skipif(not SAMPLE, reason="PORTAL_SAMPLE_INCIDENTS names no sample")
def test_the_sample(app, cast, load, within, superuser):
    """534 real incidents; a contract is in force for them, and every one is decided."""
    superuser.execute("UPDATE contracts SET starts_on = '2016-01-01'")
    superuser.execute(
        "UPDATE contract_versions SET in_force_on = '2016-01-01', in_force_from = '2015-12-31T17:00:00Z'"
    )
    result = load(path=Path(SAMPLE), strict=True)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("534 tickets opened, 3611 rows replayed, 0 known already")
    with within("acme"):
        states = dict(db.session.execute(select(Ticket.state, func.count()).group_by(Ticket.state)).all())
        begin, end = (db.session.scalar(select(one(TimerMark.at))) for one in (func.min, func.max))
        attained = list_attainment(begin, end, cast.tenants["acme"])
        assert count(within, Work) == 0
    assert states == {"closed": 534}
    assert {one.clock for one in attained} == {"resolution"}
    assert "0 rows replayed, 3611 known already" in load(path=Path(SAMPLE)).stdout
