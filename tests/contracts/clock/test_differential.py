"""The engine against both oracles, 5,000 cases in all; the long runs are in tests/proofs."""

import json
import secrets
from random import Random

import pytest

from tests.contracts.clock import server
from tests.contracts.clock.cases import NOTABLE, differences, random_case


@pytest.mark.parametrize(("cases", "step"), [(3_500, 60), (1_000, 1)], ids=["minutes", "seconds"])
def test_engine_and_oracle_agree(cases: int, step: int) -> None:
    """Minute by minute over days, and to the second around changes of offset."""
    seed, zones = secrets.randbelow(2**32), set()
    random = Random(seed)
    for number in range(cases):
        payload = random_case(random, step=step)
        if payload["calendar"] != "always":
            zones.add(payload["calendar"]["time_zone"])
        found = differences(payload, step=step)
        assert not found, f"seed {seed}, case {number}: {found}\n{json.dumps(payload)}"
    print(f"seed {seed}, step {step} s: {cases} cases in {len(zones)} zones, 0 differ")
    assert len(zones) >= 40
    assert zones >= set(NOTABLE)


def test_engine_and_postgresql_agree(postgres_dsn: str) -> None:
    with server.connected(postgres_dsn) as connection:
        assert server.compare(connection, cases=500, seed=secrets.randbelow(2**32)) == []
