import hashlib
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.background import progress
from msp.background.runner import run_all_due
from msp.console import jobs
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import MOST_ATTEMPTS, Work
from tenants.tenancy.exports import path_of, request_export
from tenants.tenancy.models import TenantExport
from tests.personas import BEGAN


@pytest.fixture
def ask(within, cast):
    def ask():
        with within("Mia") as mia:
            request_export(cast.tenant("acme"), by=mia, at=BEGAN)
            db.session.commit()

    return ask


def exports(within):
    with within("acme"):
        return list(db.session.scalars(select(TenantExport).order_by(TenantExport.id)))


def run(app):
    with app.app_context():
        return run_all_due()


def test_an_export_is_made_and_kept_for_a_week(app, within, ask):
    ask()
    assert run(app) == 1
    (export,) = exports(within)
    assert (export.state, export.tables_done) == ("done", export.tables_total)
    assert export.expires_at - export.finished_at == timedelta(days=7)
    with app.app_context():
        path = path_of(jobs.files_root(), export)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == export.sha256
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("manifest.json"))["tenant"]["slug"] == "acme"
    assert not [one.name for one in path.parent.iterdir() if one.suffix != ".zip"]


def test_asking_twice_makes_one(app, within, ask):
    ask()
    ask()
    assert len(exports(within)) == 1
    assert run(app) == 1
    ask()
    assert len(exports(within)) == 2


def test_a_repeat_of_the_job_does_nothing(app, within, ask, cast):
    ask()
    run(app)
    with app.app_context(), enter(sweeper()):
        db.session.execute(update(Work).where(Work.kind == "export_tenant").values(state="due"))
        db.session.commit()
    before = exports(within)[0]
    run(app)
    after = exports(within)[0]
    assert (after.sha256, after.file_name) == (before.sha256, before.file_name)


def test_a_week_later_the_archive_is_gone(app, within, ask):
    ask()
    run(app)
    with app.app_context():
        path = path_of(jobs.files_root(), exports(within)[0])
        with enter(sweeper()):
            db.session.execute(update(Work).where(Work.kind == "expire_export").values(due_at=BEGAN))
            db.session.commit()
    assert run(app) == 1
    assert exports(within)[0].state == "expired"
    assert not path.exists()


def test_the_last_failure_is_told(app, within, ask, monkeypatch):
    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(jobs, "write_archive", broken)
    ask()
    with app.app_context(), enter(sweeper()):
        db.session.execute(
            update(Work).where(Work.kind == "export_tenant").values(attempts=MOST_ATTEMPTS - 1)
        )
        db.session.commit()
    assert run(app) == 0
    (export,) = exports(within)
    assert (export.state, bool(export.problem)) == ("failed", True)
    ask()
    assert len(exports(within)) == 2


def test_progress_and_lease_are_kept_up(app, within, ask, monkeypatch):
    shown, renewed = [], []
    monkeypatch.setattr(progress, "SHOWN_EVERY_SECONDS", 0)
    monkeypatch.setattr(progress, "RENEWED_EVERY_SECONDS", 0)
    really_show, really_renew = jobs.exports.note_progress, progress._renew
    monkeypatch.setattr(
        jobs.exports, "note_progress", lambda export, done: (shown.append(done), really_show(export, done))
    )
    monkeypatch.setattr(progress, "_renew", lambda claimed: (renewed.append(1), really_renew(claimed)))
    ask()
    assert run(app) == 1
    assert shown[-1] > 10
    assert renewed
