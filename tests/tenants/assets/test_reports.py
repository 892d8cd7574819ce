from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.assets.models import Asset, InstalledSoftware
from tenants.assets.reports import record_facts, record_seen, record_software
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.scope import Role, Scope, enter
from tests.personas import BEGAN

LATER = BEGAN + timedelta(hours=1)


@pytest.fixture
def asset_id(within):
    with within("acme") as tenant_id:
        asset = Asset(tenant_id=tenant_id, name="acme-pc-9", controller_id="acme-pc-9", created_at=BEGAN)
        db.session.add(asset)
        db.session.commit()
        return asset.id


@pytest.fixture
def agent(app, cast, asset_id):
    """The asset in the scope in which agents call."""
    with app.app_context(), enter(Scope(Role.AGENTS, frozenset({cast.tenant("acme")}))):
        yield db.session.scalar(select(Asset).where(Asset.id == asset_id))


def listed():
    rows = db.session.execute(
        select(
            InstalledSoftware.name,
            InstalledSoftware.version,
            InstalledSoftware.architecture,
            InstalledSoftware.seen_at,
        )
    )
    return {(row.name, row.architecture): (row.version, row.seen_at) for row in rows}


def test_facts_merge_and_fill_the_columns(agent):
    record_facts(agent, {"kernel": "6.1", "boot_id": "b-1", "gone": "x"}, BEGAN)
    record_facts(agent, {"boot_id": "b-2", "gone": None, "installed_release": "2026.11"}, LATER)
    db.session.commit()
    assert agent.facts == {"kernel": "6.1", "boot_id": "b-2", "installed_release": "2026.11"}
    assert (agent.boot_id, agent.installed_release, agent.facts_at, agent.last_seen_at) == (
        "b-2",
        "2026.11",
        LATER,
        LATER,
    )


def test_facts_replace_and_remove(agent):
    record_facts(agent, {"a": "1", "b": "2"}, BEGAN)
    record_facts(agent, {"b": "x"}, BEGAN, mode="remove")
    assert agent.facts == {"a": "1"}
    record_facts(agent, {"c": 3}, BEGAN, mode="replace")
    assert agent.facts == {"c": "3"}


@pytest.mark.parametrize("given", [{"": "x"}, {"a\x00": "x"}, {str(one): "x" for one in range(101)}])
def test_unusable_facts_are_refused(agent, given):
    with pytest.raises(Invalid):
        record_facts(agent, given, BEGAN)


def test_hostile_text_is_cut_down(agent):
    record_facts(agent, {"host": "a\x00b\ud800c" + "x" * 9000}, BEGAN)
    db.session.commit()
    assert agent.facts["host"].startswith("abcx")
    assert len(agent.facts["host"]) == 4096


def test_software_follows_the_report(agent):
    assert record_software(
        agent, [("bash", "5.1", "amd64"), ("curl", "7", "amd64"), ("libc", "2", "i386")], BEGAN
    )
    assert record_software(
        agent, [("bash", "5.2", "amd64"), ("libc", "2", "i386"), ("vim", "9", "all")], LATER
    )
    db.session.commit()
    assert listed() == {
        ("bash", "amd64"): ("5.2", LATER),
        ("libc", "i386"): ("2", BEGAN),
        ("vim", "all"): ("9", LATER),
    }


def test_what_could_be_upgraded_follows_the_report_too(agent):
    def upgradable():
        return dict(db.session.execute(select(InstalledSoftware.name, InstalledSoftware.upgradable_to)).all())

    record_software(agent, [("bash", "5.1", "amd64", "5.2"), ("curl", "7", "amd64")], BEGAN)
    assert upgradable() == {"bash": "5.2", "curl": None}
    record_software(agent, [("bash", "5.1", "amd64", ""), ("curl", "7", "amd64", "8")], LATER)
    assert upgradable() == {"bash": None, "curl": "8"}
    assert listed()["bash", "amd64"] == ("5.1", BEGAN), "the same version is there since the same time"


def test_an_unchanged_list_is_not_written(agent):
    packages = [("bash", "5.1", "amd64")]
    record_software(agent, packages, BEGAN)
    assert not record_software(agent, packages, LATER)
    assert agent.software_at == LATER


def test_an_empty_report_empties_the_list(agent):
    record_software(agent, [("bash", "5.1", "amd64")], BEGAN)
    record_software(agent, [], LATER)
    assert listed() == {}


def test_software_of_two_assets_stays_apart(agent, app, cast):
    with enter(Scope(Role.WORKER, frozenset({cast.tenant("globex")}))):
        other = Asset(tenant_id=cast.tenant("globex"), name="globex-1", created_at=BEGAN)
        db.session.add(other)
        db.session.flush()
        record_software(other, [("secret", "1", "amd64")], BEGAN)
        db.session.commit()
    record_software(agent, [], BEGAN)
    db.session.commit()
    with enter(Scope(Role.WORKER, frozenset({cast.tenant("globex")}))):
        assert list(listed()) == [("secret", "amd64")]


def test_a_sign_of_life_is_written_every_half_minute(agent):
    record_seen(agent, BEGAN)
    record_seen(agent, BEGAN + timedelta(seconds=29))
    assert agent.last_seen_at == BEGAN
    record_seen(agent, BEGAN + timedelta(seconds=30))
    assert agent.last_seen_at == BEGAN + timedelta(seconds=30)
