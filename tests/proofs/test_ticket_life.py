"""Many lives of tickets: after every step what is stored of the clocks equals what the history says.

`PROVE_CASES` sets how many steps at most (5,000 unless told), `PROVE_SEED` repeats a run.
"""

import os
import secrets
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.timers.life import Life

pytestmark = pytest.mark.prove
STEPS = 50


def test_stored_equals_recomputed_in_many_lives(app, cast):
    cases = int(os.environ.get("PROVE_CASES") or 5_000)
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    machine = type("SeededLife", (Life,), {"_hypothesis_internal_use_seed": seed, "cast": cast})
    Life.steps = Counter()
    long = settings(
        max_examples=max(1, cases // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with app.app_context():
        run_state_machine_as_test(machine, settings=long)
    print(
        f"seed {seed}: {Life.steps.total()} steps in {Life.steps['lives']} lives, {dict(Life.steps)}, 0 differ"
    )
