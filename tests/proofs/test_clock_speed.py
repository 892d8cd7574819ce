"""How long business time takes to work out, on one core: the limits that keep the sweep and the pages quick."""

import pytest

from tests.benchmarks import clock

pytestmark = pytest.mark.prove


def test_business_time_keeps_its_limits() -> None:
    found = list(clock.measures())
    for name, took, goal in found:
        print(f"{name}: {took:.0f} µs of {goal}")
    assert [name for name, took, goal in found if took > goal] == []
