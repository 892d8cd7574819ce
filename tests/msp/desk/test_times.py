"""Time worked: entered and corrected by whoever worked, seen as a sum by everyone on the ticket."""

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from contracts.statements.services import close_month
from contracts.terms.models import Contract
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden
from tenants.tickets.models import Ticket, TimeEntry
from tenants.tickets.times import Worked, correct_time, record_time
from tests.tickets import MONDAY, opened

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
DATA = {"minutes": "95", "on": "2026-03-03", "what": "Changed the fuser"}


@pytest.fixture
def code(app, cast):
    with time.frozen(MONDAY):
        yield opened(app, cast)


@pytest.fixture
def page(code, sign_in):
    """Somebody's requests about the ticket's time, on a Wednesday."""

    def send(who, method="post", entry="", **data):
        with time.frozen(NOW):
            client = sign_in(who)
            address = f"/desk/tickets/{code}/time{entry}"
            return client.post(address, data=data) if method == "post" else client.get(address)

    return send


def entries(within, slug="acme"):
    with within(slug):
        return list(db.session.scalars(select(TimeEntry).order_by(TimeEntry.id)))


def words_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_entered_seen_by_both_sides_and_audited(page, within, sign_in, code):
    assert page("Leo", **DATA).status_code == 302
    page("Leo", **DATA | {"minutes": "20", "is_billable": "y"})
    page("Tina", **DATA | {"minutes": "5", "on": "2026-02-27"})
    assert "Together 2 h" in words_of(page("Leo", "get"))
    for who, place in (("Leo", "desk"), ("Bob", "portal"), ("Alice", "portal")):
        words = words_of(sign_in(who).get(f"/{place}/tickets/{code}"))
        assert "March 2026 1 h 55 min (20 min of it billable)" in words, who
        assert "February 2026 5 min" in words
    assert "Changed the fuser" not in sign_in("Bob").get(f"/portal/tickets/{code}").text
    with within("acme"):
        acts = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "ticket.time_recorded")).all()
        assert len(acts) == 3
        assert "fuser" not in " ".join(str(one.body) for one in acts)


def test_the_api_has_the_sums(app, page, code, token):
    page("Leo", **DATA)
    answer = app.test_client().get(
        f"/api/v1/tickets/{code}", headers={"Authorization": f"Bearer {token('Alice')}"}
    )
    assert answer.json["time_worked"] == [{"month": "2026-03", "minutes": 95, "billable_minutes": 0}]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"minutes": "0"}, "at least one minute"),
        ({"minutes": "1441"}, "at most a day"),
        ({"minutes": "x"}, "Not a valid integer"),
        ({"minutes": "9" * 40}, "at most a day"),
        ({"on": "2026-03-05"}, "not one to come"),
        ({"on": "2024-03-05"}, "last 400 days"),
        ({"on": ""}, "Choose a day"),
        ({"what": " "}, "one line of at most 300"),
        ({"what": "x" * 301}, "one line of at most 300"),
        ({"what": "a\x00b"}, "one line of at most 300"),
    ],
)
def test_mistakes_are_named_and_enter_nothing(page, within, data, says):
    answer = page("Leo", **DATA | data)
    assert answer.status_code == 422
    assert says in answer.text
    assert entries(within) == []


def test_one_corrects_ones_own_and_the_first_stays(page, within):
    page("Leo", **DATA)
    (first,) = entries(within)
    address = f"/{first.public_id}"
    assert 'value="95"' in page("Leo", "get", address).text
    assert page("Leo", entry=address, **DATA | {"minutes": "59"}).status_code == 422
    assert page("Leo", entry=address, **DATA | {"minutes": "59", "because": "Mistyped"}).status_code == 302
    old, new = entries(within)
    assert (old.minutes, old.replaced_at is not None) == (95, True)
    assert (new.minutes, new.corrects_id, new.because, new.replaced_at) == (59, old.id, "Mistyped", None)
    shown = words_of(page("Leo", "get"))
    assert "Corrected: Mistyped" in shown
    assert "Together 59 min" in shown
    again = page("Leo", entry=address, **DATA | {"because": "Once more"})
    assert again.status_code == 409
    page("Leo", entry=f"/{new.public_id}", **DATA | {"minutes": "0", "because": "Other ticket"})
    assert "Together" not in words_of(page("Leo", "get"))


def test_nobody_touches_others_entries_or_other_clients(page, within, sign_in, code):
    page("Leo", **DATA)
    (first,) = entries(within)
    address = f"/{first.public_id}"
    for who in ("Tina", "Owen"):
        assert page(who, entry=address, **DATA | {"because": "Mine"}).status_code == 404
    for who in ("Alice", "Bob", "Mallory"):
        assert page(who, **DATA).status_code in (403, 404)
        assert page(who, "get", address).status_code in (403, 404)
    with within("globex"):
        assert db.session.scalars(select(TimeEntry)).all() == []
    assert len(entries(within)) == 1
    foreign = sign_in("Leo").get(f"/desk/tickets/{code[:-1]}/time{address}")
    assert foreign.status_code == 404


def test_the_service_too_lets_nobody_correct_others_entries(page, within, as_actor, code):
    page("Leo", **DATA)
    (first,) = entries(within)
    given = {"because": "Mine", "today": NOW.date(), "at": NOW}
    with within("acme"):
        ticket = db.session.scalars(select(Ticket)).one()
        for who in ("Tina", "Owen", "Bob"):
            with pytest.raises(Forbidden):
                correct_time(ticket, first, Worked(1, NOW.date(), "x"), by=as_actor(who), **given)
        with pytest.raises(Forbidden):
            record_time(ticket, Worked(1, NOW.date(), "x"), today=NOW.date(), by=as_actor("Bob"), at=NOW)


def test_the_database_changes_no_entry(page, within):
    page("Leo", **DATA)
    with within("acme"), pytest.raises(Exception, match="permission denied"):
        db.session.execute(TimeEntry.__table__.update().values(minutes=1))


def test_too_late_for_a_closed_month_is_said(code, within, as_actor, sign_in):
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        close_month(contract, date(2026, 2, 1), evidence={}, by=as_actor("Mia"), at=NOW)
        db.session.commit()
    address = f"/desk/tickets/{code}/time"
    with time.frozen(NOW):
        leo = sign_in("Leo")
        leo.post(address, data=DATA)
        assert "is closed already" not in leo.get(address).text
        leo.post(address, data=DATA | {"on": "2026-02-27"})
        assert "The statement of February 2026 is closed already" in leo.get(address).text
