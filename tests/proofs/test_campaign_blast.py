"""How far a bad release gets: 20,000 simulated machines, the portal's defaults, its real rows and its real tick."""

import os
import secrets

import pytest

from msp.campaigns.gates import Gate
from msp.campaigns.plans import Timing
from tests.msp.campaigns.crowd import Crowd

pytestmark = pytest.mark.prove
SIZES = {"provider": 200, "acme": 12_000, "globex": 7_800}
TOTAL = sum(SIZES.values())
FIRST = 10


@pytest.fixture
def crowd(app, cast, superuser):
    crowd = Crowd(app, cast, superuser)
    crowd.move_in(SIZES)
    return crowd


@pytest.fixture
def rollout(crowd):
    return crowd.propose(*SIZES, gate=Gate(), timing=Timing(), percents=(5, 25, 100))


def test_a_release_that_always_fails_harms_at_most_its_first_wave(crowd, rollout):
    crowd.pass_minutes(rollout, fails=True)
    harmed = crowd.count(rollout, "retrieved_at IS NOT NULL")
    print(f"always failing: {harmed} of {TOTAL} machines harmed, {crowd.ticks} ticks")
    assert rollout.state == "paused"
    assert 0 < harmed <= FIRST <= TOTAL // 100
    assert crowd.count(rollout, "phase = 'planned'") == crowd.count(rollout, "true") - harmed


def test_one_that_silences_three_of_ten_is_stopped_in_the_first_wave(crowd, rollout):
    """As on 19 July 2024: installed everywhere with success, and then nobody calls any more."""
    seed = os.environ.get("PROVE_SEED") or str(secrets.randbelow(2**32))
    crowd.pass_minutes(rollout, dies=seed)
    harmed = crowd.count(rollout, "retrieved_at IS NOT NULL")
    dead = crowd.connection.execute("SELECT count(*) FROM crowd_dead").fetchone()[0]
    print(f"silencing, seed {seed}: {dead} of {harmed} fell silent, {TOTAL} machines, {crowd.ticks} ticks")
    assert rollout.state == "paused"
    assert crowd.count(rollout, "outcome NOT IN ('success')") == 0
    assert harmed == FIRST
    assert dead == 3


def test_a_good_one_reaches_everybody(crowd, rollout):
    """Without this the two above would prove nothing."""
    crowd.pass_minutes(rollout)
    reached = crowd.count(rollout, "outcome = 'success'")
    print(f"good: {reached} of {TOTAL} machines, {crowd.ticks} ticks")
    assert rollout.state == "completed"
    assert reached == crowd.count(rollout, "true") >= TOTAL
