"""Debian versions in their order (deb-version(7)): pure."""

import re
from functools import total_ordering

_PARTS = re.compile(r"(\d+)")


@total_ordering
class Version:
    """A version as Debian compares it: epoch, upstream, revision; `~` sorts before the end."""

    def __init__(self, text: str) -> None:
        epoch, colon, rest = text.partition(":")
        if not colon:
            epoch, rest = "0", text
        upstream, dash, revision = rest.rpartition("-")
        if not dash:
            upstream, revision = rest, ""
        number = int(epoch) if epoch.isascii() and epoch.isdigit() else 0
        self._key = (number, _key(upstream), _key(revision))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _key(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Turns of text and number; text ends with 0, so that what goes on sorts after it and `~` before it."""
    parts = _PARTS.split(text)
    pairs = [(parts[at], parts[at + 1] if at + 1 < len(parts) else "") for at in range(0, len(parts), 2)]
    return tuple(((*map(_weight, letters), 0), int(digits or 0)) for letters, digits in pairs)


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 0x110000
