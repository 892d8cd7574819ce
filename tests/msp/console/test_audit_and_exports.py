import hashlib
import io
import re
import zipfile

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from tenants.foundation.db import db
from tenants.tenancy.models import TenantExport
from tenants.tickets import services
from tests import tickets
from tests.personas import BEGAN


def audience_of(who):
    return "staff" if who == "Mia" else "client"


@pytest.fixture
def export_id(within):
    def find(audience=None, slug="acme"):
        with within(slug):
            asked = select(TenantExport.public_id)
            return db.session.scalar(asked.where(TenantExport.audience == audience) if audience else asked)

    return find


@pytest.mark.parametrize(
    ("who", "pages"), [("Mia", "/console/tenants/acme"), ("Alice", "/portal")], ids=["staff", "client"]
)
def test_each_side_takes_its_own_export_home(app, sign_in, export_id, who, pages):
    client, mallory = sign_in(who), sign_in("Mallory")
    listed = pages if who == "Mia" else "/portal/exports"
    assert client.post(f"{pages}/exports").status_code == 302
    assert "Being made" in client.get(listed).text
    one = export_id()
    assert client.get(f"{pages}/exports/{one}").status_code == 404
    with app.app_context():
        run_all_due()
    with client.get(f"{pages}/exports/{one}") as answer:
        assert answer.status_code == 200
        assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
        assert hashlib.sha256(answer.data).hexdigest()[:12] in client.get(listed).text
    other = sign_in("Alice" if who == "Mia" else "Mia")
    other_pages = "/portal" if who == "Mia" else "/console/tenants/acme"
    assert other.get(f"{other_pages}/exports/{one}").status_code == 404
    assert mallory.get(f"/portal/exports/{one}").status_code == 404
    assert sign_in("Mia").get(f"/console/tenants/globex/exports/{one}").status_code == 404
    assert sign_in("Bob").get("/portal/exports").status_code == 403


STAFF_ONLY = ("a-staff-only-note", "staff-only bytes", "a-briefing", "a-reason-for-staff", "a-return-reason")


def everything_in(answer):
    """All entries of an archive, unpacked."""
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    return b"".join(archive.read(name) for name in archive.namelist()).decode()


def test_the_clients_export_has_nothing_that_only_staff_may_read(app, cast, sign_in, within, export_id):
    with within("Tina") as tina:
        ticket = tickets.open_in_scope(cast, tina)
        code = ticket.code
        services.set_priority(
            ticket, priority="P1", by=tina, at=tickets.later(minutes=5), reason="a-reason-for-staff"
        )
        db.session.commit()
    desk, page = sign_in("Tina"), f"/desk/tickets/{code}"
    for kind, word in (("internal", "staff-only"), ("public", "public")):
        files = (io.BytesIO(f"{word} bytes".encode()), f"{word}.txt")
        said = {"body": f"a-{word}-note", "kind": kind, "files": files}
        assert desk.post(f"{page}/messages", data=said).status_code == 302
    rev = re.search(r'name="rev"[^>]*value="(\d+)"', desk.get(f"{page}/hand-over").text)[1]
    briefing = {
        "to_tier": "L2",
        "symptoms": "a-briefing",
        "tried": "a-briefing",
        "told_requester": "a-briefing",
    }
    assert desk.post(f"{page}/hand-over", data={**briefing, "rev": rev}).status_code == 302
    leo = sign_in("Leo")
    rev = re.search(r'name="rev"[^>]*value="(\d+)"', leo.get(page).text)[1]
    returned = leo.post(f"{page}/hand-over/return", data={"reason": "a-return-reason", "rev": rev})
    assert returned.status_code == 302
    found = {}
    for who, pages in (("Mia", "/console/tenants/acme"), ("Alice", "/portal")):
        client = sign_in(who)
        client.post(f"{pages}/exports")
        with app.app_context():
            run_all_due()
        with client.get(f"{pages}/exports/{export_id(audience_of(who))}") as answer:
            found[who] = everything_in(answer)
    assert [word for word in STAFF_ONLY if word not in found["Mia"]] == []
    assert [word for word in STAFF_ONLY if word in found["Alice"]] == []
    assert "a-public-note" in found["Alice"]
    assert "public bytes" in found["Alice"]
    assert '"to_priority":"P1"' in found["Alice"]


def test_the_clients_admin_asks(sign_in, export_id):
    assert sign_in("Alice").post("/portal/exports").status_code == 302
    assert export_id() is not None
    assert export_id(slug="globex") is None


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
