"""The long form of the chaos guarantee, with its seed and figures."""

import os
from collections import Counter

import pytest

from tests import cluster, personas
from tests.guarantees.chaos import FAULTS, Chaos
from tests.msp.campaigns.walk import Walk, at_rest

SEEDS = (20261120,) if os.environ.get("PROVE", "full") == "full" else (7,)
WANTED = 60 if os.environ.get("PROVE", "full") == "full" else 12


@pytest.mark.prove
@pytest.mark.parametrize("seed", SEEDS)
def test_sixty_faults_lose_nothing_and_apply_nothing_twice(app, cast, seed):
    chaos = Chaos(app, cast, seed=seed, faults_wanted=WANTED)
    chaos.run(seconds=1500)
    figures = chaos.figures()
    print(f"campaign chaos: {figures}")
    assert figures["lost"] == 0
    assert figures["applied twice"] == 0
    assert set(figures["states"]) == {"completed"}
    assert chaos.faults.total() == WANTED
    assert set(chaos.faults) <= set(FAULTS)


@pytest.mark.prove
def test_many_random_walks_keep_every_promise(app, database, database_name):
    """Fresh databases, seeds in a row; the figures say how much was walked."""
    seeds = range(100, 100 + (20 if WANTED == 60 else 5))
    steps: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for seed in seeds:
        cluster.mark_dirty(database_name)
        cluster.reset(app, database_name)
        walk = Walk(app, personas.load(), seed)
        for _ in range(80):
            walk.step()
        at_rest(walk)
        steps += walk.steps
        ends[walk.rollout.state] += 1
    print(
        f"random walks: {len(seeds)} seeds from {seeds[0]}, steps {dict(steps)}, ends {dict(ends)}, 0 promises broken"
    )
    assert set(ends) <= {"paused", "completed", "completed_with_failures", "aborted"}
