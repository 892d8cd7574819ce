"""Plans: the first wave is small, nobody is left out or in twice, and the hash is of the plan."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.campaigns import plans
from msp.campaigns.gates import Gate, GlobalRule
from msp.campaigns.plans import Member, Timing, UnfitPlan

percents = st.sets(st.integers(1, 99), max_size=8).filter(bool).map(lambda found: [*sorted(found), 100])
members = st.sets(st.builds(Member, st.integers(1, 6), st.integers(1, 500)), min_size=2, max_size=200)


@pytest.mark.parametrize(
    ("total", "most"), [(1, 1), (2, 1), (20, 1), (39, 1), (40, 2), (200, 10), (201, 10), (100_000, 10)]
)
def test_the_first_wave_has_at_most_five_percent_and_never_more_than_ten(total, most):
    assert plans.first_wave_limit(total) == most


@given(total=st.integers(2, 5000), percents=percents)
def test_waves_hold_everybody_and_none_is_empty(total, percents):
    sizes = plans.wave_sizes(total, percents)
    assert sum(sizes) == total
    assert min(sizes) >= 1
    assert sizes[0] <= plans.first_wave_limit(total)
    assert 2 <= len(sizes) <= len(percents)


@pytest.mark.parametrize(
    "wrong", [(), (100, 5), (5, 5, 100), (0, 100), (5, 99), (5, 100, 101), tuple(range(1, 12)), (100,)]
)
def test_unfit_percentages_are_refused(wrong):
    with pytest.raises(UnfitPlan):
        plans.wave_sizes(50, wrong)


def test_a_single_asset_needs_a_single_wave():
    assert plans.wave_sizes(1, (100,)) == [1]
    with pytest.raises(UnfitPlan):
        plans.wave_sizes(0, (5, 100))


@given(members=members, own=st.sets(st.integers(1, 6), max_size=2))
def test_own_machines_come_first_and_the_order_can_be_repeated(members, own):
    ordered = plans.order_members(members, own_tenants=own, seed="one")
    assert ordered == plans.order_members(list(members)[::-1], own_tenants=own, seed="one")
    assert set(ordered) == members
    flags = [member.tenant_id in own for member in ordered]
    assert flags == sorted(flags, reverse=True)


def frozen(members, percents=(5, 25, 100)):
    waves = plans.build_waves(
        plans.order_members(members, own_tenants=(), seed="s"), percents, [Gate(max_bad=1), Gate(max_bad=5)]
    )
    return plans.freeze(
        release={"id": 1, "files": {"a": "0"}}, waves=waves, timing=Timing(), rule=GlobalRule(), version=1
    )


@given(members=members)
def test_the_plan_survives_storage_and_its_hash_with_it(members):
    plan = frozen(members)
    stored = json.loads(json.dumps(plan))
    assert plans.plan_hash(stored) == plans.plan_hash(plan)
    assert plans.timing_of(stored) == Timing()
    assert plans.rule_of(stored) == GlobalRule()
    assert [Gate.of(wave["gate"]).max_bad for wave in stored["waves"]][:2] == [1, 5]
    listed = [tuple(member) for wave in stored["waves"] for member in wave["members"]]
    assert sorted(listed) == sorted((one.tenant_id, one.asset_id) for one in members)


def test_every_change_changes_the_hash():
    plan = frozen({Member(1, number) for number in range(40)})
    changes = []
    for change in (
        lambda one: one["waves"][0]["members"].append([9, 9]),
        lambda one: one["waves"][1]["gate"].update(max_bad=6),
        lambda one: one["timing"].update(start_seconds=1),
        lambda one: one["release"]["files"].update(a="1"),
        lambda one: one.update(version=2),
        lambda one: one["stop"].update(max_bad=1),
    ):
        changed = copy.deepcopy(plan)
        change(changed)
        changes.append(plans.plan_hash(changed))
    assert len({*changes, plans.plan_hash(plan)}) == 7
