import threading
import uuid

import pytest
from sqlalchemy import func, select

from tenants.audit.models import AuditEntry
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.scope import ScopeBreached, current
from tenants.tenancy import queries, services
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.rules import Onboarding, SitePlan
from tests.personas import BEGAN

PLAN = Onboarding(
    name="PT Sinar Jaya",
    slug="sinar-jaya",
    prefix="SINA",
    sites=(SitePlan("Jakarta"), SitePlan("Depok", "Jl. Margonda 1")),
)


def with_(**changes):
    from dataclasses import replace

    return replace(PLAN, **changes)


def test_onboarding_writes_client_and_sites(within):
    with within("Owen") as owen:
        tenant = services.onboard_tenant(PLAN, by=owen, at=BEGAN)
        db.session.commit()
        assert tenant.id in current().tenants
        assert [site.name for site in queries.list_sites(tenant.id)] == ["Depok", "Jakarta"]
        assert queries.find_tenant("sinar-jaya").rev == 1
        assert (
            db.session.scalar(select(AuditEntry.action).where(AuditEntry.tenant_id == tenant.id))
            == "tenant.onboarded"
        )


def test_only_the_new_client_is_added_to_the_scope(within, cast):
    with within("Tina") as tina:
        before = current().tenants
        tenant = services.onboard_tenant(PLAN, by=tina, at=BEGAN)
        assert current().tenants == before | {tenant.id}
        assert db.session.scalar(select(Tenant).where(Tenant.slug == "globex")) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"slug": "Sinar"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "sinar\n"}, "slug"),
        ({"prefix": "s"}, "prefix"),
        ({"prefix": "TOOLONG"}, "prefix"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"sites": (SitePlan("A"), SitePlan("a"))}, "sites-1-name"),
        ({"sites": (SitePlan(""),)}, "sites-0-name"),
        ({"priority_matrix": {"high/high": "P1"}}, "priority_matrix"),
        ({"slug": "acme"}, "slug"),
        ({"prefix": "ACME"}, "prefix"),
        ({"kind": "own"}, "kind"),
    ],
)
def test_each_fault_names_its_field_and_saves_nothing(within, change, field):
    with within("Owen") as owen:
        before = db.session.scalar(select(func.count()).select_from(Site))
        with pytest.raises(Invalid) as refused:
            services.onboard_tenant(with_(**change), by=owen, at=BEGAN)
        assert [one for one, _ in refused.value.errors] == [field]
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Site)) == before


def test_a_clash_with_a_client_one_may_not_see_is_told_all_the_same(within):
    with within("Tina") as tina, pytest.raises(Invalid) as refused:
        services.onboard_tenant(with_(slug="globex"), by=tina, at=BEGAN)
    assert refused.value.field == "slug"


def test_every_fault_is_told_at_once(within):
    with within("Owen") as owen, pytest.raises(Invalid) as refused:
        services.onboard_tenant(with_(name="", slug="", prefix=""), by=owen, at=BEGAN)
    assert [field for field, _ in refused.value.errors] == ["name", "slug", "prefix"]


def test_concurrent_onboarding_with_one_slug_makes_one_client(app, cast):
    from tests.personas import within

    outcomes = []
    together = threading.Barrier(2)

    def onboard(prefix):
        with within(app, cast, "Owen") as owen:
            together.wait()
            try:
                services.onboard_tenant(with_(prefix=prefix), by=owen, at=BEGAN)
                db.session.commit()
                outcomes.append("made")
            except Invalid as refused:
                outcomes.append(refused.field)

    threads = [threading.Thread(target=onboard, args=(prefix,)) for prefix in ("AAA", "BBB")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["made", "slug"]
    with within(app, cast, "provider"):
        pass


def test_a_key_finds_what_it_made(within):
    key = uuid.uuid4()
    with within("Owen") as owen:
        made = services.onboard_tenant(PLAN, by=owen, at=BEGAN, key=key)
        assert queries.find_onboarded(key) is made


def test_suspending_and_resuming(within, as_actor):
    with within("Owen") as owen:
        acme = queries.find_tenant("acme")
        services.suspend_tenant(acme, reason="unpaid", rev=acme.rev, by=owen, at=BEGAN)
        db.session.commit()
        assert (acme.state, acme.suspended_reason, acme.rev) == ("suspended", "unpaid", 2)
        with pytest.raises(Conflict):
            services.suspend_tenant(acme, reason="again", rev=acme.rev, by=owen, at=BEGAN)
        services.resume_tenant(acme, rev=acme.rev, by=owen, at=BEGAN)
        db.session.commit()
        assert (acme.state, acme.suspended_reason) == ("active", None)


def test_suspended_clients_people_are_refused(within, sign_in):
    alice = sign_in("Alice")
    with within("Owen") as owen:
        acme = queries.find_tenant("acme")
        services.suspend_tenant(acme, reason="unpaid", rev=acme.rev, by=owen, at=BEGAN)
        db.session.commit()
    assert alice.get("/portal/assets").status_code in (302, 401, 404)
    assert b"Acme" not in alice.get("/portal/assets").data


def test_own_company_is_never_suspended(within):
    with within("Owen") as owen:
        own = queries.find_tenant("provider")
        with pytest.raises(Conflict):
            services.suspend_tenant(own, reason="x", rev=own.rev, by=owen, at=BEGAN)


def test_a_stale_page_is_refused(within):
    with within("Owen") as owen:
        acme = queries.find_tenant("acme")
        facts = {"name": "Acme Two", "address": "", "time_zone": "Asia/Makassar", "language": "en"}
        services.edit_tenant(acme, **facts, rev=1, by=owen, at=BEGAN)
        with pytest.raises(Conflict):
            services.edit_tenant(acme, **facts, rev=1, by=owen, at=BEGAN)
        with pytest.raises(Conflict):
            services.set_priority_matrix(acme, None, rev=1, by=owen, at=BEGAN)


def test_offboarding_needs_suspension_and_the_typed_name(within):
    with within("Owen") as owen:
        acme = queries.find_tenant("acme")
        with pytest.raises(Invalid):
            services.offboard_tenant(acme, typed_slug="globex", rev=1, by=owen, at=BEGAN)
        with pytest.raises(Conflict):
            services.offboard_tenant(acme, typed_slug="acme", rev=1, by=owen, at=BEGAN)
        services.suspend_tenant(acme, reason="left", rev=1, by=owen, at=BEGAN)
        services.offboard_tenant(acme, typed_slug="acme", rev=2, by=owen, at=BEGAN)
        assert acme.state == "offboarded"


def test_foreign_rows_cannot_be_written(within, cast):
    with within("Tina") as tina:
        foreign = Tenant(id=cast.tenant("globex"), slug="globex", prefix="GLBX", name="x", created_at=BEGAN)
        with pytest.raises(ScopeBreached):
            services.add_site(foreign, SitePlan("Stolen"), by=tina, at=BEGAN)


def test_sites(within):
    with within("Owen") as owen:
        acme = queries.find_tenant("acme")
        site = services.add_site(acme, SitePlan("Head office"), by=owen, at=BEGAN)
        with pytest.raises(Invalid) as refused:
            services.add_site(acme, SitePlan("Head office"), by=owen, at=BEGAN)
        assert refused.value.field == "name"
        services.edit_site(acme, site, SitePlan("HQ", "Jl. Sudirman"), by=owen, at=BEGAN)
        services.retire_site(acme, site, by=owen, at=BEGAN)
        assert site not in queries.list_sites(acme.id)
        services.unretire_site(acme, site, by=owen, at=BEGAN)
        assert site in queries.list_sites(acme.id)
