"""Zones: one set of rules, and no change of offset overlooked."""

import struct
import zoneinfo
from datetime import datetime
from importlib.resources import files
from itertools import pairwise
from random import Random

import pytest

from contracts.clock.zones import CHUNK, STRIDE, ZONE_NAMES, eras, offset_at

FIRST, LAST = 0, 4_449_513_600
"""1970 to 2111, as far as a calculation can reach."""

SHORTEST = [
    "America/Boa_Vista",
    "America/Noronha",
    "America/Recife",
    "Asia/Gaza",
    "Africa/Cairo",
    "Africa/Casablanca",
]


def test_one_set_of_rules():
    assert zoneinfo.TZPATH == ()
    assert "Asia/Jakarta" in ZONE_NAMES
    assert "Mars/Olympus" not in ZONE_NAMES


def test_no_zone_changes_twice_within_a_stride():
    shortest = min(
        later - earlier
        for name in ZONE_NAMES
        for earlier, later in pairwise(_changes_in_file(name))
        if earlier > FIRST
    )
    assert shortest > STRIDE


@pytest.mark.parametrize("zone", SHORTEST)
def test_eras_change_where_the_rules_do(zone: str):
    last = max(_changes_in_file(zone)) + 1
    found = [
        since for (_, _, before), (since, _, after) in pairwise(eras(zone, FIRST, last)) if before != after
    ]
    assert found == [at for at in _changes_in_file(zone) if at > FIRST]


def test_eras_cover_a_span_without_gap_and_with_the_right_offset():
    random = Random(0)
    for zone in random.sample(sorted(ZONE_NAMES), 20):
        from_ = random.randrange(FIRST, LAST - 4 * CHUNK)
        found = list(eras(zone, from_, from_ + random.randrange(1, 4 * CHUNK)))
        assert found[0][0] == from_
        assert all(earlier[1] == later[0] for earlier, later in pairwise(found))
        for since, until, offset in found:
            assert {_offset(zone, since), _offset(zone, until - 1), offset_at(zone, since)} == {offset}


def test_an_empty_span_has_no_eras():
    assert list(eras("Asia/Jakarta", 5, 5)) == []
    assert list(eras("Asia/Jakarta", 5, 4)) == []


def test_chunks_join_exactly():
    assert [era[:2] for era in eras("Asia/Jakarta", CHUNK - 1, CHUNK + 1)] == [
        (CHUNK - 1, CHUNK),
        (CHUNK, CHUNK + 1),
    ]
    assert list(eras("Asia/Jakarta", 0, CHUNK)) == [(0, CHUNK, 25_200)]


def _offset(zone: str, at: int) -> int:
    offset = datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _changes_in_file(zone: str) -> list[int]:
    """The instants at which the offset changes, from the compiled rules themselves (RFC 8536, version 2)."""
    raw = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    _, count, types, names, leaps, standard, universal = _header(raw)
    second = raw[44 + count * 5 + types * 6 + names + leaps * 8 + standard + universal :]
    _, count, types, *_ = _header(second)
    instants = struct.unpack_from(f">{count}q", second, 44)
    indices = second[44 + count * 8 : 44 + count * 9]
    offsets = [struct.unpack_from(">l", second, 44 + count * 9 + 6 * number)[0] for number in range(types)]
    befores = [offsets[0], *(offsets[index] for index in indices)]
    return [at for at, (before, after) in zip(instants, pairwise(befores), strict=True) if before != after]


def _header(raw: bytes) -> tuple[bytes, int, int, int, int, int, int]:
    magic, universal, standard, leaps, count, types, names = struct.unpack_from(">4s16x6l", raw)
    assert magic == b"TZif"
    return magic, count, types, names, leaps, standard, universal
