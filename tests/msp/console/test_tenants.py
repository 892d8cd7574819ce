import re
import uuid

import pytest
from sqlalchemy import func, select

from tenants.foundation.db import db
from tenants.people.models import Invitation, StaffGrant
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.queries import find_tenant

MATRIX = {
    f"matrix_{impact}_{urgency}": "P3"
    for impact in ("high", "medium", "low")
    for urgency in ("high", "medium", "low")
}


def onboarding(**changes):
    return {
        "key": str(uuid.uuid4()),
        "name": "PT Sinar Jaya",
        "slug": "sinar-jaya",
        "prefix": "SINAR",
        "address": "Jl. Merdeka 1",
        "time_zone": "Asia/Jakarta",
        "language": "id",
        "site_count": "2",
        "site_0_name": "Jakarta",
        "site_1_name": "",
        "contract": "standard",
        "admin_name": "Siti Rahma",
        "admin_email": "siti@example.com",
        **MATRIX,
        **changes,
    }


@pytest.fixture
def seen(within):
    def look(person, query):
        with within(person):
            return db.session.execute(query).scalars().all()

    return look


def test_onboarding_saves_client_site_contract_and_invitation(sign_in, seen):
    answer = sign_in("Mia").post("/console/tenants/new", data=onboarding())
    assert (answer.status_code, answer.location) == (302, "/console/tenants/sinar-jaya")
    assert seen(
        "Mia", select(Site.name).join(Tenant, Tenant.id == Site.tenant_id).where(Tenant.slug == "sinar-jaya")
    ) == ["Jakarta"]
    assert "siti@example.com" in seen("Mia", select(Invitation.email))
    page = sign_in("Mia").get("/console/tenants/sinar-jaya").text
    assert "PT Sinar Jaya" in page
    assert "Its own matrix" in page


def test_sent_twice_it_is_one_client(sign_in, seen):
    mia, data = sign_in("Mia"), onboarding()
    assert mia.post("/console/tenants/new", data=data).location == "/console/tenants/sinar-jaya"
    assert mia.post("/console/tenants/new", data=data).location == "/console/tenants/sinar-jaya"
    assert seen("Mia", select(func.count()).select_from(Tenant).where(Tenant.slug == "sinar-jaya")) == [1]


def test_empty_names_are_suggested_and_have_to_be_checked(sign_in, seen):
    answer = sign_in("Mia").post("/console/tenants/new", data=onboarding(slug="", prefix=""))
    assert answer.status_code == 422
    assert 'value="sinar-jaya"' in answer.text
    assert 'value="SINA"' in answer.text
    assert seen("Mia", select(Tenant).where(Tenant.slug == "sinar-jaya")) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"slug": "Big Name"}, "slug"),
        ({"slug": "acme"}, "slug"),
        ({"slug": "a" * 40}, "slug"),
        ({"prefix": "acme"}, "prefix"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"site_1_name": "jakarta"}, "site_1_name"),
        ({"site_0_name": "", "site_0_address": "Jl. 1"}, "site_0_name"),
        ({"matrix_high_high": "P9"}, "matrix_high_high"),
        ({"admin_email": "nonsense"}, "admin_email"),
        ({"admin_name": ""}, "admin_name"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_a_fault_is_named_kept_and_nothing_is_saved(sign_in, seen, change, field):
    answer = sign_in("Mia").post("/console/tenants/new", data=onboarding(**change))
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-error"|href="#{field}"', answer.text)
    assert "Jl. Merdeka 1" in answer.text
    assert seen("Mia", select(Tenant).where(Tenant.slug == "sinar-jaya")) == []
    assert seen("Mia", select(Invitation)) == []


def test_more_sites_keeps_what_was_typed(sign_in):
    answer = sign_in("Mia").post("/console/tenants/new", data=onboarding(more_sites="1", name="Half"))
    assert answer.status_code == 200
    assert 'name="site_2_name"' in answer.text
    assert 'value="Half"' in answer.text


def test_the_onboarding_person_keeps_access(sign_in, superuser, cast, seen):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE user_id = %s", (cast.users["Mia"],))
    mia = sign_in("Mia")
    assert mia.post("/console/tenants/new", data=onboarding()).status_code == 302
    assert mia.get("/console/tenants/sinar-jaya").status_code == 200
    assert mia.get("/console/tenants/acme").status_code == 404
    assert len(seen("Mia", select(StaffGrant))) == 1


@pytest.mark.parametrize("person", ["Tina", "Leo", "Nadia", "Dana"])
def test_only_managers_may(sign_in, person):
    signed_in = sign_in(person)
    for path in ("new", "acme/edit", "acme/suspend", "acme/priorities", "acme/sites/new"):
        assert signed_in.get(f"/console/tenants/{path}").status_code == 403, path
    assert signed_in.post("/console/tenants/acme/exports").status_code == 403


def test_clients_find_no_console(sign_in):
    assert sign_in("Alice").get("/console/").status_code == 403


def test_tina_sees_acme_and_no_globex(sign_in):
    tina = sign_in("Tina")
    for path in ("/console/", "/console/tenants", "/console/assets", "/console/assets.csv"):
        page = tina.get(path).text
        assert "Acme" in page, path
        assert "lobex" not in page, path
    assert "acme-pc-1" in tina.get("/console/assets").text


def test_another_client_is_as_unknown_as_one_that_never_was(sign_in):
    tina = sign_in("Tina")
    pages = {tina.get(f"/console/tenants/{slug}").data for slug in ("globex", "nobody", "..%00", "a" * 300)}
    assert len(pages) == 1
    assert tina.get("/console/tenants/globex").status_code == 404
    assert tina.get("/console/assets?tenant=globex").status_code == 404


def test_editing_and_a_stale_page(sign_in, within):
    mia = sign_in("Mia")
    form = {"rev": "1", "name": "Acme Two", "address": "", "time_zone": "Asia/Makassar", "language": "en"}
    assert mia.post("/console/tenants/acme/edit", data=form).status_code == 302
    stale = mia.post("/console/tenants/acme/edit", data={**form, "name": "Mine"})
    assert stale.status_code == 409
    assert 'value="Mine"' in stale.text
    assert 'name="rev" type="hidden" value="2"' in stale.text
    with within("Mia"):
        assert find_tenant("acme").name == "Acme Two"


def test_priorities(sign_in, within):
    mia = sign_in("Mia")
    assert (
        mia.post(
            "/console/tenants/acme/priorities", data={"rev": "1", **MATRIX, "matrix_high_high": "P1"}
        ).status_code
        == 302
    )
    with within("Mia"):
        assert find_tenant("acme").priority_matrix["high/high"] == "P1"
    assert (
        mia.post(
            "/console/tenants/acme/priorities", data={"rev": "2", **MATRIX, "matrix_low_low": ""}
        ).status_code
        == 422
    )


def test_suspending_with_undo_and_back(sign_in, within):
    mia, alice = sign_in("Mia"), sign_in("Alice")
    assert alice.get("/portal/assets").status_code == 200
    assert mia.post("/console/tenants/acme/suspend", data={"rev": "1", "reason": ""}).status_code == 422
    assert mia.post("/console/tenants/acme/suspend", data={"rev": "1", "reason": "unpaid"}).status_code == 302
    page = mia.get("/console/tenants/acme").text
    assert "unpaid" in page
    undo = re.search(r'action="(/console/tenants/acme/resume\?rev=2)"', page)
    assert undo
    assert alice.get("/portal/assets").status_code != 200
    assert mia.post(undo.group(1)).status_code == 302
    assert alice.get("/portal/assets").status_code == 200
    undo = re.search(
        r'action="(/console/tenants/acme/suspend\?[^"]+)"', mia.get("/console/tenants/acme").text
    )
    assert mia.post(undo.group(1).replace("&amp;", "&")).status_code == 302
    with within("Mia"):
        assert (find_tenant("acme").state, find_tenant("acme").suspended_reason) == ("suspended", "unpaid")


def test_a_double_resume_is_a_conflict(sign_in):
    mia = sign_in("Mia")
    mia.post("/console/tenants/acme/suspend", data={"rev": "1", "reason": "x"})
    assert mia.post("/console/tenants/acme/resume?rev=2").status_code == 302
    assert mia.post("/console/tenants/acme/resume?rev=2").status_code == 409
    assert mia.post("/console/tenants/acme/resume?rev=abc").status_code == 409


def test_leaving(sign_in):
    mia = sign_in("Mia")
    mia.post("/console/tenants/acme/suspend", data={"rev": "1", "reason": "left"})
    assert (
        mia.post("/console/tenants/acme/offboard", data={"rev": "2", "typed_slug": "wrong"}).status_code
        == 422
    )
    assert (
        mia.post("/console/tenants/acme/offboard", data={"rev": "2", "typed_slug": "acme"}).status_code == 302
    )
    assert mia.get("/console/tenants/acme").status_code == 404


def test_sites(sign_in, within, cast):
    mia = sign_in("Mia")
    assert (
        mia.post("/console/tenants/acme/sites/new", data={"name": "Depok", "address": "x"}).status_code == 302
    )
    assert mia.post("/console/tenants/acme/sites/new", data={"name": "Depok"}).status_code == 422
    with within("Mia"):
        ours = db.session.scalar(select(Site.public_id).where(Site.name == "Depok"))
        theirs = db.session.scalar(select(Site.public_id).where(Site.tenant_id == cast.tenant("globex")))
    assert mia.post(f"/console/tenants/acme/sites/{ours}/edit", data={"name": "Bogor"}).status_code == 302
    assert mia.post(f"/console/tenants/acme/sites/{ours}/retire").status_code == 302
    assert "Bogor is retired" in mia.get("/console/tenants/acme").text
    assert mia.post(f"/console/tenants/acme/sites/{ours}/unretire").status_code == 302
    for wrong in (theirs, uuid.uuid4(), "x"):
        assert mia.post(f"/console/tenants/acme/sites/{wrong}/retire").status_code == 404
