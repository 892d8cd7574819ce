import pytest
from sqlalchemy import select

from tenants.assets.imports import apply_import, plan_import
from tenants.assets.models import Asset
from tenants.assets.rules import Entered
from tenants.assets.services import add_asset
from tenants.assets.sheets import guess_mapping, read_sheet
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tenancy.models import Site
from tests.personas import BEGAN


@pytest.fixture
def acme(within, cast):
    with within("Leo") as leo:
        db.session.add(Site(tenant_id=cast.tenant("acme"), name="Jakarta"))
        db.session.flush()
        yield cast.tenant("acme"), leo


def planned(tenant_id, text):
    sheet = read_sheet(text)
    return plan_import(tenant_id, sheet, guess_mapping(sheet.headers))


def run(acme, text, *, skip_bad=False):
    tenant_id, leo = acme
    plan = planned(tenant_id, text)
    return apply_import(tenant_id, plan, skip_bad=skip_bad, file_name="assets.csv", by=leo, at=BEGAN)


def named(name):
    return db.session.scalar(select(Asset).where(Asset.name == name))


GOOD = 'name,kind,site,serial,tags,notes\npc-1,Server,jakarta,S1,"web, prod",hello\npc-2,,,,,\n'


def test_importing_and_importing_again(acme):
    assert run(acme, GOOD) == (2, 0)
    assert (named("pc-1").kind, named("pc-1").tags, named("pc-1").serial) == ("server", ["web", "prod"], "S1")
    assert named("pc-1").site_id is not None
    assert run(acme, GOOD) == (0, 0)


def test_missing_columns_stay_as_they_are(acme):
    run(acme, GOOD)
    assert run(acme, "serial,name\nS1,renamed\n") == (0, 1)
    assert (named("renamed").tags, named("renamed").notes, named("renamed").rev) == (
        ["web", "prod"],
        "hello",
        2,
    )


def test_bad_rows_are_named_by_line_and_nothing_is_half_imported(acme):
    text = "name,kind,site,agent id\nok,server,,\n,server,,\nx,toaster,,\ny,,Nowhere,\nz,,,not an id\nok,,,\n"
    plan = planned(acme[0], text)
    assert [(line, field) for line, field, _ in plan.problems] == [
        (3, "name"),
        (4, "kind"),
        (5, "site"),
        (6, "controller_id"),
        (7, "name"),
    ]
    with pytest.raises(Invalid):
        run(acme, text)
    assert named("ok") is None
    assert run(acme, text, skip_bad=True) == (1, 0)


def test_a_file_without_names_is_refused(acme):
    with pytest.raises(Invalid) as refused:
        planned(acme[0], "serial\nS1\n")
    assert refused.value.field == "mapping"


def test_clashes_inside_the_file_and_with_assets(acme):
    tenant_id, leo = acme
    add_asset(tenant_id, Entered(name="old", controller_id="agent-1"), by=leo, at=BEGAN)
    text = "name,serial,agent id\na,S1,\nb,S1,\nc,,agent-1\nold,,agent-2\n"
    assert [(line, field) for line, field, _ in planned(tenant_id, text).problems] == [
        (3, "serial"),
        (4, "controller_id"),
        (5, "controller_id"),
    ]


def test_an_ambiguous_name_is_refused(acme):
    tenant_id, leo = acme
    for _ in range(2):
        add_asset(tenant_id, Entered(name="twin"), by=leo, at=BEGAN)
    assert [field for _, field, _ in planned(tenant_id, "name,notes\ntwin,x\n").problems] == ["name"]


def test_a_race_is_a_conflict(acme):
    tenant_id, leo = acme
    plan = planned(tenant_id, "name,serial\na,S1\n")
    add_asset(tenant_id, Entered(name="faster", serial="S1"), by=leo, at=BEGAN)
    with pytest.raises(Conflict):
        apply_import(tenant_id, plan, skip_bad=False, file_name="x", by=leo, at=BEGAN)


def test_another_clients_assets_and_sites_are_never_meant(within, cast, acme):
    tenant_id, leo = acme
    globex = cast.tenant("globex")
    add_asset(globex, Entered(name="pc-1", serial="S1", controller_id="c-1"), by=leo, at=BEGAN)
    db.session.add(Site(tenant_id=globex, name="Secret site"))
    db.session.flush()
    plan = planned(tenant_id, "name,serial,agent id,site\npc-1,S1,c-1,\nx,,,Secret site\n")
    assert (len(plan.added), [(line, field) for line, field, _ in plan.problems]) == (1, [(3, "site")])
