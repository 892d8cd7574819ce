"""Certificates: what stands on them, and that each reminder goes out once, to the person and the managers."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from msp.mail.models import OutgoingMail
from msp.staff.certificates import (
    Paper,
    add_certificate,
    change_certificate,
    list_certificates,
    remind,
    step_of,
    sweep_expiring,
)
from msp.staff.models import Certificate
from tenants.foundation import time as clock
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.tenancy.models import Tenant
from tests import personas
from tests.msp.staff.conftest import MONDAY, member

TODAY = date(2026, 11, 2)


@pytest.fixture
def certificate(app, cast):
    """Tina's certificate that expires after so many days; its id."""

    def make(days=90, name="Network basics"):
        with personas.within(app, cast, "Mia") as mia:
            expires = None if days is None else TODAY + timedelta(days=days)
            said = Paper(name=name, issuer="An institute", issued_on=date(2024, 1, 1), expires_on=expires)
            row = add_certificate(member("Tina"), said, by=mia, at=MONDAY)
            db.session.commit()
            return row.id

    return make


@pytest.fixture
def mails(app, cast):
    """Address and subject of each mail about certificates, in order."""

    def read():
        with personas.within(app, cast, "provider"):
            asked = select(OutgoingMail).where(OutgoingMail.template == "certificate_expires")
            return [
                (one.to_address, one.subject) for one in db.session.scalars(asked.order_by(OutgoingMail.id))
            ]

    return read


@pytest.mark.parametrize(
    ("days", "step"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_which_reminder_it_is_time_for(days, step):
    assert step_of(days) == step


def test_each_reminder_goes_out_once_to_the_person_and_the_managers(app, certificate, mails):
    certificate(90)
    sent = []
    for day in range(100):
        with app.app_context(), clock.frozen(MONDAY + timedelta(days=day)):
            sent += [day] * (sweep_expiring() + sweep_expiring())
    assert sent == [30, 60, 83]
    assert [address for address, _ in mails()] == ["tina@example.test", "mia@example.test"] * 3
    assert "Network basics of Tina expires on" in mails()[0][1]


def test_what_is_noted_late_is_reminded_of_once(app, certificate, mails):
    certificate(5)
    with app.app_context():
        assert sweep_expiring() == 1
        assert sweep_expiring() == 0
    assert len(mails()) == 2


def test_what_never_expires_or_has_expired_reminds_nobody(app, certificate, mails):
    certificate(None)
    certificate(-1)
    with app.app_context():
        assert sweep_expiring() == 0
    assert mails() == []


def test_a_lost_mark_still_sends_nothing_twice(app, certificate, mails, superuser):
    """The outbox's key stands behind the mark."""
    certificate(20)
    with app.app_context():
        sweep_expiring()
        superuser.execute("UPDATE certificates SET reminded_days = NULL")
        sweep_expiring()
    assert len(mails()) == 2


def test_a_renewed_one_is_reminded_of_anew(app, cast, certificate, mails):
    row_id = certificate(5)
    with app.app_context():
        sweep_expiring()
    with personas.within(app, cast, "Mia") as mia:
        row = db.session.get_one(Certificate, row_id)
        said = Paper(name=row.name, issuer=row.issuer, issued_on=TODAY, expires_on=TODAY + timedelta(days=50))
        change_certificate(row, said, by=mia, at=MONDAY)
        db.session.commit()
    with app.app_context():
        assert sweep_expiring() == 1
    assert len(mails()) == 4


def test_one_bad_certificate_does_not_stop_the_others(app, certificate, mails, monkeypatch):
    from msp.staff import certificates

    bad, _good = certificate(5), certificate(6)
    genuine = certificates.remind

    def fail(home, row_id, today):
        if row_id == bad:
            raise RuntimeError("broken")
        return genuine(home, row_id, today)

    monkeypatch.setattr(certificates, "remind", fail)
    with app.app_context():
        assert sweep_expiring() == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"expires_on": date(2024, 1, 1)}, "expires_on"),
        ({"expires_on": date(2023, 12, 31)}, "expires_on"),
        ({"name": " "}, "name"),
        ({"issuer": ""}, "issuer"),
        ({"number": "1" * 81}, "number"),
    ],
)
def test_what_is_unfit_is_named(app, cast, said, field):
    usual = {"name": "A paper", "issuer": "An institute", "issued_on": date(2024, 1, 1)}
    with personas.within(app, cast, "Mia") as mia, pytest.raises(Invalid) as refused:
        add_certificate(member("Tina"), Paper(**{**usual, **said}), by=mia, at=MONDAY)
    assert refused.value.field == field


def test_what_expires_first_is_at_the_top(app, cast, certificate):
    for days, name in ((None, "never"), (80, "later"), (3, "soon")):
        certificate(days, name)
    with personas.within(app, cast, "Mia"):
        assert [one.name for one in list_certificates()] == ["soon", "later", "never"]


def test_of_two_sweeps_at_once_the_second_finds_it_told(app, cast, certificate, mails):
    """Both found it due; the one that comes later looks again once it holds the row."""
    row_id = certificate(20)
    with personas.within(app, cast, "provider") as home_id:
        home = db.session.get_one(Tenant, home_id)
        assert remind(home, row_id, TODAY)
        assert not remind(home, row_id, TODAY)
        assert not remind(home, row_id + 1, TODAY)
