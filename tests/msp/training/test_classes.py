"""Classes: planned once, changed, cancelled, answered, held; everybody is told of each change once."""

from datetime import timedelta

import icalendar
import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail
from msp.training import jobs, queries, seats, services
from msp.training.models import TrainingClass, TrainingSeat
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.work import Claimed
from tests import personas


def invitations(smtp, to):
    """Method, sequence and attendees of each invitation to an address, in the order of sending."""
    found = []
    for mail in smtp.received:
        if mail["To"] != to:
            continue
        for part in mail.walk():
            if part.get_content_type() == "text/calendar" and not part.get_filename():
                event = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")[0]
                found.append((part.get_param("method"), event["SEQUENCE"], str(event["UID"]), event))
    return found


def mails(app, cast):
    with personas.within(app, cast, "acme"):
        asked = select(OutgoingMail.to_address, OutgoingMail.subject).where(
            OutgoingMail.template == "training"
        )
        return [tuple(row) for row in db.session.execute(asked.order_by(OutgoingMail.id))]


def seats_of(app, cast):
    with personas.within(app, cast, "acme"):
        found = db.session.scalars(select(TrainingSeat).order_by(TrainingSeat.name)).all()
        return {one.name: (one.invited_at is not None, one.answer, one.came) for one in found}


def audited(app, cast):
    with personas.within(app, cast, "acme"):
        asked = select(AuditEntry.action).where(AuditEntry.action.startswith("training."))
        return list(db.session.scalars(asked.order_by(AuditEntry.seq)))


def test_invited_moved_and_cancelled_under_one_uid(app, cast, planned, plan, act, mailing, now):
    class_id = planned(trainer_user_id=cast.users["Leo"])
    people = [cast.users["Alice"], cast.users["Bob"]]
    assert act("Mia", seats.invite_people, class_id, people) == 2
    run_all_due()
    moved = plan(trainer_user_id=cast.users["Nadia"], begins_at=now + timedelta(days=4))
    act("Mia", services.change_class, class_id, moved)
    run_all_due()
    act("Mia", services.cancel_class, class_id, why="The room is closed.")
    run_all_due()
    for name in ("Alice", "Bob"):
        found = invitations(mailing, personas.email(name))
        assert [one[:2] for one in found] == [("REQUEST", 0), ("REQUEST", 1), ("CANCEL", 2)]
        assert len({one[2] for one in found}) == 1
        # Nobody reads who else is invited.
        assert all(str(one[3]["ATTENDEE"]).lower() == f"mailto:{personas.email(name)}" for one in found)
        assert found[1][3]["DTSTART"].dt == now + timedelta(days=4)
    assert [one[:2] for one in invitations(mailing, personas.email("Leo"))] == [("REQUEST", 0), ("CANCEL", 1)]
    assert [one[:2] for one in invitations(mailing, personas.email("Nadia"))] == [
        ("REQUEST", 1),
        ("CANCEL", 2),
    ]
    assert audited(app, cast) == [f"training.{one}" for one in ("planned", "invited", "changed", "cancelled")]


def test_a_second_click_plans_no_second_class(app, cast, category, plan, now):
    with personas.within(app, cast, "Mia") as mia:
        rows = [
            services.plan_class(
                cast.tenants["acme"], category, plan(), by=mia, at=now, request_key="the-same"
            ).public_id
            for _click in range(2)
        ]
        db.session.commit()
    assert rows[0] == rows[1]
    assert audited(app, cast) == ["training.planned"]


def test_everybody_is_told_once_whatever_runs_twice(app, cast, planned, act, mailing):
    class_id = planned()
    for _click in range(2):
        act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    run_all_due()
    with personas.within(app, cast, "acme") as tenant_id:
        row = db.session.scalars(select(TrainingClass)).one()
        arguments = {"class": row.id, "sequence": 0, "left": None}
        jobs.tell_training(Claimed(tenant_id, 1, "tell_training", "mail", arguments, 1, 1))
        db.session.commit()
    run_all_due()
    assert mails(app, cast) == [("bob@example.test", "Training: Printing without paper jams")]
    assert len(invitations(mailing, "bob@example.test")) == 1
    # Who is invited later does not disturb those who know already.
    act("Mia", seats.invite_people, class_id, [cast.users["Alice"]])
    run_all_due()
    assert [one[0] for one in mails(app, cast)] == ["bob@example.test", "alice@example.test"]


def test_the_same_again_tells_nobody(app, cast, planned, plan, act):
    class_id = planned()
    act("Mia", services.change_class, class_id, plan())
    assert audited(app, cast) == ["training.planned"]


def test_an_old_page_is_refused(planned, plan, act):
    class_id = planned()
    act("Mia", services.change_class, class_id, plan(title="Another"), seen=0)
    with pytest.raises(Conflict):
        act("Mia", services.change_class, class_id, plan(title="A third"), seen=0)


def test_whoever_answered_is_asked_anew_about_another_time(app, cast, planned, plan, act, now):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    act("Bob", seats.answer_invitation, class_id, yes=True)
    act("Mia", services.change_class, class_id, plan(title="Another title"))
    assert seats_of(app, cast)["Bob"][1] == "yes"
    act("Mia", services.change_class, class_id, plan(begins_at=now + timedelta(days=9)))
    assert seats_of(app, cast)["Bob"][1] == "none"


def test_answers_are_ones_own_and_end_with_the_beginning(app, cast, planned, act, now):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    for _click in range(2):
        act("Bob", seats.answer_invitation, class_id, yes=True)
    act("Bob", seats.answer_invitation, class_id, yes=False)
    assert audited(app, cast).count("training.answered") == 2
    assert seats_of(app, cast) == {"Bob": (True, "no", None)}
    with pytest.raises(Forbidden):
        act("Alice", seats.answer_invitation, class_id, yes=True)
    with pytest.raises(Conflict):
        act("Bob", seats.answer_invitation, class_id, yes=True, at=now + timedelta(days=3))


def test_who_came_may_be_somebody_whom_nobody_invited(app, cast, planned, act, now):
    class_id, after = planned(trainer_user_id=cast.users["Leo"]), now + timedelta(days=3, hours=1)
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    with pytest.raises(Conflict):
        act("Leo", seats.hold_class, class_id, [cast.users["Bob"]])
    with pytest.raises(Forbidden):
        act("Nadia", seats.hold_class, class_id, [cast.users["Bob"]], at=after)
    with pytest.raises(Invalid):
        act("Leo", seats.hold_class, class_id, [], at=after)
    with pytest.raises(Invalid):
        act("Leo", seats.hold_class, class_id, [cast.users["Mallory"]], at=after)
    act("Leo", seats.hold_class, class_id, [cast.users["Alice"]], at=after)
    assert seats_of(app, cast) == {"Alice": (False, "none", True), "Bob": (True, "none", False)}
    act("Leo", seats.hold_class, class_id, [cast.users["Bob"]], at=after)
    assert seats_of(app, cast) == {"Alice": (False, "none", False), "Bob": (True, "none", True)}
    assert audited(app, cast)[-2:] == ["training.held", "training.attendance_corrected"]
    with pytest.raises(Conflict):
        act("Mia", services.cancel_class, class_id, why="Too late")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 161}),
        ("teaches", {"teaches": ""}),
        ("language", {"language": "fr"}),
        ("on", {"begins_at": time.now() - timedelta(hours=1)}),
        ("on", {"begins_at": time.now() + timedelta(days=402)}),
        ("minutes", {"minutes": 9}),
        ("minutes", {"minutes": 1441}),
        ("place", {"place": ""}),
        ("place", {"place": "x" * 301}),
        ("link", {"link": "javascript:alert(1)"}),
        ("link", {"link": "ftp://x.test/"}),
        ("link", {"link": "https://me:secret@x.test/"}),
        ("trainer", {"trainer_user_id": -1}),
    ],
)
def test_what_is_unfit_is_named(planned, field, changes):
    with pytest.raises(Invalid) as refused:
        planned(**changes)
    assert field in [name for name, _said in refused.value.errors]


def test_a_trainer_works_for_the_client(cast, planned):
    with pytest.raises(Invalid):
        planned(slug="globex", trainer_user_id=cast.users["Tina"])
    assert planned(slug="acme", trainer_user_id=cast.users["Tina"])


def test_only_those_who_may_plan(app, cast, category, plan, planned, act, now):
    class_id = planned(trainer_user_id=cast.users["Leo"])
    for who in ("Tina", "Leo", "Nadia"):
        with personas.within(app, cast, who) as by, pytest.raises(Forbidden):
            services.plan_class(cast.tenants["acme"], category, plan(), by=by, at=now)
        with pytest.raises(Forbidden):
            act(who, seats.invite_people, class_id, [cast.users["Bob"]])
        with pytest.raises(Forbidden):
            act(who, services.cancel_class, class_id, why="No")
    act("Dana", seats.invite_people, class_id, [cast.users["Bob"]])


def test_only_people_of_the_client_are_invited(cast, planned, act, now):
    class_id = planned()
    with pytest.raises(Invalid):
        act("Mia", seats.invite_people, class_id, [cast.users["Bob"], cast.users["Mallory"]])
    with pytest.raises(Invalid):
        act("Mia", seats.invite_people, class_id, [])
    with pytest.raises(Conflict):
        act("Mia", seats.invite_people, class_id, [cast.users["Bob"]], at=now + timedelta(days=3))


def test_reminded_once_the_day_before_but_not_who_said_no(
    app, cast, planned, plan, act, mailing, now, monkeypatch
):
    class_id = planned(trainer_user_id=cast.users["Leo"])
    act("Mia", seats.invite_people, class_id, [cast.users["Alice"], cast.users["Bob"]])
    act("Alice", seats.answer_invitation, class_id, yes=False)
    assert jobs.sweep_due_reminders() == 0
    monkeypatch.setattr(time, "now", lambda: now + timedelta(days=2, minutes=1))
    assert jobs.sweep_due_reminders() == 1
    assert jobs.sweep_due_reminders() == 0
    told = [to for to, subject in mails(app, cast) if subject.startswith("Training soon")]
    assert sorted(told) == ["bob@example.test", "leo@example.test"]
    # Another day is reminded of again, the same day is not.
    act("Mia", services.change_class, class_id, plan(begins_at=now + timedelta(days=5)), at=time.now())
    monkeypatch.setattr(time, "now", lambda: now + timedelta(days=4, minutes=1))
    assert jobs.sweep_due_reminders() == 1
    act("Mia", services.change_class, class_id, plan(begins_at=now + timedelta(days=5), title="New"))
    assert jobs.sweep_due_reminders() == 0


def test_nobody_is_reminded_of_what_is_near_or_over(mailing, planned, act, now, monkeypatch):
    planned(begins_at=now + timedelta(hours=3))
    cancelled = planned()
    act("Mia", services.cancel_class, cancelled, why="No room")
    monkeypatch.setattr(time, "now", lambda: now + timedelta(days=2, hours=1))
    assert jobs.sweep_due_reminders() == 0


def test_whoever_left_the_client_gets_nothing(app, cast, planned, act, superuser, mailing):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Alice"], cast.users["Bob"]])
    superuser.execute("UPDATE memberships SET state = 'left' WHERE user_id = %s", (cast.users["Bob"],))
    run_all_due()
    assert [to for to, _subject in mails(app, cast)] == ["alice@example.test"]


def test_those_who_asked_most_stand_first(app, cast, planned, category, now):
    from tests.tickets import opened

    class_id = planned()
    for who, count in (("Bob", 2), ("Alice", 1)):
        for _ticket in range(count):
            opened(app, cast, at=now - timedelta(days=5), who=who)
    with personas.within(app, cast, "acme"):
        from tenants.tickets.models import Ticket

        for one in db.session.scalars(select(Ticket)):
            one.category_id = category.id
        db.session.commit()
    with personas.within(app, cast, "Mia"):
        found = queries.list_candidates(queries.find_class(class_id), at=now)
        assert [(one.member.name, one.asked) for one in found] == [("Bob", 2), ("Alice", 1)]
