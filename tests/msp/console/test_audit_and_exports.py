import hashlib
import io
import zipfile

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from tenants.foundation.db import db
from tenants.tenancy.models import TenantExport
from tests.personas import BEGAN


@pytest.fixture
def export_id(within):
    def find(slug="acme"):
        with within(slug):
            return db.session.scalar(select(TenantExport.public_id))

    return find


def test_managers_and_the_clients_admin_take_the_export_home(app, sign_in, export_id):
    mia, alice, mallory = sign_in("Mia"), sign_in("Alice"), sign_in("Mallory")
    assert mia.post("/console/tenants/acme/exports").status_code == 302
    page = mia.get("/console/tenants/acme").text
    assert "Being made" in page
    one = export_id()
    assert alice.get(f"/portal/exports/{one}").status_code == 404
    with app.app_context():
        run_all_due()
    for client, path in ((mia, f"/console/tenants/acme/exports/{one}"), (alice, f"/portal/exports/{one}")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
        assert hashlib.sha256(answer.data).hexdigest()[:12] in alice.get("/portal/exports").text
        answer.close()
    assert mallory.get(f"/portal/exports/{one}").status_code == 404
    assert mia.get(f"/console/tenants/globex/exports/{one}").status_code == 404
    assert sign_in("Bob").get("/portal/exports").status_code == 403


def test_the_clients_admin_asks(sign_in, export_id):
    assert sign_in("Alice").post("/portal/exports").status_code == 302
    assert export_id() is not None
    assert export_id("globex") is None


def test_the_audit_log_and_its_verification(sign_in):
    mia, alice = sign_in("Mia"), sign_in("Alice")
    mia.post("/console/tenants/acme/sites/new", data={"name": "Depok"})
    for client, path in ((mia, "/console/tenants/acme/audit"), (alice, "/portal/audit")):
        assert "site.added" in client.get(path).text
        assert "The chain holds" in client.post(path).text
    assert "site.added" not in sign_in("Mallory").get("/portal/audit").text
    assert sign_in("Bob").get("/portal/audit").status_code == 403
    assert "Acme" in mia.get("/console/audit").text


def test_a_broken_chain_is_told(sign_in, superuser, app):
    sign_in("Mia").post("/console/tenants/acme/sites/new", data={"name": "Depok"})
    superuser.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    superuser.execute(
        "UPDATE audit_entries SET body = replace(body, 'Depok', 'Bogor') WHERE action = 'site.added'"
    )
    assert "The chain does not hold" in sign_in("Mia").post("/console/tenants/acme/audit").text
    told = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert told.exit_code == 1
    assert "acme: 1 flaws" in told.output
    assert app.test_cli_runner().invoke(args=["audit", "verify", "--tenant", "globex"]).exit_code == 0


def test_verifying_by_command(app, cast):
    runner = app.test_cli_runner()
    told = runner.invoke(args=["audit", "verify"])
    assert (told.exit_code, "(system): holds" in told.output) == (0, True)
    assert runner.invoke(args=["audit", "verify", "--tenant", "nobody"]).exit_code == 1


def test_creating_a_client_by_command(app, cast, sign_in):
    runner = app.test_cli_runner()
    made = runner.invoke(args=["tenants", "create", "PT Sinar Jaya", "--site", "Jakarta"])
    assert made.exit_code == 0, made.output
    assert made.output.startswith("sinar-jaya SINA ")
    again = runner.invoke(args=["tenants", "create", "PT Sinar Jaya"])
    assert (again.exit_code, again.output.split(":")[0]) == (1, "refused")
    assert runner.invoke(args=["tenants", "create"]).exit_code == 2
    assert "PT Sinar Jaya" in sign_in("Mia").get("/console/tenants/sinar-jaya").text


def test_pages_of_the_audit_log(sign_in, within, cast):
    from tenants.audit.services import record
    from tenants.foundation.actor import Actor

    with within("acme") as tenant_id:
        for number in range(60):
            record(f"test.act{number:02}", tenant_id=tenant_id, by=Actor.system("test"), object="x", at=BEGAN)
        db.session.commit()
    mia = sign_in("Mia")
    page = mia.get("/console/tenants/acme/audit").text
    assert "test.act59" in page
    assert "test.act10" not in page
    assert 'rel="next"' in page
    assert mia.get("/console/tenants/acme/audit?after=xx").status_code == 422
