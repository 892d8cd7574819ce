"""Arithmetic of spans of time: pure."""

from collections.abc import Iterable
from datetime import datetime

Span = tuple[datetime, datetime]
"""(from, to), half-open, in UTC."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same moments as spans that neither overlap nor touch, in order."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif begin < end:
            found.append((begin, end))
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of spans outside others, in order."""
    left: list[Span] = []
    others = merged(taken)
    for begin, end in merged(spans):
        for gone, back in others:
            if back <= begin or gone >= end:
                continue
            if gone > begin:
                left.append((begin, gone))
            begin = back
        if begin < end:
            left.append((begin, end))
    return left


def clipped(spans: Iterable[Span], begin: datetime, end: datetime) -> list[Span]:
    """The parts of spans within `[begin, end)`."""
    cut = ((max(a, begin), min(b, end)) for a, b in spans)
    return [(a, b) for a, b in cut if a < b]
