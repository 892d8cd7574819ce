from datetime import timedelta

import pytest
from sqlalchemy import update

from msp.console.overview import list_lines
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets.models import Ticket
from tests.personas import BEGAN
from tests.tickets import opened


@pytest.fixture
def at():
    return time.now()


@pytest.fixture
def tickets(app, cast, within, at):
    """Acme: one missed, due soon, for later, waiting with its clock stopped, and closed. Globex: one for later."""
    plans = {
        "acme": (
            {"next_due_at": at - timedelta(minutes=1)},
            {"next_due_at": at + timedelta(minutes=59)},
            {"next_due_at": at + timedelta(hours=3)},
            {"next_due_at": None, "state": "waiting", "waiting_reason": "vendor", "sla_paused_since": at},
            {"next_due_at": at - timedelta(days=1), "state": "closed"},
        ),
        "globex": ({"next_due_at": at + timedelta(hours=3)},),
    }
    for slug, changes in plans.items():
        for values in changes:
            code = opened(app, cast, slug=slug)
            with within(slug):
                db.session.execute(update(Ticket).where(Ticket.code == code).values(**values))
                db.session.commit()


def lines(at):
    return {line.tenant.slug: line for line in list_lines(at)}


def test_numbers_per_client(within, tickets, at):
    with within("Mia"):
        acme, globex = lines(at)["acme"], lines(at)["globex"]
    assert (acme.open, acme.missed, acme.due_soon, acme.waiting, acme.silent) == (4, 1, 1, 1, 1)
    assert (globex.open, globex.missed, globex.due_soon, globex.waiting) == (1, 0, 0, 0)


def test_the_hottest_come_first_and_only_what_is_granted(within, tickets, at):
    with within("Mia"):
        assert next(line.tenant.slug for line in list_lines(at)) == "acme"
    with within("Tina"):
        assert set(lines(at)) == {"acme"}


def test_the_page(sign_in, tickets):
    page = sign_in("Leo").get("/console/").text
    assert "pill-missed" in page
    assert "pill-risk" in page
    assert "/desk/?tenant=acme" in page


def test_without_clients_the_page_says_so(sign_in, superuser, cast):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE user_id = %s", (cast.users["Mia"],))
    assert "No clients yet" in sign_in("Mia").get("/console/").text


def test_a_lane_that_failed_goes_before_one_that_is_open(within):
    from msp.campaigns.models import WaveLane
    from msp.console.overview import _foremost

    lanes = [
        WaveLane(tenant_id=1, state=state, title=state, planned_at=BEGAN)
        for state in ("open", "failed", "waiting")
    ]
    assert _foremost(lanes)[1].title == "failed"
