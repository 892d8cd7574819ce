"""Any order of reports: phases go forward, ends stay, success is never taken at its word."""

from hypothesis import given
from hypothesis import strategies as st

from msp.campaigns import phases, rules
from msp.campaigns.phases import Report, is_terminal, may_move, step
from msp.campaigns.rules import Transition

reports = st.builds(
    Report,
    st.sampled_from(("deployment", "cancel")),
    st.sampled_from(sorted(phases.EXECUTIONS)),
    st.sampled_from(sorted(phases.FINISHES)),
    st.none() | st.integers(0, 9),
)


@given(
    phase=st.sampled_from(phases.PHASES),
    before=st.sampled_from(("offered", "running", "rebooting")),
    report=reports,
    deferrals=st.integers(0, 30),
)
def test_one_report_moves_an_action_as_it_may(phase, before, report, deferrals):
    found = step(phase, before, report, deferrals=deferrals)
    assert may_move(phase, found.phase)
    assert (found.outcome is not None) == (found.phase == "closed" and phase != "closed")
    assert found.outcome not in ("success", "noop")
    assert found.accepted or found.phase == phase
    assert found.accepted == (found.reason is None)


@given(st.lists(reports, max_size=30), st.sampled_from(("eligible", "offered", "running", "cancelling")))
def test_no_sequence_of_reports_makes_a_success_or_reopens(sequence, phase):
    before, outcome = "running", None
    for report in sequence:
        found = step(phase, before, report)
        if phase == "closed":
            assert found.phase == "closed"
            assert not found.accepted
        outcome = outcome or found.outcome
        phase = found.phase
    assert outcome not in ("success", "noop")


def test_the_table_of_the_wire():
    def after(execution, finished="none", phase="running", channel="deployment"):
        found = step(phase, "running", Report(channel, execution, finished))
        return found.phase, found.outcome

    for word in ("download", "proceeding", "scheduled", "resumed", "downloaded"):
        assert after(word, phase="offered") == ("running", None)
    assert after("closed", "success") == ("verifying", None)
    assert after("closed", "none") == ("verifying", None)
    assert after("closed", "failure") == ("closed", "failed")
    assert after("canceled") == ("closed", "cancelled")
    assert after("rejected") == ("running", None)
    assert after("closed", "success", "cancelling", "cancel") == ("closed", "cancelled")
    assert after("closed", "failure", "cancelling", "cancel") == ("closed", "indeterminate")
    assert after("canceled", "none", "cancelling", "cancel") == ("closed", "cancelled")
    assert after("rejected", "none", "cancelling", "cancel") == ("running", None)
    assert after("proceeding", "none", "cancelling", "cancel") == ("cancelling", None)
    assert after("proceeding", "none", "cancelling") == ("cancelling", None)


def test_ends_by_the_clock():
    assert phases.EXPIRED == {
        "eligible": "unreachable",
        "offered": "unreachable",
        "running": "timeout",
        "rebooting": "timeout",
        "verifying": "indeterminate",
        "cancelling": "indeterminate",
    }


def test_reasons_are_words():
    assert phases.reason_of(Report("deployment", "closed", "failure", 3)) == "no_space"
    assert phases.reason_of(Report("deployment", "closed", "failure", 77)) == "code 77"
    assert phases.reason_of(Report("deployment", "closed", "failure", 0)) is None


def test_rejected_is_no_end():
    assert not is_terminal(Report("cancel", "rejected", "none"))
    assert is_terminal(Report("deployment", "closed", "none"))


@given(st.lists(st.sampled_from(list(Transition)), max_size=20))
def test_a_campaign_ends_once_and_runs_only_after_approval(asked):
    state, approved = "draft", False
    for one in asked:
        if state not in rules.FROM[one]:
            continue
        assert state not in rules.ENDED
        state = rules.TO[one]
        approved = approved or one is Transition.APPROVE
        assert approved or state not in ("scheduled", "running", "paused", "aborting")


def test_who_decides():
    assert not rules.may_decide(author_id=1, person_id=1)
    assert not rules.may_decide(author_id=1, person_id=None)
    assert rules.may_decide(author_id=1, person_id=2)
    assert rules.may_decide(author_id=None, person_id=2)
    assert [rules.needs_second_person(cause) for cause in (None, *rules.PAUSE_CAUSES)] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert rules.covers({1, 2, 3}, {1, 2})
    assert not rules.covers({1}, {1, 2})
    assert rules.final_state({"success", "skipped", "noop"}) == "completed"
    assert rules.final_state({"success", "unreachable"}) == "completed_with_failures"
