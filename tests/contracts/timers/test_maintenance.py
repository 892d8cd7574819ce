"""Planned maintenance of a client: due times, badges, verification, what-if and statements say the same of it."""

import json
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import select

from contracts.statements import queries as statements
from contracts.statements.services import close_month
from contracts.statements.what_if import Period, replay_tenant
from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.timers import maintenance
from contracts.timers.maintenance import (
    Work,
    cancel_maintenance,
    find_maintenance,
    record_maintenance,
    shorten_maintenance,
)
from contracts.timers.models import TimerMark
from contracts.timers.queries import badges, read_clocks_of
from contracts.timers.verifying import verify_tenant
from tenants.assets.models import Asset
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Site
from tenants.tickets import services as tickets
from tenants.tickets.queries import list_history

HOUR = timedelta(hours=1)


@pytest.fixture
def excluding(desk):
    """Acme's contract leaves planned maintenance out."""
    desk.terms(maintenance="excluded")
    return desk


def plan(desk, begin, end, *, known=-1.0, title="New switch", **given):
    """Record maintenance, by hours after the morning; returns its public id."""
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        work = Work(title, desk.at(begin), desk.at(end), **given)
        made = record_maintenance(desk.tenant_id, work, by=desk.as_actor("Mia"), at=desk.at(known))
        db.session.commit()
        return str(made.public_id)


def change(desk, verb, public_id, *, hours, **given):
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        found = find_maintenance(public_id, tenant_id=desk.tenant_id)
        verb(found, by=desk.as_actor("Mia"), at=desk.at(hours), **given)
        db.session.commit()


def differences(desk, hours):
    with desk.app.app_context():
        return verify_tenant(desk.tenant_id, now=desk.at(hours)).differences


def due(desk, ticket):
    """When the next clock runs out, in hours after the morning."""
    return (desk.ticket(ticket).next_due_at - desk.at()) / HOUR


def marks(desk, ticket):
    found = select(TimerMark).where(TimerMark.ticket_id == ticket, TimerMark.mark != "warning")
    return [(one.clock, one.mark) for one in desk.rows(found)]


def badge(desk, ticket, hours):
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        row = desk._ticket(ticket)
        return badges([row], desk.at(hours))[row.tenant_id, row.id]


def test_due_times_sweep_badge_and_verification_leave_it_out(excluding):
    """A P3 is answered within four hours: two of them planned away."""
    ticket = excluding.open()
    assert due(excluding, ticket) == 4
    plan(excluding, 1, 3, known=0.5)
    assert due(excluding, ticket) == 6
    standing = badge(excluding, ticket, 2)
    assert (standing.state, standing.reason, standing.remaining_seconds) == (
        "paused",
        "maintenance",
        3 * 3600,
    )
    running = badge(excluding, ticket, 3.5)
    assert (running.state, running.reason, running.remaining_seconds) == ("running", None, 2.5 * 3600)
    excluding.look(5)
    assert marks(excluding, ticket) == []
    assert differences(excluding, 5) == []
    excluding.look(6.1)
    assert marks(excluding, ticket) == [("response", "missed")]
    assert differences(excluding, 6.1) == []


def test_shown_apart_it_changes_nothing_but_the_strip(desk):
    ticket = desk.open()
    plan(desk, 1, 3, known=0.5)
    assert due(desk, ticket) == 4
    assert badge(desk, ticket, 2).state == "running"
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        row = desk._ticket(ticket)
        response = read_clocks_of(row, list_history(ticket), desk.at(3.5))[0]
    assert [one.kind for one in response.verdict.intervals] == ["counted", "maintenance_counted", "counted"]
    desk.look(4.1)
    assert marks(desk, ticket) == [("response", "missed")]
    assert differences(desk, 4.1) == []


def test_a_ticket_opened_inside_and_one_opened_before_are_measured_alike(excluding):
    plan(excluding, 1, 3)
    assert due(excluding, excluding.open(2)) == 7
    assert due(excluding, excluding.open(0)) == 6
    assert differences(excluding, 2.5) == []


def test_only_tickets_on_what_is_maintained_are_concerned(excluding):
    with excluding.app.app_context(), enter(of_tenant(excluding.tenant_id)):
        site, asset = db.session.scalars(select(Site)).one(), db.session.scalars(select(Asset)).one()
    on_asset, elsewhere = excluding.open(asset=asset), excluding.open()
    at_site = excluding.open(site=site)
    plan(excluding, 1, 2, known=0.5, asset_ids=[asset.id])
    assert [due(excluding, one) for one in (on_asset, elsewhere, at_site)] == [5, 4, 4]
    plan(excluding, 2, 3, known=0.5, site_id=site.id)
    assert [due(excluding, one) for one in (on_asset, elsewhere, at_site)] == [6, 4, 5]
    excluding.look(3.5)
    assert differences(excluding, 3.5) == []


def test_cancelled_or_shortened_before_it_begins_the_clocks_go_back(excluding):
    ticket = excluding.open()
    first, second = plan(excluding, 1, 3, known=0.2), plan(excluding, 3, 4, known=0.2)
    assert due(excluding, ticket) == 7
    change(excluding, shorten_maintenance, first, hours=0.5, to_at=excluding.at(2))
    assert due(excluding, ticket) == 6
    change(excluding, cancel_maintenance, second, hours=0.6)
    assert due(excluding, ticket) == 5
    excluding.look(4.5)
    assert differences(excluding, 4.5) == []
    acts = [one.action for one in excluding.rows(select(AuditEntry).order_by(AuditEntry.id))]
    assert acts[-2:] == ["maintenance.shortened", "maintenance.cancelled"]
    for verb, given in ((cancel_maintenance, {}), (shorten_maintenance, {"to_at": excluding.at(1.5)})):
        with pytest.raises(Conflict):
            change(excluding, verb, first, hours=1, **given)
        with pytest.raises(Conflict):
            change(excluding, verb, second, hours=0.9, **given)
    with pytest.raises(Invalid) as refused:
        change(excluding, shorten_maintenance, first, hours=0.9, to_at=excluding.at(9))
    assert [field for field, _ in refused.value.errors] == ["to_at"]


@pytest.mark.parametrize(
    ("begin", "end", "title", "field"),
    [
        (-2, 3, "Late", "from_at"),
        (24 * 500, 24 * 500 + 1, "Far", "from_at"),
        (3, 3, "Empty", "to_at"),
        (3, 24 * 15 + 4, "Long", "to_at"),
        (3, 4, " ", "title"),
        (3, 4, "x" * 121, "title"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_its_field(desk, begin, end, title, field):
    with pytest.raises(Invalid) as refused:
        plan(desk, begin, end, title=title)
    assert [name for name, _ in refused.value.errors] == [field]


def test_the_table_itself_refuses_what_would_change_the_past(desk, superuser):
    public_id = plan(desk, 1, 2, known=0.5)
    for column in ("recorded_at", "changed_at", "cancelled_at"):
        with pytest.raises(psycopg.errors.CheckViolation):
            superuser.execute(
                f"UPDATE maintenance_intervals SET {column} = from_at + interval '1 second'"
                " WHERE public_id = %s",
                [public_id],
            )


def test_the_same_plan_of_a_campaign_is_recorded_once(desk):
    made = [
        plan(desk, 1, 2, source="campaign", source_key="7:1"),
        plan(desk, 1, 5, source="campaign", source_key="7:1"),
    ]
    assert made[0] == made[1]


def test_others_assets_and_others_maintenance_stay_out_of_reach(desk, cast):
    with desk.app.app_context(), enter(of_tenant(cast.tenants["globex"])):
        foreign = db.session.scalars(select(Asset)).one().id
    with pytest.raises(Invalid):
        plan(desk, 1, 2, asset_ids=[foreign])
    mine = plan(desk, 1, 2)
    with desk.app.app_context(), enter(of_tenant(cast.tenants["globex"])):
        with pytest.raises(NotFound):
            find_maintenance(mine, tenant_id=desk.tenant_id)
        assert maintenance.list_coming(cast.tenants["globex"], desk.at()) == []


def close(desk, month, at):
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        contract = db.session.scalars(select(Contract)).one()
        made = close_month(contract, month, evidence={}, by=desk.as_actor("Mia"), at=at)
        db.session.commit()
        return made.head, made.sha256, [one.body for one in statements.list_lines(made)]


def test_a_statement_says_what_was_maintained_and_later_plans_leave_it_as_it_was(excluding):
    ticket = excluding.open()
    plan(excluding, 1, 3, known=0.5)
    excluding.do(ticket, tickets.add_message, "Leo", 5, body="Looking.")
    ended = excluding.at(24 * 14)
    frozen = close(excluding, date(2026, 11, 1), ended)
    (line,) = [one for one in map(json.loads, frozen[2]) if one["clock"] == "response"]
    assert (line["verdict"], line["elapsed_seconds"]) == ("met", 3 * 3600)
    assert (line["paused_seconds"], line["maintenance_seconds"]) == (2 * 3600, 2 * 3600)
    plan(excluding, 24 * 14 + 1, 24 * 14 + 3, known=24 * 14)
    with pytest.raises(Invalid):
        plan(excluding, 1, 5, known=24 * 14)
    assert close(excluding, date(2026, 11, 1), ended) == frozen
    assert differences(excluding, 24 * 14 + 2) == []


def test_what_if_replays_it_by_the_draft(excluding):
    """Answered after five hours: in time without the maintenance, too late with it."""
    ticket = excluding.open()
    plan(excluding, 1, 3, known=0.5)
    excluding.do(ticket, tickets.add_message, "Leo", 5, body="Looking.")
    with excluding.app.app_context(), enter(of_tenant(excluding.tenant_id)):
        contract = db.session.scalars(select(Contract)).one()
        draft = list_versions(contract)[0].terms | {"maintenance": "shown"}
        period = Period.of(date(2026, 11, 1), date(2026, 11, 1), "Asia/Jakarta", excluding.at(6))
        outcome, _credits, _currency = replay_tenant(excluding.tenant_id, draft, period)
    assert [(one.clock, one.was, one.would) for one in outcome.changes] == [("response", "met", "missed")]


def test_the_queue_and_the_ticket_say_why_a_clock_stands(excluding, sign_in):
    ticket = excluding.open()
    plan(excluding, 1, 3, known=0.5)
    code = excluding.ticket(ticket).code
    with time.frozen(excluding.at(2)):
        for who, page in (
            ("Leo", "/desk/"),
            ("Leo", f"/desk/tickets/{code}"),
            ("Bob", f"/portal/tickets/{code}"),
        ):
            assert "Paused: planned maintenance" in sign_in(who).get(page).text, page
        shown = sign_in("Bob").get(f"/portal/tickets/{code}").text
    assert "Planned maintenance, not counted" in shown
    assert "New switch" in shown
