"""The audit chain: in the same transaction, append-only, and every tampering is found."""

import itertools
import random

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tenants.audit import queries, services
from tenants.audit.models import AuditEntry
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant

BY = Actor.system("test")


@pytest.fixture
def acme(app, cast):
    with app.app_context():
        yield cast.tenants["acme"]


def _record(tenant_id, count=1):
    for number in range(count):
        detail = {"n": number}
        services.record(
            "test.done", tenant_id=tenant_id, by=BY, object=f"thing:{number}", at=time.now(), detail=detail
        )


@pytest.fixture
def chain(acme):
    with enter(of_tenant(acme)):
        _record(acme, 12)
        db.session.commit()
    return acme


def _flaws(tenant_id):
    with enter(of_tenant(tenant_id)):
        return queries.verify_tenant(tenant_id)


def test_entries_are_numbered_and_linked(chain):
    with enter(of_tenant(chain)):
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    last = rows[-12:]
    assert [row.seq for row in last] == list(range(last[0].seq, last[0].seq + 12))
    assert all(after.previous == before.hash for before, after in itertools.pairwise(rows))
    assert _flaws(chain) == []


def test_a_rolled_back_act_leaves_no_entry(acme):
    with enter(of_tenant(acme)):
        before = db.session.scalars(select(AuditEntry.seq)).all()
        _record(acme)
        db.session.rollback()
        assert db.session.scalars(select(AuditEntry.seq)).all() == before


def test_two_tenants_have_two_chains(acme, cast):
    globex = cast.tenants["globex"]
    for tenant_id in (acme, globex):
        with enter(of_tenant(tenant_id)):
            _record(tenant_id, 3)
            db.session.commit()
    assert _flaws(acme) == _flaws(globex) == []


def test_the_system_has_a_chain_of_its_own(acme, within):
    with enter(gate()):
        services.record("sign_in.refused", tenant_id=None, by=BY, object="account", at=time.now())
        db.session.commit()
    with within("Owen"):
        assert queries.verify_system() == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET body = '{}'", "DELETE FROM audit_entries", "TRUNCATE audit_entries CASCADE"],
)
def test_no_role_of_the_app_may_change_the_log(chain, statement):
    with enter(of_tenant(chain)), pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET body = '{}'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"],
)
def test_not_even_a_superuser_changes_it_by_accident(chain, superuser, statement):
    import psycopg

    with pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        superuser.execute(statement)


TAMPERINGS = (
    "UPDATE audit_entries SET body = replace(body, '\"n\":5', '\"n\":6')"
    " WHERE tenant_id = %(t)s AND body LIKE '%%\"n\":5%%'",
    "UPDATE audit_entries SET action = 'other' WHERE tenant_id = %(t)s AND seq = %(s)s",
    "DELETE FROM audit_entries WHERE tenant_id = %(t)s AND seq = %(s)s",
    "DELETE FROM audit_entries WHERE tenant_id = %(t)s AND seq >= %(s)s",
    "UPDATE audit_entries SET seq = seq + 1000 WHERE tenant_id = %(t)s AND seq = %(s)s",
    "UPDATE audit_entries SET hash = sha256('x') WHERE tenant_id = %(t)s AND seq = %(s)s",
    "UPDATE audit_entries SET actor = 'user:1' WHERE tenant_id = %(t)s AND seq = %(s)s",
)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found(chain, superuser, tampering):
    (last,) = superuser.execute(
        "SELECT max(seq) FROM audit_entries WHERE tenant_id = %s", (chain,)
    ).fetchone()
    superuser.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    changed = superuser.execute(tampering, {"t": chain, "s": random.Random(7).randint(last - 8, last)})
    superuser.execute("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    assert changed.rowcount >= 1
    assert _flaws(chain)
