"""Plans become tickets: once, also in two sweepers; after an outage without a flood; edits change the future only."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from msp.upkeep import opening, services
from msp.upkeep.calendar import list_entries
from msp.upkeep.models import MaintenanceOccurrence, MaintenancePlan
from msp.upkeep.opening import sweep_due_plans
from msp.upkeep.queries import find_plan, recurring
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, InvalidMany
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Site
from tenants.tickets.models import Message, Ticket
from tenants.tickets.visit_models import Visit
from tenants.tickets.visits import Plan as Visiting
from tenants.tickets.visits import move_visit
from tests import personas
from tests.msp.upkeep.conftest import DAILY, MONDAY

# The second Tuesday of November, 22:00 in Jakarta.
FIRST = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)


def sweep(app, at):
    with app.app_context(), time.frozen(at):
        return sweep_due_plans()


def occurrences(app, cast, slug="acme"):
    with personas.within(app, cast, slug):
        asked = select(MaintenanceOccurrence, Ticket).outerjoin(
            Ticket, Ticket.id == MaintenanceOccurrence.ticket_id
        )
        return db.session.execute(asked.order_by(MaintenanceOccurrence.begins_at)).all()


def count_tickets(app, cast, slug="acme"):
    with personas.within(app, cast, slug):
        mine = select(func.count()).select_from(Ticket).where(Ticket.request_key.startswith("upkeep:"))
        return db.session.scalar(mine)


def test_a_ticket_is_opened_its_days_ahead_with_the_checklist(app, cast, plan):
    plan(becomes="change", tier="L2", assets=["acme-pc-1"])
    assert sweep(app, FIRST - timedelta(days=3, seconds=1)) == 0
    assert sweep(app, FIRST - timedelta(days=3)) == 1
    ((occurrence, ticket),) = occurrences(app, cast)
    assert (occurrence.state, occurrence.occurs_on) == ("opened", date(2026, 11, 10))
    assert (ticket.kind, ticket.tier, ticket.state) == ("change", "L2", "new")
    assert ticket.subject == "Clean the fans · Selasa, 10 November 2026"
    with personas.within(app, cast, "acme"):
        body = db.session.scalars(select(Message.body).where(Message.ticket_id == ticket.id)).one()
    assert "[ ] Fans\n[ ] Filters" in body


def test_looking_twice_opens_once(app, cast, plan):
    plan()
    sweep(app, FIRST - timedelta(days=3))
    sweep(app, FIRST - timedelta(days=2))
    assert count_tickets(app, cast) == 1


def test_two_sweepers_open_once(app, cast, plan):
    for _number in range(4):
        plan()
    met, problems = threading.Barrier(2), []

    def run():
        try:
            met.wait()
            sweep(app, FIRST - timedelta(days=3))
        except Exception as error:
            problems.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert problems == []
    assert count_tickets(app, cast) == 4


def test_a_row_that_is_there_is_the_last_word(app, cast, plan):
    """Even a plan whose cursor was lost opens nothing for a day that was recorded."""
    plan_id, _ = plan()
    sweep(app, FIRST - timedelta(days=3))
    with personas.within(app, cast, "acme"):
        row = db.session.get_one(MaintenancePlan, (cast.tenants["acme"], plan_id))
        row.settled_until, row.look_at = MONDAY, MONDAY
        db.session.commit()
    assert sweep(app, FIRST - timedelta(days=3)) == 1, "it is settled again, not put aside as broken"
    assert count_tickets(app, cast) == 1


def test_an_outage_is_caught_up_with_one_ticket(app, cast, plan):
    plan(rule=DAILY, lead_days=0)
    sweep(app, MONDAY + timedelta(days=10))
    states = [row.state for row, _ticket in occurrences(app, cast)]
    assert states == ["missed"] * 9 + ["opened"]
    assert count_tickets(app, cast) == 1
    sweep(app, MONDAY + timedelta(days=11))
    assert count_tickets(app, cast) == 2


def test_edits_change_the_future_only(app, cast, plan):
    _id, public_id = plan()
    sweep(app, FIRST - timedelta(days=3))
    with personas.within(app, cast, "Dana") as dana:
        row = find_plan(public_id)
        said = services.Plan(title="Wash the fans", rule=recurring(row), lead_days=5)
        services.change_plan(row, said, by=dana, at=FIRST - timedelta(days=2))
        db.session.commit()
    december = datetime(2026, 12, 8, 15, 0, tzinfo=UTC)
    sweep(app, december - timedelta(days=5))
    titles = [
        (row.title, row.rev, ticket.subject.partition(" ·")[0]) for row, ticket in occurrences(app, cast)
    ]
    assert titles == [("Clean the fans", 0, "Clean the fans"), ("Wash the fans", 1, "Wash the fans")]


def test_nothing_comes_of_a_pause_and_nothing_after_the_end(app, cast, plan):
    _id, public_id = plan(rule=DAILY, lead_days=0)
    with personas.within(app, cast, "Dana") as dana:
        services.pause_plan(find_plan(public_id), by=dana, at=MONDAY)
        db.session.commit()
    assert sweep(app, MONDAY + timedelta(days=5)) == 0
    with personas.within(app, cast, "Dana") as dana:
        services.resume_plan(find_plan(public_id), by=dana, at=MONDAY + timedelta(days=5))
        db.session.commit()
    sweep(app, MONDAY + timedelta(days=6))
    assert [row.state for row, _ in occurrences(app, cast)] == ["opened"]
    with personas.within(app, cast, "Dana") as dana:
        services.end_plan(find_plan(public_id), by=dana, at=MONDAY + timedelta(days=6))
        db.session.commit()
        with pytest.raises(Conflict):
            services.resume_plan(find_plan(public_id), by=dana, at=MONDAY + timedelta(days=6))
    assert sweep(app, MONDAY + timedelta(days=60)) == 0


def test_a_person_gets_it_and_the_queue_where_they_left(app, cast, plan):
    plan(rule=DAILY, user_id=cast.users["Leo"], lead_days=0)
    sweep(app, MONDAY + timedelta(days=1))
    with personas.within(app, cast, "acme") as acme:
        from tenants.people.models import StaffGrant

        db.session.add(
            StaffGrant(tenant_id=acme, user_id=cast.users["Leo"], effect="deny", granted_at=MONDAY)
        )
        db.session.commit()
    sweep(app, MONDAY + timedelta(days=2))
    held = [(ticket.tier, ticket.assignee_name) for _row, ticket in occurrences(app, cast)]
    assert held == [("L2", "Leo"), ("L2", None)]


def test_a_suspended_client_gets_nothing_and_catches_up_with_one(app, cast, plan, superuser):
    plan(rule=DAILY, lead_days=0)
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    sweep(app, MONDAY + timedelta(days=3))
    assert occurrences(app, cast) == []
    superuser.execute("UPDATE tenants SET state = 'active' WHERE slug = 'acme'")
    sweep(app, MONDAY + timedelta(days=5))
    assert count_tickets(app, cast) == 1


def test_one_bad_plan_never_stops_the_others(app, cast, plan, monkeypatch):
    plan(title="Bad")
    plan(title="Good")
    real = opening._open

    def fails(tenant, row, *rest):
        if row.title == "Bad":
            raise RuntimeError("broken")
        return real(tenant, row, *rest)

    monkeypatch.setattr(opening, "_open", fails)
    sweep(app, FIRST - timedelta(days=3))
    assert [row.title for row, _ in occurrences(app, cast)] == ["Good"]
    monkeypatch.setattr(opening, "_open", real)
    sweep(app, FIRST - timedelta(days=3) + opening.RETRY)
    assert sorted(row.title for row, _ in occurrences(app, cast)) == ["Bad", "Good"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": "  "}, "title"),
        ({"lead_days": 61}, "lead_days"),
        ({"becomes": "party"}, "becomes"),
        ({"tier": "L9"}, "tier"),
        ({"becomes": "visit"}, "site"),
        ({"user_id": 1}, "person"),
        ({"checklist": ["x" * 301]}, "checklist"),
    ],
)
def test_what_is_unfit_is_named(plan, said, field):
    with pytest.raises(InvalidMany) as refused:
        plan(**said)
    assert field in [name for name, _ in refused.value.errors]


def test_a_site_of_another_client_is_not_known(app, cast, plan):
    with app.app_context(), enter(of_tenant(cast.tenants["globex"])):
        foreign = db.session.scalars(select(Site).limit(1)).first() or Site(
            tenant_id=cast.tenants["globex"], name="Far"
        )
    with pytest.raises(InvalidMany) as refused:
        plan(site=foreign, becomes="visit")
    assert [name for name, _ in refused.value.errors] == ["site"]


def test_a_visit_is_planned_with_its_ticket_and_stands_once_in_the_calendar(app, cast, plan):
    with personas.within(app, cast, "acme"):
        site = db.session.scalars(select(Site)).first()
    _id, public_id = plan(becomes="visit", tier="L2", user_id=cast.users["Leo"], site=site)
    sweep(app, FIRST - timedelta(days=3))
    ((occurrence, ticket),) = occurrences(app, cast)
    with personas.within(app, cast, "acme"):
        visit = db.session.scalars(select(Visit)).one()
        assert (visit.begins_at, visit.ends_at) == (occurrence.begins_at, occurrence.ends_at)
        assert (visit.technician_name, visit.site_id, visit.state) == ("Leo", site.id, "planned")
        assert visit.address.startswith(site.name)
        assert (ticket.state, ticket.waiting_reason) == ("waiting", "visit")
        moved = Visiting(
            visit.begins_at + timedelta(days=1), visit.ends_at + timedelta(days=1), address="Here"
        )
        mia = personas.actor(app, cast, "Mia")
        move_visit(ticket, visit, moved, by=mia, at=FIRST - timedelta(days=2))
        db.session.commit()
        acme = [cast.tenants["acme"]]
        span = (FIRST - timedelta(days=1), FIRST + timedelta(days=5))
        (entry,) = [one for one in list_entries(acme, *span, by=mia, at=FIRST) if one.kind == "visit"]
    assert entry.key == f"plan-{public_id}-2026-11-10", "calendars know it by this key since it was planned"
    assert (entry.begins_at, entry.rev, entry.place) == (FIRST + timedelta(days=1), 1, ticket.code)


def test_a_visit_that_would_be_over_is_a_ticket_only(app, cast, plan):
    with personas.within(app, cast, "acme"):
        site = db.session.scalars(select(Site)).first()
    plan(becomes="visit", rule=DAILY, lead_days=0, site=site)
    sweep(app, MONDAY + timedelta(days=10))
    states = [ticket.state for row, ticket in occurrences(app, cast) if row.state == "opened"]
    assert states == ["new"]
    with personas.within(app, cast, "acme"):
        assert db.session.scalars(select(Visit)).all() == []
