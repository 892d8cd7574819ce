import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.tickets import rules
from tenants.tickets.models import LEVELS, OPEN_STATES, PRIORITIES, STATES, TIERS

STATE = st.sampled_from(STATES)
WHO = st.sampled_from(["staff", "requester", "system"])
TIER = st.sampled_from(TIERS)


def test_states_go_the_way_outsiders_were_told():
    assert {(a, b) for a in STATES for b in rules.allowed_transitions(a)} == {
        ("new", "in_progress"),
        ("in_progress", "waiting"),
        ("waiting", "in_progress"),
        ("in_progress", "resolved"),
        ("waiting", "resolved"),
        ("resolved", "closed"),
        ("resolved", "in_progress"),
        ("new", "cancelled"),
        ("in_progress", "cancelled"),
        ("waiting", "cancelled"),
    }


@given(STATE, WHO)
def test_nobody_may_more_than_staff(state, who):
    assert set(rules.allowed_transitions(state, who)) <= set(rules.allowed_transitions(state))


@given(STATE)
def test_every_open_ticket_can_be_cancelled_by_both_sides(state):
    assert rules.may_change_state(state, "cancelled", "requester") == (state in OPEN_STATES)
    assert rules.may_change_state(state, "cancelled") == rules.is_open(state)


@given(STATE, STATE)
def test_a_way_is_made_of_steps(state, to):
    way = rules.shortest_way(state, to)
    if way is None:
        assert state in ("closed", "cancelled") or to == "new" or (state, to) == ("resolved", "new")
    else:
        for one, other in zip((state, *way), way, strict=False):
            assert rules.may_change_state(one, other)


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("high", "high", "P1"), ("high", "medium", "P2"), ("medium", "high", "P2"), ("medium", "medium", "P3"),
     ("high", "low", "P3"), ("low", "high", "P3"), ("low", "low", "P4"), ("medium", "low", "P4")],
)  # fmt: skip
def test_default_matrix(impact, urgency, priority):
    assert rules.priority_of(impact, urgency) == priority


@given(
    st.sampled_from(LEVELS),
    st.sampled_from(LEVELS),
    st.dictionaries(st.text(max_size=12), st.text(max_size=3)),
)
def test_a_broken_matrix_still_gives_a_priority(impact, urgency, matrix):
    assert rules.priority_of(impact, urgency, matrix) in PRIORITIES


def test_a_clients_matrix_decides():
    assert rules.priority_of("low", "low", {"low/low": "P2"}) == "P2"
    assert set(rules.TRANSITIONS) == set(STATES)
    assert rules.is_complete_matrix(rules.DEFAULT_MATRIX)
    assert not rules.is_complete_matrix({"low/low": "P2"})


@given(STATE, TIER, TIER, st.booleans())
def test_hand_over_changes_the_tier_of_open_work_once(state, one, other, pending):
    assert rules.may_hand_over(state, one, other, pending=pending) == (
        state in OPEN_STATES and one != other and not pending
    )


@given(TIER)
def test_without_a_tier_nobody_holds_a_ticket(tier):
    assert not rules.may_hold(None, tier)
    assert rules.may_hold("L3", tier)


def test_only_a_person_of_the_provider_answers():
    said = {"kind": "public", "spoke_with_caller": False}
    assert rules.meets_response(author_kind="staff", **said)
    assert not rules.meets_response(author_kind="auto", **said)
    assert not rules.meets_response(author_kind="requester", **said)
    assert not rules.meets_response(kind="internal", author_kind="staff", spoke_with_caller=False)
    assert rules.meets_response(kind="internal", author_kind="staff", spoke_with_caller=True)


@given(STATE, st.sampled_from(["public", "internal"]), st.sampled_from(["staff", "requester", "auto"]))
def test_what_a_message_does_to_the_state_is_a_step_of_the_machine(state, kind, author):
    after = rules.state_after_message(state, "requester", kind=kind, author_kind=author)
    assert after == state or rules.may_change_state(state, after)
