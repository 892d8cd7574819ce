"""The SLA clock against its oracle, minute by minute and second by second, over many random cases.

`PROVE_CASES` sets how many (20,000 unless told), `PROVE_SEED` repeats a run.
"""

import json
import os
import secrets
from collections import Counter
from random import Random

import pytest

from tests.contracts.clock.cases import differences, random_case

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("step", [60, 1])
def test_no_second_of_difference(step: int) -> None:
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbelow(2**32))
    cases = int(os.environ.get("PROVE_CASES") or 20_000)
    random, zones, failures = Random(seed), Counter[str](), []
    for number in range(cases):
        payload = random_case(random, step=step)
        zones["always" if payload["calendar"] == "always" else payload["calendar"]["time_zone"]] += 1
        found = differences(payload, step=step)
        if found:
            failures.append(f"case {number}: {found}\n{json.dumps(payload)}")
    print(f"seed {seed}, step {step} s: {cases} cases in {len(zones)} zones, {len(failures)} differ")
    assert not failures, "\n".join(failures[:5])
