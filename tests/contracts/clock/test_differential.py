"""The engine against the oracle; the long run is in tests/proofs."""

import json
import secrets
from random import Random

from tests.contracts.clock.cases import differences, random_case


def test_engine_and_oracle_agree_minute_by_minute():
    _compare(cases=300, step=60)


def test_engine_and_oracle_agree_to_the_second_around_changes_of_offset():
    _compare(cases=60, step=1)


def _compare(*, cases: int, step: int) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    for number in range(cases):
        payload = random_case(random, step=step)
        found = differences(payload, step=step)
        assert not found, f"seed {seed}, case {number}: {found}\n{json.dumps(payload)}"
