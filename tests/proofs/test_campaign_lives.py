"""I1 to I12 in very many lives of campaigns.

`PROVE_CASES` sets how many (10,000 unless told; a tenth of it in a slice), `PROVE_SEED` repeats a run.
"""

import os
import secrets

import pytest

from tests.msp.campaigns.lives import live

STEPS = 8


@pytest.mark.prove
def test_every_promise_holds_in_very_many_lives(app, cast, database_name):
    lives = int(os.environ.get("PROVE_CASES") or 10_000)
    if os.environ.get("PROVE") == "slice":
        lives //= 10
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    print(f"seed {seed}")
    done = live(app, cast, database_name, lives=lives, steps=STEPS, seed=seed)
    lived = sum(count for what, count in done.items() if what.startswith("lives"))
    print(f"seed {seed}: {lived} lives, {dict(done)}, 0 promises broken")
    assert lived >= lives
