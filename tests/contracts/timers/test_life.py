"""Whatever happens to a ticket, its stored clocks are what its history says; the long run is in tests/proofs."""

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.timers.life import Life


def test_stored_equals_recomputed_after_every_verb(app, cast):
    Life.cast = cast
    before = Life.steps.total()
    with app.app_context():
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=16, stateful_step_count=20, deadline=None, database=None, phases=[Phase.generate]
            ),
        )
    print(f"steps of lives: {dict(Life.steps)}")
    # Lives end early where a verb was refused; far fewer steps than these would prove nothing.
    assert Life.steps.total() - before > 60
