"""Links that are secrets: the outbox keeps a mark in their place, and the mail gets the link when it is sent.

A mark is signed for the one mail that it was written into, so that nobody can bring another person's link into a mail
by writing a mark into a name, or by copying one from the outbox. Until that mail is known, the signature is one that
only this process can make, and no mark that was ever stored has it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from tenants.people.keys import key_for

# Per purpose: the address for a row's id, or None when there is nothing to send any more.
Resolver = Callable[[int, int], str | None]
_RESOLVERS: dict[str, Resolver] = {}
_MARK = re.compile(r"late-link/([a-z_]+)/(\d+)/([0-9a-f]{32})")
_MAKING = secrets.token_bytes(32)


class Spent(ValueError):
    """The link of a mail was used, revoked or ran out before the mail was sent."""


def resolve(purpose: str, resolver: Resolver) -> None:
    """Say who knows the addresses of a purpose; called while the app is built."""
    _RESOLVERS[purpose] = resolver


def mark(purpose: str, row_id: int) -> str:
    """What a mail's text says instead of the address while it is made."""
    return _written(purpose, row_id, _made(purpose, row_id))


def _written(purpose: str, row_id: int, signature: str) -> str:
    return f"late-link/{purpose}/{row_id}/{signature}"


def _made(purpose: str, row_id: int) -> str:
    return _sign(_MAKING, f"{purpose}/{row_id}")


def _sign(key: bytes, words: str) -> str:
    return hmac.new(key, words.encode(), hashlib.sha256).hexdigest()[:32]


class Letter(NamedTuple):
    """The mail that a mark belongs to."""

    tenant_id: int
    message_id: str
    to_address: str

    def sign(self, purpose: str, row_id: int) -> str:
        """The signature of a mark that stands in this mail."""
        return _sign(key_for("late links"), "\n".join(map(str, (*self, purpose, row_id))))


def bind(letter: Letter, text: str) -> str:
    """The text with every mark that was just made bound to its mail; others are words like any."""

    def bound(found: re.Match[str]) -> str:
        purpose, row_id = found[1], int(found[2])
        is_new = hmac.compare_digest(found[3], _made(purpose, row_id))
        return _written(purpose, row_id, letter.sign(purpose, row_id)) if is_new else found[0]

    return _MARK.sub(bound, text)


def fill(letter: Letter, text: str) -> str:
    """The text with every mark that belongs to this mail replaced by its address. Raises Spent."""

    def address(found: re.Match[str]) -> str:
        purpose, row_id = found[1], int(found[2])
        if purpose not in _RESOLVERS or not hmac.compare_digest(found[3], letter.sign(purpose, row_id)):
            return found[0]
        resolved = _RESOLVERS[purpose](letter.tenant_id, row_id)
        if resolved is None:
            raise Spent("the link is spent")
        return resolved

    return _MARK.sub(address, text)


def conceal(text: str) -> str:
    """The text as people may read it in the outbox: an ellipsis in place of every secret link."""
    return _MARK.sub("…", text)
