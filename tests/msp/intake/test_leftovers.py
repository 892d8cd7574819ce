"""What nobody owns goes: bytes of refused forms after a day, and mails of clients that have left."""

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from msp import schedule
from msp.intake import leftovers
from msp.intake.mail import erasing, keeping
from msp.intake.mail.models import IncomingMail
from tenants.audit.models import AuditEntry
from tenants.files import leftovers as rules
from tenants.files import storage
from tenants.files.models import StoredFile
from tenants.files.services import Store, Upload, keep_file
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import mails

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


@pytest.fixture
def root(app):
    return app.extensions["settings"].files_dir


@pytest.fixture
def stray(root, cast):
    """Bytes without a row, of such an age in hours."""

    def keep(slug, words, hours=30):
        kept = storage.keep(root, cast.tenants[slug], BytesIO(words), limit=1000)
        path = storage.path_of(root, cast.tenants[slug], kept.sha256)
        return age(path, hours)

    return keep


def age(path, hours):
    moment = NOW.timestamp() - hours * 3600
    os.utime(path, (moment, moment))
    return path


@pytest.fixture
def sweep(app, monkeypatch):
    """A whole day of sweeps that find the files as old as they were at its beginning."""

    def run(hours=range(24)):
        found = 0
        for hour in hours:
            moment = NOW.replace(hour=hour)
            monkeypatch.setattr(time, "now", lambda moment=moment: moment)
            monkeypatch.setattr(rules, "GRACE", timedelta(days=1) + (moment - NOW))
            with app.app_context():
                found += leftovers.sweep_leftover_files()
        return found

    return run


def test_bytes_without_an_owner_go_after_a_day_and_others_stay(app, cast, stray, sweep, root, within):
    orphans = [stray("acme", b"orphan %d" % number) for number in range(40)] + [stray("globex", b"x")]
    young = stray("acme", b"just now", hours=23)
    with within("acme") as acme:
        file = keep_file(
            Store(root, 1000), Upload("a.txt", BytesIO(b"owned")), tenant_id=acme, by=mails.OWNER, at=NOW
        )
        db.session.commit()
        owned = age(storage.path_of(root, acme, file.sha256), 900)
    of_another = stray("globex", b"owned")
    sweep()
    assert not [one for one in (*orphans, of_another) if one.exists()]
    assert young.exists()
    assert owned.exists()
    assert sweep() == 0


def test_raw_mails_stay_while_there_is_a_row(app, cast, box, sweep, root):
    (row,) = mails.bring(app, cast, box, mails.write())
    with app.app_context():
        path = age(keeping.raw_path(row, cast.tenants["provider"]), 900)
    sweep()
    assert path.exists()


def test_an_hour_looks_at_its_part_only(stray, sweep):
    orphans = [stray("acme", b"orphan %d" % number) for number in range(30)]
    sweep(hours=[5])
    gone = [one for one in orphans if not one.exists()]
    assert gone == [one for one in orphans if int(one.parent.name, 16) % 24 == 5]


def test_a_sweep_removes_no_more_than_a_few_hundred(stray, sweep, monkeypatch):
    monkeypatch.setattr(rules, "MOST_AT_ONCE", 1)
    orphans = [stray("acme", b"orphan %d" % number) for number in range(60)]
    sweep()
    left = [one for one in orphans if one.exists()]
    assert len({one.parent.name for one in orphans if one not in left}) == len(orphans) - len(left)
    parts = {int(one.parent.name, 16) % 24 for one in orphans}
    assert len(orphans) - len(left) == len(parts)


def test_what_an_upload_left_unfinished_goes_too(root, cast, sweep):
    folder = root / str(cast.tenants["acme"])
    folder.mkdir(exist_ok=True)
    old, new = folder / ".incoming-old", folder / ".incoming-new"
    for path, hours in ((old, 30), (new, 1)):
        path.write_bytes(b"x")
        age(path, hours)
    sweep(hours=[0])
    assert (old.exists(), new.exists()) == (False, True)


def test_the_same_bytes_stored_at_that_moment_stay(root, cast, stray, monkeypatch):
    path = stray("acme", b"again")
    rename = type(path).rename

    def store_again_first(self, target):
        storage.keep(root, cast.tenants["acme"], BytesIO(b"again"), limit=100)
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", store_again_first)
    assert rules._remove(path, NOW - timedelta(days=1)) == 0
    assert path.read_bytes() == b"again"


def test_a_refused_answer_with_a_file_leaves_nothing_for_long(app, cast, sign_in, sweep, root, within):
    from tests.tickets import opened

    code = opened(app, cast)
    sent = sign_in("Bob").post(
        f"/portal/tickets/{code}/messages",
        data={"body": "", "kind": "public", "files": (BytesIO(b"refused"), "a.txt")},
    )
    assert sent.status_code == 422
    files = [one for one in (root / str(cast.tenants["acme"])).rglob("*") if one.is_file()]
    for one in files:
        age(one, 30)
    with within("acme"):
        owned = set(db.session.scalars(select(StoredFile.sha256)))
    assert [one for one in files if one.name not in owned], "else this proves nothing"
    sweep()
    assert [one for one in files if one.exists() and one.name not in owned] == []


def test_the_mails_of_a_client_that_left_are_erased_and_no_others(app, cast, box, superuser, sweep):
    rows = mails.bring(
        app,
        cast,
        box,
        mails.write(text="Acme's"),
        mails.write("mallory@example.test", text="Globex's"),
        mails.write("stranger@elsewhere.test", text="Nobody's"),
    )
    with app.app_context():
        raw = [age(keeping.raw_path(row, cast.tenants["provider"]), 30) for row in rows]
        assert erasing.erase_mails_of_the_gone() == 0
    superuser.execute("UPDATE tenants SET state = 'offboarded' WHERE slug = 'acme'")
    with app.app_context():
        assert erasing.erase_mails_of_the_gone() == 1
        assert erasing.erase_mails_of_the_gone() == 0
        with enter(of_tenant(cast.tenants["provider"])):
            left = set(db.session.scalars(select(IncomingMail.id)))
        with enter(of_tenant(cast.tenants["acme"])):
            told = select(AuditEntry).where(AuditEntry.action == "mail.erase")
            assert ['"count":1' in one.body.replace(" ", "") for one in db.session.scalars(told)] == [True]
    assert left == {rows[1].id, rows[2].id}
    sweep()
    assert [one.exists() for one in raw] == [False, True, True]


def test_what_nobody_decided_about_stays_for_a_month(app, cast, box_of_acme, superuser, monkeypatch):
    superuser.execute("UPDATE tenants SET state = 'offboarded' WHERE slug = 'acme'")
    (row,) = mails.bring(app, cast, box_of_acme, mails.write("eve@elsewhere.test"))
    assert (row.state, row.for_tenant_id) == ("quarantined", cast.tenants["acme"])
    later = time.now() + timedelta(days=31)
    with app.app_context():
        assert erasing.erase_mails_of_the_gone() == 0
        monkeypatch.setattr(time, "now", lambda: later)
        assert erasing.erase_mails_of_the_gone() == 1


def test_both_run_by_themselves():
    run = [one.run for one in schedule.table()]
    assert leftovers.sweep_leftover_files in run
    assert erasing.erase_mails_of_the_gone in run
