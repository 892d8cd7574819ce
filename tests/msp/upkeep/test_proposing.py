"""Policies propose campaigns for people to decide on: for what fits and is lacking, once, and they start nothing."""

import io
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from msp.campaigns import releases
from msp.campaigns import services as campaigns
from msp.campaigns.drafts import propose_campaign
from msp.campaigns.models import Campaign, CampaignMember, Release
from msp.upkeep import policies
from msp.upkeep.models import PatchPolicy, PatchProposal
from msp.upkeep.proposing import sweep_due_policies
from msp.upkeep.queries import find_policy
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.foundation.scope import Role, Scope, enter
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.upkeep.conftest import MONDAY

DAY = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
MONTH_LATER = datetime(2026, 12, 8, 15, 0, tzinfo=UTC)
OLD = DAY - timedelta(days=30)


@pytest.fixture
def machines(app, cast):
    for slug in ("acme", "globex"):
        fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-s{n}" for n in range(3)])


@pytest.fixture
def release(app, cast):
    """`release("1", severity="high", published_at=…)`: a release of a file; its id."""

    def make(version="1", *, name="motd", at=OLD, **more):
        with personas.within(app, cast, "Nadia") as nadia:
            row = releases.add_release(
                name=name,
                version=version,
                target_path="etc/motd",
                files=[("motd", io.BytesIO(b"hello"))],
                by=nadia,
                at=at,
            )
            for column, value in {"severity": "high", **more}.items():
                setattr(row, column, value)
            db.session.commit()
            return row.id

    return make


def sweep(app, at=DAY):
    with app.app_context(), time.frozen(at):
        return sweep_due_policies()


def everywhere(app, cast):
    return personas.within(app, cast, "Nadia")


def proposed(app, cast):
    with everywhere(app, cast):
        asked = select(Campaign, Release).join(Release, Release.id == Campaign.release_id)
        return db.session.execute(asked.order_by(Campaign.id)).all()


def test_a_submitted_campaign_by_nobody(app, cast, machines, release, policy):
    release()
    policy("acme", "globex")
    assert sweep(app, DAY - timedelta(seconds=1)) == 0
    assert sweep(app) == 1
    ((campaign, _release),) = proposed(app, cast)
    assert (campaign.state, campaign.created_by, campaign.created_by_id) == (
        "submitted",
        "policy Second Tuesday",
        None,
    )
    assert campaign.tenant_ids == sorted([cast.tenants["acme"], cast.tenants["globex"]])
    assert campaign.next_eval_at is None
    assert campaign.plan_sha256


def test_any_person_with_the_right_may_approve_and_only_people(app, cast, machines, release, policy):
    release()
    policy("acme")
    sweep(app)
    ((campaign, _),) = proposed(app, cast)
    rollout = fleet.Rollout(app, cast, campaign.id)
    with app.app_context(), rollout.seen(), pytest.raises(Conflict):
        campaigns.approve_campaign(
            rollout.load(), seen=campaign.plan_sha256, by=Actor.system("policy Second Tuesday"), at=DAY
        )
    rollout.act("Nadia", campaigns.approve_campaign, seen=campaign.plan_sha256, at=DAY)
    assert rollout.state == "approved"


def test_people_and_agents_propose_nothing_without_a_name(app, cast, machines, release):
    release_id = release()
    with personas.within(app, cast, "Nadia") as nadia, pytest.raises(Forbidden):
        propose_campaign(
            title="x", release=db.session.get_one(Release, release_id), assets=[], by=nadia, at=DAY
        )


def test_looking_twice_proposes_once(app, cast, machines, release, policy):
    release()
    policy_id, _ = policy("acme")
    assert [sweep(app), sweep(app, DAY + timedelta(hours=1))] == [1, 0]
    with everywhere(app, cast):
        row = db.session.get_one(PatchPolicy, policy_id)
        row.settled_until, row.look_at = MONDAY, MONDAY
        campaign = db.session.scalars(select(Campaign)).one()
        campaign.state = "expired"
        db.session.commit()
    assert sweep(app) == 0, "this day's campaign for the release exists, whatever came of it"


def test_two_sweepers_propose_once(app, cast, machines, release, policy):
    release()
    for name in ("One", "Two", "Three"):
        policy("acme", name=name)
    met, problems = threading.Barrier(2), []

    def run():
        try:
            met.wait()
            sweep(app)
        except Exception as error:
            problems.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert problems == []
    assert sorted(campaign.created_by for campaign, _ in proposed(app, cast)) == [
        "policy One",
        "policy Three",
        "policy Two",
    ]


def test_only_what_is_grave_and_old_enough_and_not_withdrawn(app, cast, machines, release, policy):
    release("1", name="mild", severity="medium")
    release("1", name="young", at=DAY - timedelta(days=6))
    release("1", name="published", at=DAY - timedelta(days=1), published_at=OLD)
    release("1", name="gone", withdrawn_at=OLD)
    release("1", name="grave", severity="critical")
    release("1", name="twice")
    release("2", name="twice")
    policy("acme")
    sweep(app)
    assert sorted(one.label for _, one in proposed(app, cast)) == ["grave/1", "published/1", "twice/2"]


def test_only_the_assets_that_are_meant_and_lack_it(app, cast, machines, release, policy):
    release("1")
    release("2", at=DAY)
    with everywhere(app, cast):
        mine = select(Asset).where(Asset.tenant_id == cast.tenants["acme"]).order_by(Asset.name)
        first, second, third = db.session.scalars(mine.where(Asset.name.like("acme-s%"))).all()
        first.installed_release, first.tags = "motd/1", ["till"]
        second.installed_release, second.tags = "motd/2", ["till"]
        third.tags = ["till"]
        db.session.commit()
    policy("acme", tag="till", asset_kind="server")
    sweep(app)
    with everywhere(app, cast):
        assert db.session.scalars(select(CampaignMember.asset_id)).all() == [third.id]


def test_packages_are_compared_as_debian_does(app, cast, machines, release, policy):
    release(kind="deb", spec={"packages": [{"name": "tzdata", "version": "2026b-0"}], "reboot": "never"})
    with everywhere(app, cast):
        mine = select(Asset).where(Asset.name.like("acme-s%")).order_by(Asset.name)
        older, newer, none = db.session.scalars(mine).all()
        for asset, version in ((older, "2026a-9"), (newer, "2026b-0+deb12u1")):
            db.session.add(
                InstalledSoftware(
                    tenant_id=asset.tenant_id,
                    asset_id=asset.id,
                    name="tzdata",
                    version=version,
                    seen_at=OLD,
                )
            )
        db.session.commit()
    policy("acme")
    sweep(app)
    with everywhere(app, cast):
        assert db.session.scalars(select(CampaignMember.asset_id)).all() == [older.id]
    assert none.id not in (older.id, newer.id)


def test_what_waits_or_was_rejected_is_not_proposed_again(app, cast, machines, release, policy):
    release("1", name="waits")
    release("1", name="rejected")
    release("1", name="expired")
    policy("acme")
    sweep(app)
    with everywhere(app, cast):
        for campaign, one in db.session.execute(
            select(Campaign, Release).join(Release, Release.id == Campaign.release_id)
        ):
            campaign.state = "submitted" if one.name == "waits" else one.name
        db.session.commit()
    assert sweep(app, MONTH_LATER) == 1
    assert [one.name for _, one in proposed(app, cast)][3:] == ["expired"]


def test_an_outage_of_months_is_one_day_to_catch_up_with(app, cast, machines, release, policy):
    release()
    policy("acme")
    assert sweep(app, DAY + timedelta(days=200)) == 1
    with everywhere(app, cast):
        assert db.session.scalars(select(PatchProposal.occurs_on)).one().isoformat() == "2027-05-11"


def test_a_paused_policy_proposes_nothing(app, cast, machines, release, policy):
    release()
    _id, public_id = policy("acme")
    with everywhere(app, cast) as nadia:
        policies.pause_policy(find_policy(public_id), by=nadia, at=MONDAY)
        db.session.commit()
    assert sweep(app, MONTH_LATER) == 0
    with everywhere(app, cast) as nadia:
        policies.resume_policy(find_policy(public_id), by=nadia, at=MONTH_LATER)
        db.session.commit()
    assert sweep(app, MONTH_LATER + timedelta(days=1)) == 0, "the pause is not made up for"
    assert sweep(app, MONTH_LATER + timedelta(days=40)) == 1


def test_a_policy_of_other_clients_is_not_there(app, cast, policy):
    _id, public_id = policy("globex")
    with personas.within(app, cast, "Tina"), pytest.raises(NotFound):
        find_policy(public_id)


def test_nobody_makes_a_policy_for_clients_they_are_not_granted(app, cast):
    from tests.msp.upkeep.conftest import SECOND_TUESDAY

    tina = personas.actor(app, cast, "Tina")
    said = policies.Policy(name="x", tenant_ids=[cast.tenants["globex"]], rule=SECOND_TUESDAY)
    with app.app_context(), enter(Scope(Role.STAFF, tina.tenants)), pytest.raises(Forbidden):
        policies.add_policy(said, by=tina, at=MONDAY)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"severity": "dire"}, "severity"),
        ({"least_age_days": -1}, "least_age_days"),
        ({"asset_kind": "toaster"}, "kind"),
    ],
)
def test_what_is_unfit_is_named(policy, said, field):
    with pytest.raises(InvalidMany) as refused:
        policy("acme", **said)
    assert [name for name, _ in refused.value.errors] == [field]
