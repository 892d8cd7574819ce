"""Nobody without tier and grant holds an open ticket, whatever was taken from them and when."""

import pytest
from sqlalchemy import select

from msp.account.jobs import sweep_misheld_tickets
from msp.background.runner import run_all_due
from tenants.foundation.db import db
from tenants.people.models import StaffMember
from tenants.tickets import services
from tenants.tickets.models import Ticket, TicketEvent
from tests import personas, tickets
from tests.tickets import MONDAY, later


@pytest.fixture
def held(app, cast, within):
    """Give a ticket of a client to somebody, in a tier; its code."""

    def _held(who, slug="acme", *, tier="L1", state=None):
        code = tickets.opened(app, cast, slug=slug)
        with personas.within(app, cast, "Owen") as by:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            ticket.tier = tier
            services.assign_ticket(ticket, to_user_id=cast.users[who], by=by, at=MONDAY)
            if state:
                services.change_state(ticket, to="in_progress", by=by, at=MONDAY)
                services.resolve_ticket(ticket, solution="Done.", by=by, at=later(hours=1))
            db.session.commit()
        return code

    return _held


@pytest.fixture
def holder(app, cast, within):
    def _holder(code):
        with personas.within(app, cast, "Owen"):
            return db.session.scalars(select(Ticket.assignee_name).where(Ticket.code == code)).one()

    return _holder


@pytest.fixture
def person(within):
    with within("Owen"):
        return {one.name: str(one.public_id) for one in db.session.scalars(select(StaffMember))}


def work(app):
    with app.app_context():
        run_all_due()


def test_a_client_taken_away_takes_its_tickets_along(app, sign_in, held, holder, person):
    """Leo sees all clients but Globex from now on."""
    theirs, own, over = held("Leo", "globex"), held("Leo", "acme"), held("Leo", "globex", state="resolved")
    others = held("Nadia", "globex")
    form = {"reach": "all", "effect-globex": "deny"}
    assert sign_in("Owen").post(f"/console/staff/{person['Leo']}/reach", data=form).status_code == 302
    work(app)
    assert (holder(theirs), holder(own), holder(over), holder(others)) == (None, "Leo", "Leo", "Nadia")


def test_all_clients_taken_away_take_all_tickets_along(app, sign_in, held, holder, person):
    theirs, own = held("Leo", "globex"), held("Leo", "acme")
    form = {"reach": "some", "effect-acme": "allow"}
    assert sign_in("Owen").post(f"/console/staff/{person['Leo']}/reach", data=form).status_code == 302
    work(app)
    assert (holder(theirs), holder(own)) == (None, "Leo")


def test_a_lower_role_gives_back_what_is_above_it(app, sign_in, held, holder, person):
    upper, lower = held("Nadia", tier="L3"), held("Nadia", "globex", tier="L1")
    form = {"role": "l2"}
    assert sign_in("Owen").post(f"/console/staff/{person['Nadia']}/role", data=form).status_code == 302
    work(app)
    assert (holder(upper), holder(lower)) == (None, "Nadia")


def test_whoever_leaves_holds_nothing(app, sign_in, held, holder, person):
    code = held("Tina")
    assert sign_in("Owen").post(f"/console/staff/{person['Tina']}/remove").status_code == 302
    work(app)
    assert holder(code) is None


def test_the_sweep_finds_what_was_given_at_the_wrong_moment(app, held, holder, superuser, cast, within):
    """As when somebody was given a ticket while being removed: neither of the two saw the other."""
    code, own = held("Tina"), held("Leo")
    superuser.execute("UPDATE staff_members SET state = 'left' WHERE user_id = %s", (cast.users["Tina"],))
    with app.app_context():
        assert sweep_misheld_tickets() == 1
        assert sweep_misheld_tickets() == 0
    assert (holder(code), holder(own)) == (None, "Leo")
    with within("Owen"):
        told = select(TicketEvent.kind, TicketEvent.actor_name).order_by(TicketEvent.id.desc()).limit(1)
        assert db.session.execute(told).one() == ("assigned", "Portal")


def test_one_bad_client_stops_nothing(app, held, holder, superuser, cast, monkeypatch):
    from msp.account import jobs

    code, free = held("Tina"), jobs.free_misheld
    superuser.execute("UPDATE staff_members SET state = 'left' WHERE user_id = %s", (cast.users["Tina"],))

    def stumble(tenant_id, **more):
        if tenant_id == cast.tenants["provider"]:
            raise ValueError
        return free(tenant_id, **more)

    monkeypatch.setattr(jobs, "free_misheld", stumble)
    with app.app_context():
        assert sweep_misheld_tickets() == 1
    assert holder(code) is None
