"""The numbers before and after a class, against a plain count of the same rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msp.training.effects import effects_of
from msp.training.models import TrainingClass, TrainingSeat
from msp.training.rules import Effect, Group
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets.category_models import Category
from tenants.tickets.models import Ticket
from tests import personas
from tests.counting import counted

BEGAN = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SPAN = timedelta(days=90)
# Alice and Bob have belonged to Acme since January; the others are taken in by each example.
OLD, NEW = ("Alice", "Bob"), ("Gus", "Tina", "Leo", "Nadia", "Dana")


@dataclass(frozen=True)
class Person:
    """Days from the class at which somebody joined and left, and whether they came."""

    joined: int
    left: int | None
    seated: bool
    came: bool


@dataclass(frozen=True)
class Asked:
    """A ticket: days from the class, by whom (None: no account), and what about."""

    days: float
    who: str | None
    right_category: bool
    kind: str
    merged: bool


# The edges of the spans and of the class itself come up often.
DAYS = st.sampled_from((-91, -90, -89.9, -45, -0.1, 0, 0.1, 30, 89.9, 90, 91))
PEOPLE = st.fixed_dictionaries(
    {
        name: st.builds(
            Person,
            st.sampled_from((-200, -1, 0, 1, 50)),
            st.sampled_from((None, -0.5, 0, 0.5, 40)),
            st.booleans(),
            st.booleans(),
        )
        for name in NEW
    }
)
TICKETS = st.lists(
    st.builds(
        Asked,
        DAYS,
        st.sampled_from((None, *OLD, *NEW)),
        st.sampled_from((True, True, True, False)),
        st.sampled_from(("incident", "request", "problem", "change")),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=25,
)


def day(days):
    return BEGAN + timedelta(days=days)


def plain_count(people, tickets, at):
    """The same, one ticket after another."""
    came = {name for name, one in people.items() if one.seated and one.came}
    there = {
        name for name, one in people.items() if one.joined <= 0 and (one.left is None or one.left > 0)
    } - came
    sums = {"came": [0, 0], "others": [0, 0]}
    uncounted = 0
    for one in tickets:
        if not one.right_category or one.merged or one.kind not in ("incident", "request"):
            continue
        if not BEGAN - SPAN <= day(one.days) < BEGAN + SPAN or day(one.days) > at:
            continue
        if one.who in came:
            sums["came"][one.days >= 0] += 1
        elif one.who in there:
            sums["others"][one.days >= 0] += 1
        else:
            uncounted += 1
    return Effect(Group(len(came), *sums["came"]), Group(len(there), *sums["others"]), uncounted)


def write(cast, people, tickets):
    """The rows, flushed; the class's row id."""
    acme = cast.tenants["acme"]
    right, wrong = (Category(name_en=name, name_id=name) for name in ("Printing", "Mail"))
    db.session.add_all([right, wrong])
    db.session.flush()
    row = TrainingClass(
        tenant_id=acme,
        category_id=right.id,
        title="Printing",
        teaches="Printing",
        language="en",
        state="held",
        begins_at=BEGAN,
        minutes=60,
        time_zone="Asia/Jakarta",
        planned_by="Mia",
        planned_at=BEGAN,
        changed_at=BEGAN,
    )
    db.session.add(row)
    db.session.flush()
    for name, one in people.items():
        user = {"tenant_id": acme, "user_id": cast.users[name], "name": name, "email": f"{name}@x.test"}
        if name in NEW:
            times = {"joined_at": day(one.joined), "left_at": None if one.left is None else day(one.left)}
            state = "active" if one.left is None else "left"
            db.session.add(Membership(**user, **times, role="client_user", state=state))
        if one.seated:
            db.session.add(TrainingSeat(**user, class_id=row.id, came=one.came))
    target = _ticket(cast, 0, wrong.id, "incident", BEGAN, None)
    db.session.add(target)
    db.session.flush()
    for number, one in enumerate(tickets, 1):
        category = right.id if one.right_category else wrong.id
        ticket = _ticket(cast, number, category, one.kind, day(one.days), one.who)
        ticket.merged_into_id = target.id if one.merged else None
        db.session.add(ticket)
    db.session.flush()
    return row.id


def _ticket(cast, number, category_id, kind, at, who):
    return Ticket(
        tenant_id=cast.tenants["acme"],
        code=f"ACME-{number}",
        kind=kind,
        subject="It jams",
        impact="low",
        urgency="low",
        priority="P4",
        requester_user_id=cast.users[who] if who else None,
        requester_name=who or "Somebody",
        opened_at=at,
        category_id=category_id,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, tickets=TICKETS, ran=st.sampled_from((0.05, 30, 90, 200)), old_came=st.booleans())
def test_the_numbers_are_those_of_a_plain_count(app, cast, people, tickets, ran, old_came):
    everybody = {name: Person(-100, None, True, old_came) for name in OLD} | people
    at = BEGAN + timedelta(days=ran)
    with personas.within(app, cast, "acme"):
        class_id = write(cast, everybody, tickets)
        found = effects_of([class_id], at=at)
        db.session.rollback()
    assert found == {class_id: plain_count(everybody, tickets, at)}


def test_one_statement_for_any_number_of_classes(app, cast):
    with personas.within(app, cast, "acme"):
        ids = [write(cast, {"Alice": Person(-9, None, True, True)}, [])]
        db.session.rollback()
        with counted(app) as statements:
            assert effects_of(ids, at=BEGAN) == {}
            few = statements()
            effects_of(range(100), at=BEGAN)
            assert statements() == few + 1


def test_another_clients_class_is_not_told(app, cast):
    with personas.within(app, cast, "acme"):
        class_id = write(cast, {}, [])
        db.session.commit()
    with personas.within(app, cast, "globex"):
        assert effects_of([class_id], at=BEGAN) == {}
