"""Ticket codes that survive being read aloud: `ACME-7K3Q-XP4M`.

The client's prefix, seven random characters without look-alikes, and a check character by ISO 7064's hybrid scheme
for an alphabet of 30 (MOD 31,30). That scheme catches every single wrong character, but misses about 2 in 1,000 swaps
of neighbours. A code in which such a swap would go unnoticed (1.5 % of them) is therefore never issued and never
accepted: then a swap of an issued code is always caught.
"""

import secrets
from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 7
_SIZE = len(ALPHABET)
_PLACE = {character: place for place, character in enumerate(ALPHABET)}
_IGNORED = str.maketrans("", "", " -\t\u2010\u2011\u2012\u2013\u2014\u00a0.")


class Mistyped(ValueError):
    """What was typed cannot be a code: a wrong, swapped or missing character, and not merely an unknown code."""


def check_character(payload: str) -> str:
    """The check character of a payload, by the recursion of ISO 7064's hybrid systems. Raises KeyError."""
    product = _SIZE
    for character in payload:
        product = ((product + _PLACE[character]) % _SIZE or _SIZE) * 2 % (_SIZE + 1)
    return ALPHABET[(1 - product) % _SIZE]


def _checks(body: str) -> bool:
    return check_character(body[:-1]) == body[-1]


def _hides_a_swap(body: str) -> bool:
    """Whether swapping two different neighbours gives a body that checks as well."""
    return any(
        body[place] != body[place + 1]
        and _checks(body[:place] + body[place + 1] + body[place] + body[place + 2 :])
        for place in range(len(body) - 1)
    )


def is_sound(body: str) -> bool:
    """Whether these eight characters can be the body of a code that was issued."""
    known = len(body) == LENGTH + 1 and all(character in _PLACE for character in body)
    return known and _checks(body) and not _hides_a_swap(body)


def new_code(prefix: str, choose: Callable[[str], str] = secrets.choice) -> str:
    """A fresh random code of the client with this prefix."""
    while True:
        payload = "".join(choose(ALPHABET) for _ in range(LENGTH))
        body = payload + check_character(payload)
        if is_sound(body):
            return written(prefix, body)


def written(prefix: str, body: str) -> str:
    """Prefix and body as people see them."""
    return f"{prefix}-{body[:4]}-{body[4:]}"


def parse(typed: str) -> str:
    """The code in its usual form from whatever was typed: lower case, spaces and missing dashes are forgiven.

    Raises Mistyped when it cannot be a code that was ever issued.
    """
    plain = typed.translate(_IGNORED).upper()
    prefix, body = plain[: -(LENGTH + 1)], plain[-(LENGTH + 1) :]
    if not 2 <= len(prefix) <= 6 or not prefix.isascii() or not prefix.isalnum() or not is_sound(body):
        raise Mistyped(typed)
    return written(prefix, body)


def looks_like_code(typed: str) -> bool:
    """Whether somebody probably meant a code: to say "check your typing" instead of "nothing found"."""
    plain = typed.translate(_IGNORED)
    return (
        LENGTH + 2 <= len(plain) <= LENGTH + 8
        and plain.isalnum()
        and "-" in typed
        and " " not in typed.strip()
    )
