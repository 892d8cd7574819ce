"""The SLA clock against PostgreSQL, at length. `PROVE_CASES` sets how many cases, `PROVE_SEED` repeats a run."""

import os
import secrets

import pytest

from tests.contracts.clock import server

pytestmark = pytest.mark.prove


def test_no_second_of_difference_to_postgresql(postgres_dsn: str) -> None:
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    cases = int(os.environ.get("PROVE_CASES") or 10_000)
    with server.connected(postgres_dsn) as connection:
        failures = server.compare(connection, cases=cases, seed=seed)
    assert not failures, "\n".join(failures[:5])
