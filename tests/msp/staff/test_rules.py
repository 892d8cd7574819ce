"""Who is suggested for a ticket: never somebody without tier or grant, always in one order, always with a reason."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.staff.rules import Candidate, Duty, Need, suggest
from tenants.tickets.rules import may_hold

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
DUTIES = st.none() | st.builds(
    Duty,
    st.sampled_from(("shift", "on_call")),
    st.just(NOW),
    st.integers(1, 9).map(lambda h: NOW + timedelta(hours=h)),
)
LEVELS = st.dictionaries(st.integers(1, 3), st.integers(1, 3))
PEOPLE = st.lists(
    st.builds(
        Candidate,
        user_id=st.integers(1, 50),
        name=st.text(max_size=3),
        tier=st.sampled_from(("L1", "L2", "L3", None)),
        is_granted=st.booleans(),
        skills=LEVELS,
        duty=DUTIES,
        next_duty=DUTIES,
        away_until=st.none() | st.just(NOW + timedelta(days=1)),
        load=st.dictionaries(st.sampled_from(("P1", "P2", "P3", "P4")), st.integers(1, 5)),
        on_asset=st.integers(0, 2),
        for_requester=st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda one: one.user_id,
)
NEEDS = st.builds(Need, st.sampled_from(("L1", "L2", "L3", "vendor")), LEVELS)


@given(PEOPLE, NEEDS)
def test_nobody_without_tier_or_grant(people, need):
    found = [one.candidate for one in suggest(people, need)]
    assert all(one.is_granted and may_hold(one.tier, need.tier) for one in found)
    assert len(found) == sum(one.is_granted and may_hold(one.tier, need.tier) for one in people)


@given(PEOPLE, NEEDS, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_who_was_read_first(people, need, dice):
    shuffled = list(people)
    dice.shuffle(shuffled)
    assert suggest(shuffled, need) == suggest(people, need)


@given(PEOPLE, NEEDS)
def test_who_is_on_duty_comes_before_who_is_not(people, need):
    there = [one.candidate for one in suggest(people, need) if one.candidate.away_until is None]
    on_duty = [one.duty is not None for one in there]
    assert on_duty == sorted(on_duty, reverse=True)


@given(PEOPLE, NEEDS)
def test_who_is_away_comes_last(people, need):
    away = [one.candidate.away_until is not None for one in suggest(people, need)]
    assert away == sorted(away)


@given(PEOPLE, NEEDS)
def test_a_reason_is_always_given(people, need):
    for one in suggest(people, need):
        assert one.reasons
        told = {reason.kind for reason in one.reasons}
        assert told & {"shift", "on_call", "next", "away", "no_duty"}
        assert told & {"load", "free"}
        assert sum(reason.kind == "skill" for reason in one.reasons) == len(need.skills)


def somebody(user_id, name, **facts):
    return Candidate(user_id=user_id, name=name, **{"tier": "L1", "is_granted": True, **facts})


SHIFT = Duty("shift", NOW, NOW + timedelta(hours=8))
ON_CALL = Duty("on_call", NOW, NOW + timedelta(hours=8))
SOON, LATER = (Duty("shift", NOW + timedelta(hours=h), NOW + timedelta(hours=h + 8)) for h in (2, 20))


@pytest.mark.parametrize(
    ("first", "second", "need"),
    [
        ({"duty": SHIFT}, {"duty": ON_CALL, "skills": {1: 3}}, {1: 2}),
        ({"duty": ON_CALL}, {"next_duty": SOON, "skills": {1: 3}}, {1: 2}),
        ({"skills": {1: 2}, "load": {"P1": 3}}, {"skills": {1: 1}}, {1: 2}),
        ({"load": {"P1": 3}}, {"tier": "L2"}, {}),
        ({"next_duty": SOON, "load": {"P1": 3}}, {"next_duty": LATER}, {}),
        ({"load": {"P4": 3}}, {"load": {"P1": 1}}, {}),
        ({"load": {"P4": 3}, "on_asset": 1}, {"load": {"P4": 2}}, {}),
        ({"load": {"P4": 2}, "for_requester": 4}, {"load": {"P4": 2}}, {}),
        (
            {"load": {"P1": 9}},
            {"away_until": NOW + timedelta(days=2), "duty": SHIFT, "skills": {1: 3}},
            {1: 2},
        ),
    ],
)
def test_what_outweighs_what(first, second, need):
    """The better one has the later name, so that only the rule can put it first."""
    people = [somebody(1, "Ann", **second), somebody(2, "Zoe", **first)]
    assert [one.candidate.name for one in suggest(people, Need("L1", need))] == ["Zoe", "Ann"]


def test_more_skill_than_asked_for_counts_nothing():
    people = [somebody(1, "Zoe", skills={1: 3}), somebody(2, "Ann", skills={1: 2})]
    assert [one.candidate.name for one in suggest(people, Need("L1", {1: 2}))] == ["Ann", "Zoe"]
