"""Many lives of campaigns in a row, each from a start that is put back in milliseconds."""

import gc
import os
import secrets
from collections import Counter
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from msp.web.limits import limiter
from tests import cluster, personas
from tests.msp.campaigns import promises
from tests.msp.campaigns.course import Course
from tests.msp.campaigns.life import Life
from tests.msp.campaigns.starts import kept

PARTS, STEPS = 2, 8


def live(
    app: Flask, cast: personas.Cast, database: str, *, lives: int, steps: int, seed: int
) -> Counter[str]:
    """So many lives of at most so many steps; what was done, counted."""
    people = {name: personas.actor(app, cast, name) for name, *_ in personas.STAFF}
    Course.steps = Counter()
    with kept(app, cast, database) as starts:
        watcher = promises.Watcher(cluster.dsn("postgres", database))
        given: dict[str, Any] = {"starts": starts, "watcher": watcher, "people": people}
        given["_hypothesis_internal_use_seed"] = seed
        # Thousands of lives share a few credentials, whose budget a real machine never uses up.
        limiter.enabled = False
        # What stands already is not looked through again and again for what has become garbage.
        gc.collect()
        gc.freeze()
        try:
            run_state_machine_as_test(type("SeededLife", (Life,), given), settings=_shaped(lives, steps))
        finally:
            gc.unfreeze()
            limiter.enabled = True
            watcher.close()
    return Course.steps


def prove(app: Flask, cast: personas.Cast, database: str, *, part: int) -> None:
    """One of the `PARTS` of the proof, each in a file of its own, so that as many cores are at work."""
    lives = int(os.environ.get("PROVE_CASES") or 10_000)
    if os.environ.get("PROVE") == "slice":
        lives //= 10
    lives = -(-lives // PARTS)
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    print(f"part {part + 1} of {PARTS}, seed {seed}")
    done = live(app, cast, database, lives=lives, steps=STEPS, seed=seed * PARTS + part)
    lived = sum(count for what, count in done.items() if what.startswith("lives"))
    print(f"part {part + 1}, seed {seed}: {lived} lives, {dict(done)}, 0 promises broken")
    assert lived >= lives


def _shaped(lives: int, steps: int) -> settings:
    return settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
