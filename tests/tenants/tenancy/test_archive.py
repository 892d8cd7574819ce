import gc
import hashlib
import json
import zipfile

import pytest
from sqlalchemy.orm import Mapped

from tenants.foundation.db import Base, TenantOwned, db
from tenants.foundation.kinds import tenant_models
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.archive import StoredCopy, count_steps, exported_columns, exported_models, write_archive
from tenants.tickets.texts import TicketText
from tests.canaries import Filler
from tests.personas import BEGAN

FACTS = {"slug": "acme", "name": "Acme", "id": "x"}


@pytest.fixture
def filled(superuser, cast):
    """A row of each client in every tenant-owned table, full of words of its own."""
    return {slug: Filler(superuser, cast.tenant(slug), slug).fill() for slug in ("acme", "globex")}


@pytest.fixture
def export(app, cast, tmp_path):
    def write(slug="acme", stored=(), tick=lambda done: None, audience="staff"):
        path = tmp_path / f"{slug}.zip"
        with app.app_context(), enter(of_tenant(cast.tenant(slug))):
            db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            made = write_archive(
                path,
                cast.tenant(slug),
                audience=audience,
                tenant=FACTS,
                stored=stored,
                made_at=BEGAN,
                tick=tick,
            )
        return zipfile.ZipFile(path), made

    return write


def test_all_of_ones_own_and_nothing_of_others(filled, export):
    archive, manifest = export()
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"canary-globex" not in everything
    assert b"Globex" not in everything
    for table, row in filled["acme"].items():
        if f"tables/{table}.jsonl" in archive.namelist():
            ids = [json.loads(line)["id"] for line in archive.read(f"tables/{table}.jsonl").splitlines()]
            assert row["id"] in ids, table
    assert {one.table for one in manifest.tables} == {
        model.__tablename__ for model in exported_models("staff")
    }
    assert set(tenant_models()) - set(exported_models("staff")) == {TicketText}
    assert {f"tables/{model.__tablename__}.jsonl" for model in exported_models("staff")} < set(
        archive.namelist()
    )


def test_every_table_has_rows_and_every_value_of_the_canaries(filled, export):
    archive, manifest = export()
    empty = {one.table for one in manifest.tables if one.rows == 0}
    assert empty <= {"audit_entries", "audit_heads"}
    for model in exported_models("staff"):
        words = {
            value
            for column, value in filled["acme"].get(model.__tablename__, {}).items()
            if isinstance(value, str)
            and value.startswith("canary")
            and column not in exported_columns(model, "staff")[1]
        }
        text = archive.read(f"tables/{model.__tablename__}.jsonl").decode()
        assert all(word in text for word in words), model


def test_the_clients_own_archive_holds_what_its_tables_declare(filled, export):
    archive, manifest = export(audience="client")
    tables = {one.table for one in manifest.tables}
    assert tables == {model.__tablename__ for model in exported_models("client")}
    assert not tables & {"hand_overs", "outgoing_mails", "work", "staff_grants", "agent_credentials"}
    assert {"tickets", "messages", "sites", "assets", "contracts", "ticket_timers"} <= tables
    assert manifest.audience == "client"
    (tenant,) = archive.read("tables/tenants.jsonl").splitlines()
    assert "suspended_reason" not in json.loads(tenant)


def test_no_table_is_for_clients_that_their_database_role_may_not_read(superuser, cast):
    for model in exported_models("client"):
        asked = "SELECT has_table_privilege('portal_client', %s, 'SELECT')"
        assert superuser.execute(asked, (model.__tablename__,)).fetchone() == (True,), model


def test_secrets_are_left_out_and_named(filled, export):
    archive, manifest = export()
    invitations = next(one for one in manifest.tables if one.table == "invitations")
    assert invitations.left_out == ["nonce"]
    assert "nonce" not in json.loads(archive.read("tables/invitations.jsonl").splitlines()[0])
    for model in tenant_models():
        for column in model.__table__.columns:
            assert column.info.get("secret") or not any(
                word in column.name for word in ("password", "secret", "token", "nonce")
            ), f"{model.__tablename__}.{column.name}: is it a secret?"


def test_the_manifest_names_digests_and_counts(filled, export, tmp_path):
    kept, torn = tmp_path / "kept", tmp_path / "torn"
    kept.write_bytes(b"an attachment")
    torn.write_bytes(b"other bytes")
    good, bad = hashlib.sha256(b"an attachment").hexdigest(), "ab" * 32
    archive, manifest = export(stored=[StoredCopy(good, kept), StoredCopy(bad, torn), StoredCopy(good, kept)])
    told = json.loads(archive.read("manifest.json"))
    assert told["tenant"] == FACTS
    assert told["files"] == [{"file": f"files/{good}", "size": 13, "sha256": good}]
    assert told["missing_files"] == [bad]
    for entry in told["tables"] + told["files"]:
        content = archive.read(entry["file"])
        assert (entry["size"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    for entry in told["tables"]:
        assert entry["rows"] == len(archive.read(entry["file"]).splitlines())
    assert manifest.rows == sum(entry["rows"] for entry in told["tables"])
    assert archive.testzip() is None


def test_a_new_table_is_exported_without_a_change(superuser, cast, export):
    superuser.execute(
        "CREATE TABLE brand_new (tenant_id bigint, id bigint, word text, pass_phrase text);"
        "GRANT SELECT ON brand_new TO portal_worker;"
        f"INSERT INTO brand_new VALUES ({cast.tenant('acme')}, 1, 'ours', 'x');"
        f"INSERT INTO brand_new VALUES ({cast.tenant('globex')}, 2, 'theirs', 'x')"
    )
    model = type(
        "BrandNew",
        (TenantOwned, Base),
        {"__tablename__": "brand_new", "__annotations__": {"word": Mapped[str]}, "__module__": __name__},
    )
    try:
        archive, _ = export()
        assert json.loads(archive.read("tables/brand_new.jsonl")) == {
            "tenant_id": cast.tenant("acme"),
            "id": 1,
            "word": "ours",
        }
        assert "tables/brand_new.jsonl" not in export(audience="client")[0].namelist()
    finally:
        manager = model.__mapper__.class_manager
        Base.metadata.remove(model.__table__)
        Base.registry._dispose_manager_and_mapper(manager)
        del Base.registry._managers[manager], manager, model
        gc.collect()
    assert "brand_new" not in {one.__tablename__ for one in tenant_models()}


def test_progress_is_told_in_order(export):
    heard = []
    export(tick=heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, count_steps("staff"))
