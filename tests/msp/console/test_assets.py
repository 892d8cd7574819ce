import csv
import io
import uuid

import pytest
from sqlalchemy import event, select

from tenants.assets import sheets
from tenants.assets.models import Asset
from tenants.assets.rules import Entered
from tenants.assets.services import add_asset, record_facts, record_software
from tenants.foundation import time
from tenants.foundation.db import db
from tests.personas import BEGAN


@pytest.fixture
def ids(within):
    """Public ids by name."""
    with within("Owen"):
        return {asset.name: asset.public_id for asset in db.session.scalars(select(Asset))}


@pytest.fixture
def asset_named(within):
    def find(name):
        with within("Owen"):
            return db.session.scalar(select(Asset).where(Asset.name == name))

    return find


@pytest.fixture
def statements(app):
    """Counts statements that reach the database."""
    counted = []
    with app.app_context():
        engine = db.engine
    listener = lambda *given: counted.append(given[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listener)
    yield counted
    event.remove(engine, "before_cursor_execute", listener)


def many(within, cast, count):
    with within("Owen") as owen:
        for number in range(count):
            add_asset(cast.tenant("acme"), Entered(name=f"host-{number:03}"), by=owen, at=BEGAN)
        db.session.commit()


def test_another_clients_asset_is_as_unknown_as_one_that_never_was(sign_in, ids):
    tina, alice = sign_in("Tina"), sign_in("Alice")
    for path in ("/console/assets/{}", "/console/assets/{}/edit", "/console/assets/{}/retire"):
        if path.endswith("s/{}"):
            pages = {
                tina.get(path.format(one)).data for one in (ids["globex-pc-1"], uuid.uuid4(), "x", "%00")
            }
            assert len(pages) == 1
    for one in (ids["globex-pc-1"], uuid.uuid4(), "nonsense"):
        assert tina.get(f"/console/assets/{one}").status_code == 404
        assert alice.get(f"/portal/assets/{one}").status_code == 404
    assert len({alice.get(f"/portal/assets/{one}").data for one in (ids["globex-pc-1"], uuid.uuid4())}) == 1
    assert sign_in("Leo").post(f"/console/assets/{uuid.uuid4()}/retire").status_code == 404


def test_lists_take_as_many_statements_for_many_rows(sign_in, within, cast, statements):
    for path, person in (
        ("/console/assets", "Leo"),
        ("/portal/assets", "Alice"),
        ("/console/", "Leo"),
        ("/console/tenants", "Leo"),
    ):
        client = sign_in(person)
        client.get(path)
        statements.clear()
        client.get(path)
        few = len(statements)
        many(within, cast, 30)
        statements.clear()
        assert client.get(path).status_code == 200
        assert len(statements) == few, path
        assert few <= 9, (path, statements)


def test_pages_of_the_list(sign_in, within, cast):
    many(within, cast, 60)
    leo = sign_in("Leo")
    seen, path = [], "/console/assets?q=host-&limit=25"
    while path:
        page = leo.get(path).text
        seen += [line for line in page.split("\n") if ">host-" in line]
        found = page.split('rel="next" href="')
        path = "/console/assets" + found[1].split('"')[0].replace("&amp;", "&") if len(found) > 1 else None
    assert len(seen) == 60
    assert leo.get("/console/assets?after=nonsense").status_code == 422


def test_the_page_shows_entered_beside_reported(sign_in, within, ids):
    with within("acme"):
        asset = db.session.scalar(select(Asset).where(Asset.name == "acme-pc-1"))
        record_facts(asset, {"os_release": "Debian <12>", "memory_total_bytes": "2147483648"}, time.now())
        record_software(asset, [("bash", "5.2", "amd64", "5.2.15-2+b7")], time.now())
        db.session.commit()
    for person, path in (("Tina", "/console"), ("Alice", "/portal")):
        page = sign_in(person).get(f"{path}/assets/{ids['acme-pc-1']}").text
        assert "Debian &lt;12&gt;" in page
        assert "Acme main office" in page
        assert "bash" in page
        assert "Update available" in page
        assert "5.2.15-2+b7" in page
        assert "Reported" in page


def test_adding_editing_and_a_stale_page(sign_in, asset_named, within, cast):
    leo = sign_in("Leo")
    form = {
        "name": "srv-1",
        "kind": "server",
        "site": "",
        "serial": "S1",
        "tags": "Web, prod",
        "notes": "a\r\nb",
        "controller_id": "",
    }
    assert leo.post("/console/tenants/acme/assets/new", data=form).status_code == 302
    asset = asset_named("srv-1")
    assert (asset.tags, asset.serial, asset.notes) == (["web", "prod"], "S1", "a\nb")
    path = f"/console/assets/{asset.public_id}/edit"
    assert 'value="web, prod"' in leo.get(path).text
    assert leo.post(path, data={**form, "name": "srv-2", "rev": "1"}).status_code == 302
    stale = leo.post(path, data={**form, "name": "srv-3", "rev": "1"})
    assert (stale.status_code, 'value="srv-3"' in stale.text) == (409, True)
    assert leo.post(path, data={**form, "name": "", "rev": "2"}).status_code == 422
    assert leo.post(path, data={**form, "kind": "toaster", "rev": "2"}).status_code == 422
    assert leo.post(path, data={**form, "site": str(uuid.uuid4()), "rev": "2"}).status_code == 422
    assert leo.post("/console/tenants/acme/assets/new", data=form).status_code == 422


def test_another_clients_site_cannot_be_chosen(sign_in, within, cast):
    from tenants.tenancy.models import Site

    with within("Owen"):
        theirs = db.session.scalar(select(Site.public_id).where(Site.tenant_id == cast.tenant("globex")))
    form = {"name": "srv-1", "kind": "server", "site": str(theirs)}
    assert sign_in("Leo").post("/console/tenants/acme/assets/new", data=form).status_code == 422


def test_retiring_hides_from_the_client_and_can_be_undone(sign_in, ids):
    leo, alice, one = sign_in("Leo"), sign_in("Alice"), ids["acme-pc-1"]
    assert leo.post(f"/console/assets/{one}/retire").status_code == 302
    assert f"/console/assets/{one}/unretire" in leo.get(f"/console/assets/{one}").text
    assert alice.get(f"/portal/assets/{one}").status_code == 404
    assert "acme-pc-1" not in alice.get("/portal/assets").text
    assert leo.post(f"/console/assets/{one}/retire").status_code == 409
    assert leo.post(f"/console/assets/{one}/unretire").status_code == 302
    assert "acme-pc-1" in alice.get("/portal/assets").text


def test_who_may_what(sign_in, ids):
    assert sign_in("Tina").post(f"/console/assets/{ids['acme-pc-1']}/retire").status_code == 403
    assert sign_in("Bob").get("/portal/assets").status_code == 403
    assert sign_in("Alice").get("/console/assets").status_code == 403


def test_the_csv_is_safe_and_can_be_read_in_again(sign_in, within, cast, asset_named):
    with within("Owen") as owen:
        add_asset(
            cast.tenant("acme"),
            Entered(name="=cmd|' /C calc'!A0", notes="+1\n-2", tags=("web",)),
            by=owen,
            at=BEGAN,
        )
        db.session.commit()
    leo = sign_in("Leo")
    answer = leo.get("/console/assets.csv?tenant=acme")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]
    looked = leo.post(
        "/console/tenants/acme/assets/import", data={"file": (io.BytesIO(answer.data), "assets.csv")}
    )
    assert looked.status_code == 200
    assert "Nothing is saved yet." in looked.text
    assert "form-errors" not in looked.text
    applied = leo.post(
        "/console/tenants/acme/assets/import",
        data={"text": answer.text, "file_name": "assets.csv", "apply": "1"},
    )
    assert applied.status_code == 302
    assert asset_named("=cmd|' /C calc'!A0").notes == "+1\n-2"


def test_importing_step_by_step(sign_in, asset_named):
    leo, path = sign_in("Leo"), "/console/tenants/acme/assets/import"
    text = "Gerät;Seriennummer;Art\nweb-1;S1;server\nweb-2;S2;toaster\n"
    first = leo.post(path, data={"file": (io.BytesIO(text.encode()), "geräte.csv")})
    assert first.status_code == 422
    assert "Choose the column" in first.text
    chosen = {
        "text": text,
        "file_name": "x.csv",
        "mapped": "1",
        "column_0": "name",
        "column_1": "serial",
        "column_2": "kind",
    }
    second = leo.post(path, data=chosen)
    assert (second.status_code, "Line 3" in second.text) == (200, True)
    assert leo.post(path, data={**chosen, "apply": "1"}).status_code == 422
    assert asset_named("web-1") is None
    assert leo.post(path, data={**chosen, "apply": "1", "skip_bad": "y"}).status_code == 302
    assert asset_named("web-1").kind == "server"
    assert asset_named("web-2") is None


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"", b"name\n" + b"x" * 300])
def test_unusable_files_are_named(sign_in, data, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_BYTES", 200)
    answer = sign_in("Leo").post(
        "/console/tenants/acme/assets/import", data={"file": (io.BytesIO(data), "x.csv")}
    )
    assert answer.status_code == 422
    assert "file-drop is-invalid" in answer.text.replace("  ", " ")


def test_filters_in_the_address(sign_in):
    leo = sign_in("Leo")
    assert "acme-pc-1" in leo.get("/console/assets?q=ACME-pc&kind=workstation&state=active&silent=1").text
    assert "acme-pc-1" not in leo.get("/console/assets?tag=web&software=bash&version=1").text
    assert leo.get("/console/assets?kind=%00&state=nonsense&q=%00&software=%00&tag=%00").status_code == 200
    assert leo.get("/console/assets?tenant=acme&site=nonsense").status_code == 404


def test_the_page_lists_the_assets_tickets(app, cast, sign_in, asset_named):
    from tests.tickets import opened

    asset = asset_named("acme-pc-1")
    mine, other = (
        opened(app, cast, asset=asset, subject="Fan is loud"),
        opened(app, cast, subject="Printer"),
    )
    page = sign_in("Tina").get(f"/console/assets/{asset.public_id}").text
    assert mine in page
    assert other not in page
    assert mine in sign_in("Alice").get(f"/portal/assets/{asset.public_id}").text
