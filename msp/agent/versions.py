"""Versions of Debian packages in their order: what `dpkg --compare-versions` says, without running it."""

import re

_DIGITS = re.compile(r"(\D*)(\d*)", re.ASCII)


def compare(one: str, other: str) -> int:
    """Below zero if `one` is the lower version, zero if they are equal, above zero if it is the higher one."""
    first, second = _parts(one), _parts(other)
    if first[0] != second[0]:
        return first[0] - second[0]
    return _compare_part(first[1], second[1]) or _compare_part(first[2], second[2])


def is_at_least(version: str, wanted: str) -> bool:
    """Whether `version` is `wanted` or higher."""
    return compare(version, wanted) >= 0


def _parts(version: str) -> tuple[int, str, str]:
    """Epoch, upstream version and revision."""
    epoch, colon, rest = version.strip().partition(":")
    if not colon or not epoch.isascii() or not epoch.isdigit():
        epoch, rest = "0", version.strip()
    upstream, _, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if upstream else (int(epoch), rest, "")


def _compare_part(one: str, other: str) -> int:
    """Words and numbers in turn; a missing number is zero."""
    while one or other:
        (word, number), one = _taken(one)
        (other_word, other_number), other = _taken(other)
        difference = _compare_words(word, other_word) or number - other_number
        if difference:
            return difference
    return 0


def _taken(text: str) -> tuple[tuple[str, int], str]:
    match = _DIGITS.match(text)
    assert match is not None
    return (match.group(1), int(match.group(2) or 0)), text[match.end() :]


def _compare_words(one: str, other: str) -> int:
    """Letter by letter: a tilde before the end, the end before letters, letters before everything else."""
    for place in range(max(len(one), len(other))):
        difference = _weight(one[place : place + 1]) - _weight(other[place : place + 1])
        if difference:
            return difference
    return 0


def _weight(char: str) -> int:
    if not char:
        return 0
    if char == "~":
        return -1
    return ord(char) if char.isascii() and char.isalpha() else ord(char) + 256
