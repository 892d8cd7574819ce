"""Plain choices become rules and are read back from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.windows.choices import NTHS, WEEKDAYS, Choice, choice_of, rule_of

choices = st.one_of(
    st.just(Choice("daily")),
    st.builds(
        lambda days: Choice("weekly", weekdays=tuple(one for one in WEEKDAYS if one in days)),
        st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    ),
    st.builds(
        lambda nth, day: Choice("monthly", nth=nth, weekday=day),
        st.sampled_from(NTHS),
        st.sampled_from(WEEKDAYS),
    ),
    st.just(Choice("rule", rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO")),
)


@given(choices)
def test_a_choice_is_read_back_from_its_rule(choice):
    assert choice_of(rule_of(choice)) == choice


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (Choice("weekly"), "weekdays"),
        (Choice("weekly", weekdays=("XX",)), "weekdays"),
        (Choice("monthly", nth="5"), "nth"),
        (Choice("rule", rule="  "), "rule"),
        (Choice("hourly"), "rule"),
    ],
)
def test_what_is_lacking_is_named(choice, field):
    with pytest.raises(ValueError, match=field):
        rule_of(choice)
