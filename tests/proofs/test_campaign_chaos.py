"""The long form of the chaos guarantee, with its seed and figures. `PROVE_SEED` repeats a run."""

import os
import secrets

import pytest

from msp.campaigns.pacing import Limits
from tests.guarantees.chaos import FAULTS, Chaos, check
from tests.guarantees.ownportal import own_portal

WANTED = 60 if os.environ.get("PROVE", "full") == "full" else 20
SIZES = (("provider", 20), ("acme", 110), ("globex", 70))


@pytest.mark.prove
def test_sixty_faults_lose_nothing_apply_nothing_twice_and_offer_nothing_wrongly(app, database):
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    print(f"seed {seed}")
    with own_portal() as portal:
        limits = Limits(at_once=60, per_tenant=40)
        chaos = Chaos(portal, seed=seed, faults_wanted=WANTED, sizes=SIZES, limits=limits)
        chaos.run(seconds=3_000)
        figures = chaos.figures()
    print(f"campaign chaos: {figures}")
    check(figures)
    assert chaos.faults.total() == WANTED
    assert set(chaos.faults) <= set(FAULTS)
