"""The comparison by night, by command and on the manager's page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from contracts.timers.models import TimerCheck, TimerDifference
from msp.background import runner
from msp.reports import comparing
from msp.reports.comparing import VERIFY, VERIFY_OPEN, ask_for_checks, next_night
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Work, request_work
from tests.tickets import MONDAY, opened

LATER = MONDAY + timedelta(minutes=30)
PLANT = "UPDATE ticket_timers SET due_at = '2030-01-01T00:00Z' WHERE clock = 'resolution'"


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


def _night(app, within):
    """Do the night's work of Acme, piece by piece; returns how many pieces it took."""
    with within("acme") as acme:
        request_work(VERIFY, tenant_id=acme)
        db.session.commit()
    return _rest(app, within)


def _rest(app, within):
    pieces = 0
    while due := _due(within):
        with within("acme") as acme, app.app_context(), time.frozen(LATER):
            assert runner.run_claimed(acme, *due)
        pieces += 1
    return pieces


def _due(within):
    with within("acme"):
        asked = select(Work.id).where(Work.kind.in_((VERIFY, VERIFY_OPEN)), Work.state == "due")
        return db.session.scalars(asked).all()


def _kept(within):
    with within("acme"):
        checks = db.session.scalars(select(TimerCheck)).all()
        return [
            (one.open_tickets, one.closed_tickets, one.differences) for one in checks
        ], db.session.scalars(select(TimerDifference)).all()


def test_the_command_says_what_differs(app, cast, code, superuser):
    runner_of_commands = app.test_cli_runner()
    with time.frozen(LATER):
        clean = runner_of_commands.invoke(args=["sla", "verify", "--tenant", "acme"])
        superuser.execute(PLANT)
        found = runner_of_commands.invoke(args=["sla", "verify"])
    assert (clean.exit_code, clean.output.splitlines()[-1]) == (0, "0 differences")
    assert found.exit_code == 1
    assert f"  {code} resolution 1 due_at: stored 2030-01-01T00:00:00+00:00, recomputed 2026-" in found.output
    assert "1 differences" in found.output


def test_the_command_refuses_an_unknown_client(app, cast):
    found = app.test_cli_runner().invoke(args=["sla", "verify", "--tenant", "nobody"])
    assert found.exit_code == 1
    assert "no client is called nobody" in found.output


def test_a_night_keeps_what_it_found_once_a_day(app, within, code, superuser):
    superuser.execute(PLANT)
    _night(app, within)
    _night(app, within)
    checks, (difference,) = _kept(within)
    assert checks == [(1, 0, 1)]
    assert (difference.code, difference.clock, difference.field) == (code, "resolution 1", "due_at")


def test_a_night_of_many_tickets_is_cut_into_pieces(app, cast, within, superuser, monkeypatch):
    monkeypatch.setattr(comparing, "PIECE", 2)
    codes = [opened(app, cast) for _ in range(5)]
    superuser.execute(PLANT)
    assert _night(app, within) == 4  # the closed ones, and two, two and one of the open ones
    checks, differences = _kept(within)
    assert checks == [(5, 0, 5)]
    assert sorted(one.code for one in differences) == sorted(codes)


def test_a_piece_that_fails_adds_nothing_and_is_done_again(app, cast, within, superuser, monkeypatch):
    monkeypatch.setattr(comparing, "PIECE", 2)
    for _ in range(3):
        opened(app, cast)
    superuser.execute(PLANT)
    add = comparing.add_to_check

    def add_and_fail(*given):
        add(*given)
        raise RuntimeError("no")

    with within("acme") as acme:
        request_work(VERIFY, tenant_id=acme)
        db.session.commit()
    with app.app_context(), time.frozen(LATER):
        assert runner.run_claimed(acme, *_due(within))
        monkeypatch.setattr(comparing, "add_to_check", add_and_fail)
        assert not runner.run_claimed(acme, *_due(within))
    monkeypatch.setattr(comparing, "add_to_check", add)
    assert _kept(within) == ([(0, 0, 0)], [])
    superuser.execute("UPDATE work SET due_at = now() WHERE state = 'due'")
    _rest(app, within)
    assert _kept(within)[0] == [(3, 0, 3)]


def test_two_sweepers_ask_for_one_night(app, within, cast):
    with app.app_context(), time.frozen(LATER):
        ask_for_checks()
        ask_for_checks()
    with within("acme"):
        (row,) = db.session.scalars(select(Work).where(Work.kind == VERIFY)).all()
    assert row.due_at == datetime(2026, 3, 2, 19, 30, tzinfo=UTC)  # half past two in Jakarta


def test_a_night_is_the_next_one():
    at = datetime(2026, 3, 2, 19, 29, tzinfo=UTC)
    assert next_night(at, "Asia/Jakarta") - at == timedelta(minutes=1)
    assert next_night(at + timedelta(minutes=1), "Asia/Jakarta") - at == timedelta(days=1, minutes=1)


def test_managers_read_what_was_found(app, within, code, superuser, sign_in):
    assert "No night has passed yet" in sign_in("Mia").get("/console/sla").text
    _night(app, within)
    assert "Nothing differs" in sign_in("Mia").get("/console/sla").text


def test_managers_read_both_values(app, within, code, superuser, sign_in):
    superuser.execute(PLANT)
    _night(app, within)
    page = sign_in("Owen").get("/console/sla")
    assert code in page.text
    assert "2030-01-01" in page.text
    assert sign_in("Tina").get("/console/sla").status_code == 403
    assert sign_in("Alice").get("/console/sla").status_code == 403
