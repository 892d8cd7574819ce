"""What is offered to a machine that has not fetched it yet: no more than would be handed out at this moment."""

import pytest
from sqlalchemy import event

from tenants.foundation.db import db
from tests.msp.campaigns import fleet

ROOMY = (
    "UPDATE wave_lanes SET room = jsonb_build_array(jsonb_build_array(now() - interval '1 day',"
    " now() + interval '40 days'))"
)


@pytest.fixture
def rollout(app, cast, machine):
    return fleet.start(fleet.draft(app, cast, slugs=("acme",)))


def test_an_offer_that_nobody_has_fetched_costs_two_more(app, machine, rollout, superuser):
    machine.offered()
    counted, rows = [], "SELECT array_agg(xmin::text ORDER BY id) FROM actions"
    before = superuser.execute(rows).fetchone()
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
    assert machine.offered()
    assert len(counted) <= 5, counted
    assert superuser.execute(rows).fetchone() == before


@pytest.mark.parametrize("what", ["freeze of all", "freeze", "no room", "consent", "lane"])
def test_what_would_not_be_handed_out_is_not_shown_either(app, cast, machine, rollout, superuser, what):
    """Before the tick has noticed what came between, the poll says what the offer itself would say."""
    action = machine.offered()
    shut, opened = {
        "freeze of all": (
            "INSERT INTO provider_freezes (public_id, name, begins_at, ends_at, created_by, created_at)"
            " VALUES (gen_random_uuid(), 'All', now() - interval '1 hour', now() + interval '1 hour', 'x', now())",
            "UPDATE provider_freezes SET lifted_at = now()",
        ),
        "freeze": (
            "UPDATE wave_lanes SET room = '[]'",
            ROOMY,
        ),
        "no room": (
            "UPDATE wave_lanes SET room = jsonb_build_array(jsonb_build_array(now() - interval '1 day', now()))",
            ROOMY,
        ),
        "consent": (
            "UPDATE campaign_tenants SET consent = 'asked'",
            "UPDATE campaign_tenants SET consent = 'consented'",
        ),
        "lane": ("UPDATE wave_lanes SET state = 'waiting'", "UPDATE wave_lanes SET state = 'open'"),
    }[what]
    superuser.execute(shut)
    assert machine.offered() is None
    assert machine.ask("GET", f"/deploymentBase/{action}").status_code == 404
    superuser.execute(opened)
    assert machine.offered() == action
    machine.take(action)
    superuser.execute(shut)
    assert machine.offered() == action, "what was fetched is offered until it is closed"
