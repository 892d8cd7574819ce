import uuid
from datetime import timedelta

import pytest

from tenants.assets import queries, services
from tenants.assets.queries import AssetFilter
from tenants.assets.reports import record_software
from tenants.assets.rules import Entered
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.tenancy.models import Site
from tests.personas import BEGAN


@pytest.fixture
def leo(within):
    with within("Leo") as leo:
        yield leo


@pytest.fixture
def add(leo, cast):
    def add(name, tenant="acme", **more):
        return services.add_asset(cast.tenant(tenant), Entered(name=name, **more), by=leo, at=BEGAN)

    return add


def names(at=BEGAN, **chosen):
    return [
        asset.name
        for asset in queries.list_assets(AssetFilter(**chosen), at=at)
        if asset.name.startswith("z")
    ]


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "a", "kind": "toaster"}, "kind"),
        ({"name": "a", "serial": "x" * 121}, "serial"),
        ({"name": "a", "tags": ("two words",)}, "tags"),
        ({"name": "a", "tags": tuple(str(one) for one in range(21))}, "tags"),
        ({"name": "a", "notes": "x" * 4001}, "notes"),
        ({"name": "a", "controller_id": "a/b"}, "controller_id"),
    ],
)
def test_each_fault_names_its_field(add, entered, field):
    with pytest.raises(Invalid) as refused:
        add(**entered)
    assert refused.value.field == field


def test_serial_and_agent_id_are_unique_in_the_client_only(add):
    add("zed", serial="S1", controller_id="c1")
    add("zed", tenant="globex", serial="S1", controller_id="c1")
    for clash, field in (({"serial": "S1"}, "serial"), ({"controller_id": "c1"}, "controller_id")):
        with pytest.raises(Invalid) as refused:
            add("other", **clash)
        assert refused.value.field == field
    db.session.commit()


def test_a_foreign_site_is_refused(add, cast, leo):
    site = Site(tenant_id=cast.tenant("globex"), name="Theirs")
    db.session.add(site)
    db.session.flush()
    with pytest.raises(Invalid) as refused:
        add("zed", site_id=site.id)
    assert refused.value.field == "site"


def test_a_stale_edit_is_refused(add, leo):
    asset = add("zed")
    services.edit_asset(asset, Entered(name="zoe", serial="S2"), rev=1, by=leo, at=BEGAN)
    assert (asset.name, asset.serial, asset.rev) == ("zoe", "S2", 2)
    with pytest.raises(Conflict):
        services.edit_asset(asset, Entered(name="zoe"), rev=1, by=leo, at=BEGAN)


def test_an_agent_id_never_changes(add, leo):
    asset = add("zed", controller_id="c1")
    with pytest.raises(Invalid):
        services.edit_asset(asset, Entered(name="zed", controller_id="c2"), rev=1, by=leo, at=BEGAN)
    services.edit_asset(asset, Entered(name="zed"), rev=1, by=leo, at=BEGAN)
    assert asset.controller_id == "c1"


def test_retiring_and_back(add, leo):
    asset = add("zed", serial="S1")
    services.retire_asset(asset, by=leo, at=BEGAN)
    assert names() == []
    assert names(state="retired") == names(state="all") == ["zed"]
    with pytest.raises(Conflict):
        services.retire_asset(asset, by=leo, at=BEGAN)
    heir = add("zoe", serial="S1")
    with pytest.raises(Invalid) as refused:
        services.unretire_asset(asset, by=leo, at=BEGAN)
    assert refused.value.field == "serial"
    services.retire_asset(heir, by=leo, at=BEGAN)
    services.unretire_asset(asset, by=leo, at=BEGAN)
    assert names() == ["zed"]


def test_filters(add, leo, cast):
    one = add("z-one", kind="server", serial="ABC-1", tags=("web",), controller_id="c1")
    two = add("z-two", tags=("db",))
    add("z-three", tenant="globex")
    record_software(one, [("bash", "5.1", "amd64")], BEGAN)
    record_software(two, [("bash", "5.2", "amd64")], BEGAN)
    assert names(q="abc") == ["z-one"]
    assert names(q="%") == []
    assert names(q="z\x00-t") == ["z-three", "z-two"]
    assert names(tag="DB") == ["z-two"]
    assert names(kind="server") == ["z-one"]
    assert names(software="bash") == ["z-one", "z-two"]
    assert names(software="bash", version="5.2") == ["z-two"]
    assert names(tenant_id=cast.tenant("globex")) == ["z-three"]
    assert names(silent=True) == []
    assert names(silent=True, at=BEGAN + timedelta(minutes=16)) == ["z-one"]
    assert queries.count_silent(BEGAN + timedelta(hours=1))[cast.tenant("acme")] >= 1


def test_pages_follow_one_another(add):
    for number in range(7):
        add(f"z{number}", tenant="acme" if number % 2 else "globex")
    seen, after = [], None
    while True:
        rows = queries.list_assets(AssetFilter(q="z"), at=BEGAN, after=after, limit=3)
        seen += [row.name for row in rows[:3]]
        if len(rows) <= 3:
            break
        after = queries.sort_key(rows[2])
    assert seen == [f"z{number}" for number in range(7)]


def test_the_door(within, add, cast):
    asset = add("zed", tenant="globex")
    db.session.commit()
    with within("Tina"):
        for asked in (str(asset.public_id), str(uuid.uuid4()), "nonsense", "", "\x00"):
            with pytest.raises(NotFound):
                queries.find_asset(asked)


def test_names_of_are_found_by_pairs(add, cast):
    asset = add("zed")
    pair = (asset.tenant_id, asset.id)
    assert queries.names_of([pair]) == {pair: asset}
    assert queries.names_of([(cast.tenant("globex"), asset.id)]) == {}
