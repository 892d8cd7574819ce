"""What holds whatever people, devices and clocks do: a few random walks here, many in the proofs."""

import pytest

from tests.msp.campaigns.walk import Walk, at_rest


@pytest.mark.parametrize("seed", [1, 2])
def test_random_walks_keep_every_promise(app, cast, seed):
    walk = Walk(app, cast, seed)
    for _ in range(60):
        walk.step()
    at_rest(walk)
    assert walk.rollout.state in ("paused", "completed", "completed_with_failures", "aborted")
