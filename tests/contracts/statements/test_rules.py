"""The arithmetic of statements."""

import hashlib
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.statements import rules
from contracts.statements.rules import (
    Figure,
    attain,
    canonical,
    digest,
    figures_of,
    propose_credit,
    totals_of,
)

TABLE = {
    "table": [
        {"clock": "resolution", "below_percent": 95, "credit_percent": 5},
        {"clock": "resolution", "below_percent": 90, "credit_percent": 10},
        {"clock": "response", "below_percent": 98, "credit_percent": 4},
    ],
    "cap_percent": 12,
}


def test_nothing_decided_is_none_due_and_never_everything():
    assert attain(0, 0) is None
    assert attain(0, 3) == 0
    assert attain(3, 0) == 1


@pytest.mark.parametrize(
    ("met", "missed", "percent"), [(19, 1, 0), (94, 6, 5), (9, 1, 5), (89, 11, 10), (0, 1, 10), (0, 0, 0)]
)
def test_a_credit_is_earned_below_its_step_and_not_at_it(met, missed, percent):
    proposal = propose_credit(TABLE, [Figure("resolution", "", met, missed)], fee=1_000_001, currency="IDR")
    assert proposal.percent == percent
    assert proposal.amount == 1_000_001 * percent // 100


def test_credits_of_clocks_add_up_to_the_cap():
    totals = [Figure("response", "", 1, 1), Figure("resolution", "", 1, 1)]
    proposal = propose_credit(TABLE, totals, fee=1000, currency="IDR")
    assert [one.credit_percent for one in proposal.steps] == [4, 10]
    assert (proposal.percent, proposal.amount) == (12, 120)
    assert proposal.document()["steps"][1]["attained"] == "1/2"


def test_no_table_no_credit():
    assert propose_credit(None, [Figure("response", "", 0, 9)], fee=1000, currency="IDR") is None


def test_set_aside_counts_neither_way():
    (figure,) = figures_of([("resolution", "P3", "met"), ("resolution", "P3", "set_aside")])
    assert (figure.attained, figure.set_aside) == (Fraction(1), 1)


decided = st.lists(
    st.tuples(
        st.sampled_from(rules.CLOCKS),
        st.sampled_from(rules.PRIORITIES),
        st.sampled_from(("met", "missed", "set_aside")),
    )
)


@given(decided)
def test_figures_and_totals_hold_every_line_once(lines):
    figures = figures_of(lines)
    for counted in (figures, totals_of(figures)):
        assert sum(one.met + one.missed + one.set_aside for one in counted) == len(lines)
    assert [(one.clock, one.priority) for one in figures] == [
        (clock, priority)
        for clock in rules.CLOCKS
        for priority in rules.PRIORITIES
        if any(line[:2] == (clock, priority) for line in lines)
    ]


@given(decided, st.integers(0, 10**12))
def test_a_credit_never_exceeds_its_cap_and_more_misses_never_cost_us_less(lines, fee):
    totals = totals_of(figures_of(lines))
    now = propose_credit(TABLE, totals, fee=fee, currency="IDR")
    worse = totals_of(figures_of([*lines, ("resolution", "P1", "missed")]))
    assert now.amount <= fee * 12 // 100
    assert propose_credit(TABLE, worse, fee=fee, currency="IDR").amount >= now.amount


def test_the_digest_covers_head_and_lines_in_order():
    head, bodies = canonical({"b": 1, "a": "é"}), [canonical({"x": 1}), canonical({"x": 2})]
    assert head == '{"a":"é","b":1}'
    assert json.loads(head) == {"a": "é", "b": 1}
    assert digest(head, bodies) == hashlib.sha256(f"{head}\n{bodies[0]}\n{bodies[1]}\n".encode()).hexdigest()
    assert len({digest(head, bodies), digest(head, bodies[::-1]), digest("{}", bodies)}) == 3
