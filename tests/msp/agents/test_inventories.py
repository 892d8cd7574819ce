"""Inventories over HTTP: whose machine, which machine, how large, and Debian's fusioninventory-agent itself."""

import base64
import shutil
import subprocess
import zlib
from time import process_time

import pytest
from sqlalchemy import select

from msp.agents import inventories, ocs, shared
from msp.agents.parsing import Malformed
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.msp.agents.recorded import recording

PROGRAM = shutil.which("fusioninventory-agent")


def share(app, cast, slug, kind):
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        _, token = shared.add_shared(cast.tenants[slug], kind=kind, name="Machines", by=nadia, at=time.now())
        db.session.commit()
        return token


@pytest.fixture
def token(app, cast):
    return share(app, cast, "acme", "inventory")


def document(
    device="pc-9-2026", *, query="INVENTORY", name="PC 9", serial="SN-9", packages=(("tzdata", "2026a-0"),)
):
    listed = "".join(
        f"<SOFTWARES><NAME>{one}</NAME><VERSION>{two}</VERSION><FROM>deb</FROM><ARCH>all</ARCH></SOFTWARES>"
        for one, two in packages
    )
    return (
        f"<?xml version='1.0'?><REQUEST><CONTENT><HARDWARE><NAME>{name}</NAME><MEMORY>2048</MEMORY></HARDWARE>"
        f"<BIOS><SSN>{serial}</SSN></BIOS><OPERATINGSYSTEM><FULL_NAME>Debian 12</FULL_NAME>"
        f"<BOOT_TIME>2026-11-01 08:00:00</BOOT_TIME></OPERATINGSYSTEM>{listed}</CONTENT>"
        f"<DEVICEID>{device}</DEVICEID><QUERY>{query}</QUERY></REQUEST>"
    ).encode()


@pytest.fixture
def send(app, token):
    def post(body, *, user="acme", password=None, path="/inventory/", address="127.0.0.1"):
        pair = base64.b64encode(f"{user}:{password or token}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-compress-zlib"}
        return app.test_client().post(path, headers=headers, data=body, environ_base={"REMOTE_ADDR": address})

    return post


def machines(within, slug="acme"):
    with within(slug):
        return list(db.session.scalars(select(Asset).where(Asset.quarantined_for == "inventory")))


def test_the_question_is_answered_with_the_wish_for_an_inventory(send):
    answer = send(zlib.compress(document(query="PROLOG")))
    assert answer.status_code == 200
    assert b"<RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ>" in zlib.decompress(answer.data)


def test_an_inventory_of_an_unknown_machine_makes_a_quarantined_asset_once(send, within):
    for version in ("2026a-0", "2026b-0"):
        answer = send(zlib.compress(document(packages=[("tzdata", version)])), path="/inventory")
        assert b"<RESPONSE>" in zlib.decompress(answer.data)
    (asset,) = machines(within)
    assert (asset.name, asset.state, asset.facts["boot_time"]) == (
        "PC 9",
        "quarantined",
        "2026-11-01 08:00:00",
    )
    with within("acme"):
        kept = db.session.scalars(
            select(InstalledSoftware).where(InstalledSoftware.asset_id == asset.id)
        ).all()
        assert [(one.name, one.version) for one in kept] == [("tzdata", "2026b-0")]


def test_a_machine_is_known_by_its_serial_number_or_its_agent_id(cast, send, within):
    with within("acme"):
        db.session.add(
            Asset(
                tenant_id=cast.tenants["acme"],
                name="Till",
                serial="SN-9",
                controller_id="till-1",
                created_at=time.now(),
            )
        )
        db.session.commit()
    send(zlib.compress(document()))
    send(zlib.compress(document(device="till-1", serial="")))
    assert machines(within) == []
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.serial == "SN-9")).one()
        assert (asset.state, asset.facts["os_release"], asset.installed_release) == (
            "active",
            "Debian 12",
            None,
        )


@pytest.mark.parametrize("is_known_already", [False, True])
def test_nothing_is_kept_of_a_machine_that_has_a_credential_of_its_own(
    machine, send, within, superuser, is_known_already
):
    if is_known_already:
        superuser.execute("UPDATE agent_credentials SET revoked_at = now()")
        send(document(device="acme-pc-1", serial="", packages=[("bash", "5")]))
        superuser.execute("UPDATE agent_credentials SET revoked_at = NULL")
    asked = f"SELECT a::text FROM assets a WHERE id = {machine.asset_id}"
    before = superuser.execute(asked).fetchall()
    answer = send(document(device="acme-pc-1", serial="", packages=[("bash", "6")]))
    assert answer.status_code == 200
    assert b"<KEPT>NO</KEPT>" in zlib.decompress(answer.data)
    assert superuser.execute(asked).fetchall() == before
    versions = superuser.execute("SELECT version FROM installed_software").fetchall()
    assert versions == ([("5",)] if is_known_already else [])


def test_the_agent_s_page_says_that_inventories_are_not_kept(machine, within, sign_in):
    with within("acme"):
        public_id = db.session.get_one(Asset, (machine.tenant_id, machine.asset_id)).public_id
    page = sign_in("Nadia").get(f"/console/agents/enrol/{public_id}").text
    assert "Inventories that other programs send of it are not kept" in page


def test_a_claimed_name_of_another_client_s_machine_stays_with_the_credential_s_client(
    stranger, send, within
):
    send(zlib.compress(document(device="globex-pc-1")))
    assert len(machines(within)) == 1
    with within("globex"):
        assert db.session.get_one(Asset, (stranger.tenant_id, stranger.asset_id)).facts == {}


@pytest.mark.parametrize("user", ["globex", "", "ACME"])
def test_another_client_s_name_with_this_token_is_refused(send, user):
    answer = send(zlib.compress(document()), user=user)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="inventory"')


def test_a_gateway_token_sends_no_inventory(app, cast, send):
    assert send(zlib.compress(document()), password=share(app, cast, "acme", "gateway")).status_code == 401


UNUSABLE = {
    "no XML": b"hello",
    "broken stream": zlib.compress(document())[:-9],
    "not closed": zlib.compress(b"<REQUEST><CONTENT>"),
    "a document type": b'<!DOCTYPE a [<!ENTITY x "y">]><REQUEST/>',
    "an entity from a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><REQUEST>&x;</REQUEST>',
    "a bare document type": b'<!DOCTYPE a SYSTEM "http://elsewhere.test/a.dtd"><REQUEST/>',
    "nested": b"<a>" * 50 + b"</a>" * 50,
    "no device": document(device=""),
    "nothing": b"",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_is_400(send, within, name):
    assert send(UNUSABLE[name]).status_code == 400
    assert machines(within) == []


def test_a_small_body_that_would_inflate_beyond_the_cap_is_refused_on_the_way():
    bomb = zlib.compress(b" " * (200 * 1024 * 1024))
    assert len(bomb) < 300_000
    taken = 0
    with pytest.raises(Malformed):
        for piece in ocs.inflate(bomb):
            taken += len(piece)
            assert len(piece) <= ocs.STEP
    assert taken <= ocs.MOST_BYTES


COSTLY = {
    "elements": b"<a/>" * 5_200_000,
    "attributes": b"<c a='1' b='2'/>" * 300_000,
    "one long tag": b"<c " + b" ".join(b"a%d='1'" % one for one in range(1_400_000)) + b"/>",
    "text": b"<c>" + b"\n" * 20_000_000 + b"</c>",
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_body_that_would_take_long_to_read_is_refused_early(name):
    body = b"<REQUEST><CONTENT>" + COSTLY[name] + b"</CONTENT><DEVICEID>x</DEVICEID></REQUEST>"
    packed, began = zlib.compress(body), process_time()
    with pytest.raises(Malformed):
        ocs.read_document(packed)
    assert process_time() - began < 1.5


def test_an_inventory_without_compression_is_read_in_pieces_too():
    body = b"<REQUEST><CONTENT>" + b"<c a='1'/>" * 380_000 + b"</CONTENT></REQUEST>"
    assert max(len(one) for one in ocs.inflate(body)) == ocs.STEP
    with pytest.raises(Malformed):
        ocs.read_document(body)


def test_inventories_of_one_machine_are_limited(send, monkeypatch):
    monkeypatch.setattr(inventories, "ONE_MACHINE", "2/hour")
    assert [send(document()).status_code for _ in range(3)] == [200, 200, 429]
    assert send(document("another-pc", serial="SN-10")).status_code == 200


def test_requests_from_one_place_are_limited_before_they_are_read(send, monkeypatch):
    monkeypatch.setattr(inventories, "ONE_PLACE", "2/hour")
    assert [send(b"hello").status_code for _ in range(3)] == [400, 400, 429]
    assert send(b"hello", address="192.0.2.7").status_code == 400


@pytest.mark.skipif(PROGRAM is None, reason="fusioninventory-agent is not installed")
def test_the_real_agent_is_content_with_the_answers(app, served, token, within):
    """An empty answer would be an error of the protocol to it (I1)."""
    with recording(app) as wire:
        done = subprocess.run(
            [
                *(str(PROGRAM), "--server", f"{served.portal}/inventory", "--user", "acme", "--password", token),
                *("--config=none", "--no-fork", "--tasks=inventory", "--debug", "--logger=stderr", "--force"),
                "--no-category=process,environment,usb,printer,monitor,video,sound,modem,input",
            ],
            capture_output=True,
            timeout=120,
            check=False,
        )  # fmt: skip
    log = done.stderr.decode(errors="replace")
    assert done.returncode == 0, log
    assert "[error]" not in log, log
    assert 200 in wire.answers("POST", "/inventory"), log
    (asset,) = machines(within)
    assert asset.facts["os_release"].startswith("Debian")
    with within("acme"):
        mine = select(InstalledSoftware).where(InstalledSoftware.asset_id == asset.id)
        assert len(db.session.scalars(mine).all()) > 50
