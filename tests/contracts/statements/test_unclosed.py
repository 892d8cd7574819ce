"""Which months wait to be closed: one statement, whatever was closed before, by each contract's own zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from contracts.statements.models import Statement
from contracts.statements.queries import list_unclosed
from contracts.terms.models import Contract
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper

YEAR = [date(2025, month, 1) for month in range(1, 13)]


@pytest.fixture
def contract(within, superuser):
    """Acme's contract, entered on 15 January 2025; the others were entered long after."""

    def change(**values):
        superuser.execute("UPDATE contracts SET created_at = '2030-01-01', starts_on = '2024-06-01'")
        with within("acme"):
            entered = datetime(2025, 1, 15, tzinfo=UTC)
            db.session.execute(update(Contract).values(created_at=entered, **values))
            db.session.commit()
            return db.session.scalars(select(Contract)).one()

    return change


def _close(within, contract, *months):
    with within("acme"):
        for month in months:
            db.session.add(
                Statement(
                    tenant_id=contract.tenant_id,
                    contract_id=contract.id,
                    month=month,
                    number=1,
                    head="{}",
                    sha256="0" * 64,
                    line_count=0,
                    closed_at=datetime(2026, 1, 2, tzinfo=UTC),
                    closed_by="Mia",
                )
            )
        db.session.commit()


def _unclosed(app, now):
    with app.app_context(), enter(sweeper()):
        return [one.month for one in list_unclosed(now)]


def test_a_gap_is_found_whatever_was_closed_after_it(app, within, contract):
    _close(within, contract(), *YEAR[:4], *YEAR[5:])
    assert _unclosed(app, datetime(2026, 1, 10, tzinfo=UTC)) == [date(2025, 5, 1)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Jakarta", "UTC", "Pacific/Pago_Pago"])
def test_a_month_ends_in_the_contract_s_zone(app, within, contract, zone):
    _close(within, contract(time_zone=zone), *YEAR[:11])
    hours = {"Pacific/Kiritimati": 14, "Asia/Jakarta": 7, "UTC": 0, "Pacific/Pago_Pago": -11}[zone]
    settled = datetime(2026, 1, 1, 0, 30, tzinfo=UTC) - timedelta(hours=hours)
    assert _unclosed(app, settled - timedelta(seconds=1)) == []
    assert _unclosed(app, settled) == [date(2025, 12, 1)]


@pytest.mark.parametrize(
    ("values", "months"),
    [
        ({}, YEAR),
        ({"ends_on": date(2025, 3, 31)}, YEAR[:3]),
        ({"starts_on": date(2025, 11, 30)}, YEAR[10:]),
        ({"starts_on": date(2027, 1, 1)}, []),
    ],
)
def test_months_before_it_was_entered_and_after_its_end_are_nobody_s(app, contract, values, months):
    contract(**values)
    assert _unclosed(app, datetime(2026, 1, 10, tzinfo=UTC)) == months


def test_it_is_one_statement_and_reads_nothing_of_what_is_closed(app, within, contract):
    _close(within, contract(), *YEAR)
    heard = []

    def hear(_connection, cursor, statement, *_more):
        if "statements" in statement:
            heard.append(cursor.rowcount)

    with app.app_context():
        event.listen(db.engine, "after_cursor_execute", hear)
        try:
            assert _unclosed(app, datetime(2026, 1, 10, tzinfo=UTC)) == []
        finally:
            event.remove(db.engine, "after_cursor_execute", hear)
    assert heard == [0]
