"""Many lives of campaigns in a row, each from a start that is put back in milliseconds."""

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
        try:
            run_state_machine_as_test(type("SeededLife", (Life,), given), settings=_shaped(lives, steps))
        finally:
            limiter.enabled = True
            watcher.close()
    return Course.steps


def _shaped(lives: int, steps: int) -> settings:
    return settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
