"""What follows from visits: invitations that calendars understand, their beginning by the sweep, their end."""

import re
from dataclasses import replace
from datetime import timedelta

import icalendar
import pytest
from sqlalchemy import select, update

from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail
from msp.threads.visiting import sweep_due_visits
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import services, visits
from tenants.tickets.models import Ticket
from tenants.tickets.visit_models import Visit
from tests import personas
from tests.tickets import opened

PLACE = "Jl. Sudirman 1"


@pytest.fixture
def now():
    return time.now().replace(microsecond=0)


@pytest.fixture
def plan(now):
    return visits.Plan(now + timedelta(days=1), now + timedelta(days=1, hours=2), None, None, PLACE)


@pytest.fixture
def code(app, cast, now):
    return opened(app, cast, at=now)


@pytest.fixture
def act(app, cast, code):
    def do(who, verb, *given, visit=False, **more):
        with personas.within(app, cast, who) as by:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            found = [visits.list_visits(ticket)[0]] if visit else []
            verb(ticket, *found, *given, by=by, at=time.now(), **more)
            db.session.commit()

    return do


def visit_of(app, cast):
    with personas.within(app, cast, "acme"):
        return db.session.scalars(select(Visit)).one()


def invitations(smtp, to):
    """Method, UID, sequence, status and start of each invitation to an address, in the order of sending."""
    found = []
    for mail in smtp.received:
        if mail["To"] != to:
            continue
        for part in mail.walk():
            if part.get_content_type() == "text/calendar" and not part.get_filename():
                text = part.get_content()
                event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
                found.append(
                    (
                        part.get_param("method"),
                        str(event["UID"]),
                        event["SEQUENCE"],
                        str(event["STATUS"]),
                        event["DTSTART"].dt,
                        str(event["LOCATION"]),
                    )
                )
    return found


def test_invited_moved_and_called_off_under_one_uid(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, replace(plan, technician_user_id=cast.users["Nadia"]))
    run_all_due()
    later = replace(
        plan,
        begins_at=plan.begins_at + timedelta(hours=3),
        ends_at=plan.ends_at + timedelta(hours=3),
        technician_user_id=cast.users["Nadia"],
    )
    act("Leo", visits.move_visit, later, visit=True)
    run_all_due()
    act("Leo", visits.cancel_visit, visit=True, why="The part is missing.")
    run_all_due()
    for to in ("bob@example.test", "nadia@example.test"):
        found = invitations(mailing, to)
        assert [one[0] for one in found] == ["REQUEST", "REQUEST", "CANCEL"], to
        assert [one[2] for one in found] == [0, 1, 2]
        assert [one[3] for one in found] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
        assert [one[4] for one in found] == [plan.begins_at, later.begins_at, later.begins_at]
        assert {one[1] for one in found} == {found[0][1]}
        assert re.fullmatch(r"visit-[0-9a-f-]{36}@[\w.-]+", found[0][1])
        assert found[0][5] == PLACE


def test_the_mail_says_it_in_words_and_brings_a_file(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, plan)
    run_all_due()
    (mail,) = [one for one in mailing.received if "isit" in one["Subject"]]
    assert mail["To"] == "bob@example.test"
    text = mail.get_body(("plain",)).get_content()
    assert PLACE in text
    assert "not named yet" in text
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("visit.ics", "text/calendar")
    assert file.get_param("method") == "REQUEST"
    event = icalendar.Calendar.from_ical(file.get_content()).walk("VEVENT")[0]
    assert event["ORGANIZER"].lower().startswith("mailto:")
    assert event["ATTENDEE"] == "MAILTO:bob@example.test"
    assert event["DTSTART"].dt.utcoffset() == timedelta()


def test_whoever_goes_no_more_is_told_so(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, replace(plan, technician_user_id=cast.users["Nadia"]))
    run_all_due()
    act("Leo", visits.move_visit, replace(plan, technician_user_id=cast.users["Leo"]), visit=True)
    run_all_due()
    assert [one[0] for one in invitations(mailing, "nadia@example.test")] == ["REQUEST", "CANCEL"]
    assert [one[0] for one in invitations(mailing, "leo@example.test")] == ["REQUEST"]
    assert [one[0] for one in invitations(mailing, "bob@example.test")] == ["REQUEST", "REQUEST"]


def test_a_change_that_was_overtaken_is_told_once(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, plan)
    act("Leo", visits.move_visit, replace(plan, address="Jl. Thamrin 2"), visit=True)
    run_all_due()
    assert [one[2] for one in invitations(mailing, "bob@example.test")] == [1]
    with personas.within(app, cast, "acme"):
        told = select(OutgoingMail).where(OutgoingMail.template == "visit")
        assert len(db.session.scalars(told).all()) == 1


def test_the_sweep_begins_what_is_due_once(app, cast, act, plan, code):
    act("Leo", visits.plan_visit, plan)
    with app.app_context(), time.frozen(plan.begins_at - timedelta(seconds=1)):
        assert sweep_due_visits() == 0
    assert visit_of(app, cast).state == "planned"
    with app.app_context(), time.frozen(plan.begins_at):
        assert sweep_due_visits() == 1
        assert sweep_due_visits() == 0
    assert visit_of(app, cast).state == "under_way"
    with personas.within(app, cast, "acme"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        assert ticket.state == "in_progress"


def test_one_bad_visit_stops_nothing(app, cast, act, plan, monkeypatch):
    from msp.threads import visiting

    act("Leo", visits.plan_visit, plan)
    monkeypatch.setattr(visiting, "begin_visit", lambda *_given, **_more: 1 / 0)
    with app.app_context(), time.frozen(plan.begins_at):
        assert sweep_due_visits() == 0
    visit = visit_of(app, cast)
    assert visit.look_at == plan.begins_at + visiting.RETRY
    assert visit.state == "planned"


def test_nobody_goes_to_a_ticket_that_was_withdrawn(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, plan)
    act("Bob", services.cancel_ticket, reason="Sold")
    run_all_due()
    assert visit_of(app, cast).state == "cancelled"
    assert invitations(mailing, "bob@example.test")[-1][0] == "CANCEL"


def test_nobody_travels_to_a_ticket_that_was_resolved(app, cast, act, plan, mailing):
    """It was settled from afar; the technician's day is free again, and both are told."""
    act("Leo", visits.plan_visit, plan)
    act("Leo", services.resolve_ticket, solution="Restarted it from here.")
    run_all_due()
    assert visit_of(app, cast).state == "cancelled"
    run_all_due()
    assert [one[0] for one in invitations(mailing, "bob@example.test")][-1:] == ["CANCEL"]


def test_whoever_resolves_it_on_the_spot_still_reports(app, cast, act, plan, mailing):
    act("Leo", visits.plan_visit, plan)
    act("Leo", visits.begin_visit, visit=True)
    act("Leo", services.resolve_ticket, solution="Changed the disk.")
    run_all_due()
    assert visit_of(app, cast).state == "under_way"
    act("Leo", visits.finish_visit, visits.Report("Changed the disk.", "solved"), visit=True)
    assert visit_of(app, cast).state == "done"


def test_a_repeated_job_tells_nobody_twice(app, cast, act, plan, mailing):
    from tenants.foundation.scope import enter, sweeper
    from tenants.foundation.work import Work

    act("Leo", visits.plan_visit, plan)
    run_all_due()
    with enter(sweeper()):
        again = update(Work).where(Work.kind.in_(("invite_to_visit", "send_mail")))
        db.session.execute(again.values(state="due", due_at=plan.begins_at - timedelta(days=9)))
        db.session.commit()
    run_all_due()
    assert len(invitations(mailing, "bob@example.test")) == 1


def test_one_that_was_moved_meanwhile_is_not_begun(app, cast, act, plan):
    """The sweep reads what is due before it holds the ticket."""
    from msp.threads import visiting

    act("Leo", visits.plan_visit, plan)
    with personas.within(app, cast, "acme"):
        visit = db.session.scalars(select(Visit)).one()
        assert visiting._begin_due(visit.id, plan.begins_at - timedelta(seconds=1)) is False
        assert visit.state == "planned"
