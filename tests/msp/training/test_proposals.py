"""What comes up again and again, and what does not."""

from datetime import timedelta

import pytest

from msp.training import seats, services
from msp.training.proposals import Proposal, list_proposals, list_refusals, refuse_proposal
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Invalid
from tenants.tickets.models import Ticket
from tests import personas
from tests.counting import counted


@pytest.fixture
def asked(app, cast, category, now):
    """Tickets of Acme in the category, `days` ago: one for each name, "?" for a stranger."""
    numbers = iter(range(1000))

    def _asked(names, *, days=10, slug="acme", kind="incident", category_id=category.id):
        with personas.within(app, cast, slug) as tenant_id:
            for name in names:
                db.session.add(
                    Ticket(
                        tenant_id=tenant_id,
                        code=f"T-{next(numbers)}",
                        kind=kind,
                        subject="It jams",
                        impact="low",
                        urgency="low",
                        priority="P4",
                        requester_user_id=cast.users.get(name),
                        requester_name=name,
                        opened_at=now - timedelta(days=days),
                        category_id=category_id,
                    )
                )
            db.session.commit()

    return _asked


@pytest.fixture
def proposed(app, cast, now):
    def _proposed(who="Mia", *, at=None):
        with personas.within(app, cast, who):
            found = list_proposals(at=at or now)
            return list(found.items), found.uncategorised

    return _proposed


FIVE = ("Alice", "Bob", "Bob", "Bob", "Bob")


def test_five_tickets_by_two_people_are_proposed(cast, category, asked, proposed):
    asked(FIVE)
    asked(("Bob", "Alice"), days=100)
    asked(("Bob",) * 9, days=181)
    asked(("Bob",), kind="change")
    asked(("Bob", "Alice", "Alice"), category_id=None)
    asked(("Bob",), category_id=None, days=100)
    expected = Proposal(cast.tenants["acme"], category.id, 5, 2, 2, 2)
    assert proposed() == ([expected], 3)
    assert expected.each == 2.5


@pytest.mark.parametrize(
    ("names", "days"),
    [(("Alice", "Bob", "Bob", "Bob"), 10), (("Bob",) * 9, 10), (FIVE, 91)],
    ids=["four tickets", "one person", "long ago"],
)
def test_less_is_not(asked, proposed, names, days):
    asked(names, days=days)
    assert proposed() == ([], 0)


def test_strangers_count_as_people(asked, proposed):
    asked(("Bob", "Bob", "Bob", "Bob", "Walk-in"))
    assert [one.requesters for one in proposed()[0]] == [2]


def test_a_merged_ticket_is_told_once(asked, proposed, superuser, now):
    asked(FIVE)
    superuser.execute("UPDATE tickets SET merged_into_id = (SELECT min(id) FROM tickets) WHERE code = 'T-4'")
    assert proposed() == ([], 0)


def test_what_was_put_off_comes_back_after_90_days(app, cast, category, asked, proposed, now):
    asked(FIVE)
    with personas.within(app, cast, "Mia") as mia:
        for reason in ("Not this year", "They move house"):
            refuse_proposal(cast.tenants["acme"], category, reason=reason, by=mia, at=now)
        with pytest.raises(Invalid):
            refuse_proposal(cast.tenants["acme"], category, reason=" ", by=mia, at=now)
        assert [one.reason for one in list_refusals(at=now)] == ["They move house"]
        db.session.commit()
    assert proposed() == ([], 0)
    asked(FIVE, days=-85)
    assert proposed(at=now + timedelta(days=89)) == ([], 0)
    assert len(proposed(at=now + timedelta(days=90))[0]) == 1


def test_only_planners_put_off(app, cast, category, now):
    with personas.within(app, cast, "Nadia") as nadia, pytest.raises(Forbidden):
        refuse_proposal(cast.tenants["acme"], category, reason="No", by=nadia, at=now)


def test_a_planned_or_fresh_class_takes_it_off_the_list(app, cast, asked, proposed, planned, act, now):
    asked(FIVE)
    class_id = planned()
    assert proposed() == ([], 0)
    held = now + timedelta(days=4)
    act("Mia", seats.hold_class, class_id, [cast.users["Bob"]], at=held)
    asked(FIVE, days=-80)
    assert proposed(at=now + timedelta(days=81)) == ([], 0)
    assert len(proposed(at=now + timedelta(days=94))[0]) == 1


def test_a_cancelled_class_brings_it_back(asked, proposed, planned, act):
    asked(FIVE)
    act("Mia", services.cancel_class, planned(), why="No room")
    assert len(proposed()[0]) == 1


def test_one_sees_the_clients_that_one_is_granted(asked, proposed):
    asked(FIVE)
    asked(("Mallory", "Gus", "Gus", "Gus", "Gus"), slug="globex")
    assert len(proposed("Mia")[0]) == 2
    assert len(proposed("Tina")[0]) == 1


def test_one_statement_however_many(app, cast, asked, now):
    asked(FIVE)
    with personas.within(app, cast, "Mia"):
        list_proposals(at=now)
        with counted(app) as statements:
            list_proposals(at=now)
            assert statements() == 1
