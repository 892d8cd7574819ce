"""The verdict on a lane: integers only, and against a plain second reading of the rules."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.campaigns.gates import Counts, Gate, GlobalRule, judge, judge_all

GATE = Gate(max_bad=3, max_bad_pct=10, min_sample=10, pass_pct=90, max_gone_pct=20, soak_seconds=60)


def verdict(counts, gate=GATE, **more):
    return judge(gate, counts, **{"is_soaked": True, "is_late": False, **more}).kind


def of(ok=0, bad=0, gone=0, open_=0, silent=0, members=None, reasons=None):
    total = ok + bad + gone + open_ if members is None else members
    return Counts(total, ok, bad, gone, 0, open_, silent, reasons or {})


def test_everybody_succeeded():
    assert verdict(of(ok=10)) == "pass"
    assert verdict(of(ok=10), is_soaked=False) == "wait"


@pytest.mark.parametrize(("bad", "expected"), [(2, "wait"), (3, "fail")])
def test_the_number_of_failures_is_met_exactly(bad, expected):
    assert verdict(of(ok=1, bad=bad, open_=90)) == expected


@pytest.mark.parametrize(("ok", "bad", "expected"), [(9, 1, "pass"), (8, 1, "inconclusive"), (8, 2, "fail")])
def test_the_share_of_failures_counts_from_the_sample_on_and_must_be_exceeded(ok, bad, expected):
    gate = Gate(max_bad=None, max_bad_pct=10, min_sample=10, pass_pct=90, max_gone_pct=0)
    assert verdict(of(ok=ok, bad=bad), gate) == expected


def test_a_stop_code_is_enough():
    gate = Gate(max_bad=None, max_bad_pct=100, min_sample=10, stop_codes=("digest",))
    assert verdict(of(ok=99, bad=1, reasons={"digest": 1}), gate) == "fail"
    assert verdict(of(ok=99, bad=1, reasons={"no_space": 1}), gate) == "pass"


def test_a_veto_is_enough():
    assert verdict(of(ok=10), vetoes=("new P1 tickets",)) == "fail"


def test_all_failed_without_any_failure_rule_does_not_pass():
    gate = Gate(max_bad=None, max_bad_pct=100, min_sample=1)
    assert verdict(of(bad=10), gate) == "inconclusive"


@pytest.mark.parametrize("max_gone", [0, 50, 100])
def test_nobody_reached_does_not_pass(max_gone):
    gate = Gate(max_gone_pct=max_gone, pass_pct=1)
    assert verdict(of(gone=10), gate) == "inconclusive"


def test_a_lane_of_nobody_passes():
    assert verdict(Counts()) == "pass"


def test_a_lane_of_one():
    assert verdict(of(ok=1)) == "pass"
    assert verdict(of(bad=1), Gate(max_bad=1)) == "fail"
    assert verdict(of(gone=1)) == "inconclusive"


def test_the_deadline_ends_the_waiting():
    assert verdict(of(ok=5, open_=5)) == "wait"
    assert verdict(of(ok=5, open_=5), is_late=True) == "inconclusive"
    assert verdict(of(ok=9, open_=1), is_late=True) == "pass"


def test_silence_after_success_counts_as_failure_although_nobody_reported_one():
    assert verdict(of(ok=10, silent=3)) == "fail"
    assert verdict(of(ok=10, silent=0), is_silence_known=False) == "wait"
    assert verdict(of(gone=10), is_silence_known=False) == "inconclusive"


def test_removed_members_stay_in_the_count():
    assert verdict(of(ok=8, members=10)) == "inconclusive"


def test_over_all_lanes():
    rule = GlobalRule(max_bad=5, same_reason_tenants=3)
    calm = {"bad": 4, "failed_lanes": 0, "tenants_by_reason": {"write": 2}}
    assert judge_all(rule, **calm) is None
    assert judge_all(rule, **{**calm, "bad": 5}) == "max_bad over all lanes"
    assert judge_all(rule, **{**calm, "failed_lanes": 1}) == "a lane failed"
    assert "write" in judge_all(rule, **{**calm, "tenants_by_reason": {"write": 3}})


def second_reading(gate, counts, *, soaked, late):
    """The rules again, in fractions and sentences."""
    ok, bad = counts.ok - counts.silent, counts.bad + counts.silent
    if gate.max_bad is not None and bad >= gate.max_bad:
        return "fail"
    if ok + bad >= gate.min_sample and Fraction(bad, ok + bad) > Fraction(gate.max_bad_pct, 100):
        return "fail"
    if counts.open and not late:
        return "wait"
    reached = counts.members - counts.gone
    enough = ok >= reached * Fraction(gate.pass_pct, 100) and ok > 0
    few_gone = counts.gone <= counts.members * Fraction(gate.max_gone_pct, 100)
    if enough and few_gone:
        return "pass" if soaked else "wait"
    return "inconclusive"


small = st.integers(0, 30)
gates = st.builds(
    Gate,
    max_bad=st.none() | st.integers(1, 10),
    max_bad_pct=st.integers(0, 100),
    min_sample=st.integers(1, 20),
    pass_pct=st.integers(1, 100),
    max_gone_pct=st.integers(0, 100),
)


@given(
    gate=gates,
    ok=small,
    bad=small,
    gone=small,
    open_=small,
    silent=small,
    soaked=st.booleans(),
    late=st.booleans(),
)
def test_the_second_reading_agrees(gate, ok, bad, gone, open_, silent, soaked, late):
    counts = of(ok, bad, gone, open_, min(silent, ok))
    if counts.members == 0:
        return
    assert judge(gate, counts, is_soaked=soaked, is_late=late).kind == second_reading(
        gate, counts, soaked=soaked, late=late
    )


@given(gate=gates, ok=small, bad=small, gone=small, open_=small)
def test_one_more_failure_never_helps(gate, ok, bad, gone, open_):
    order = ("pass", "wait", "inconclusive", "fail")
    before = judge(gate, of(ok + 1, bad, gone, open_), is_soaked=True, is_late=True).kind
    after = judge(gate, of(ok, bad + 1, gone, open_), is_soaked=True, is_late=True).kind
    assert order.index(after) >= order.index(before)
