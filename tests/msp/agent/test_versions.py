"""The order of Debian versions, against dpkg itself where it is there."""

import shutil
import subprocess
from itertools import product

import pytest

from msp.agent.versions import compare, is_at_least

ORDERED = [
    "0~~",
    "0~",
    "0~a",
    "0",
    "0+b1",
    "0.1",
    "1.0~rc1-1",
    "1.0-1~deb12u1",
    "1.0-1",
    "1.0-1a",
    "1.0-1+b1",
    "1.0-1.1",
    "1.0a-1",
    "1.0.1",
    "1.2.9",
    "1.2.10",
    "9",
    "10",
    "2026a-0+deb12u1",
    "2026b-0+deb12u1",
    "1:0.1",
    "2:0",
]


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@pytest.mark.parametrize("place", range(len(ORDERED) - 1))
def test_versions_stand_in_their_order(place: int) -> None:
    assert compare(ORDERED[place], ORDERED[place + 1]) < 0
    assert compare(ORDERED[place + 1], ORDERED[place]) > 0
    assert not is_at_least(ORDERED[place], ORDERED[place + 1])


@pytest.mark.parametrize(("one", "other"), [("1.0", "0:1.0"), ("1.0", "1.00"), ("1.0-0", "1.0"), ("1", "1")])
def test_versions_that_are_the_same(one: str, other: str) -> None:
    assert compare(one, other) == 0
    assert is_at_least(one, other)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg to compare with")
def test_dpkg_agrees() -> None:
    for one, other in product(ORDERED[::2], ORDERED[::3]):
        words = {-1: "lt", 0: "eq", 1: "gt"}[sign(compare(one, other))]
        done = subprocess.run(["dpkg", "--compare-versions", one, words, other], check=False)
        assert done.returncode == 0, f"{one} {words} {other}"
