"""Links that are secrets: the outbox keeps a mark in their place, and the mail gets the link when it is sent.

A mark is signed, so that nobody can bring another person's link into a mail by writing a mark into a name.
"""

import hashlib
import hmac
import re
from collections.abc import Callable

from tenants.people.keys import key_for

# Per purpose: the address for a row's id, or None when there is nothing to send any more.
Resolver = Callable[[int, int], str | None]
_RESOLVERS: dict[str, Resolver] = {}
_MARK = re.compile(r"late-link/([a-z_]+)/(\d+)/([0-9a-f]{32})")


class Spent(ValueError):
    """The link of a mail was used, revoked or ran out before the mail was sent."""


def resolve(purpose: str, resolver: Resolver) -> None:
    """Say who knows the addresses of a purpose; called while the app is built."""
    _RESOLVERS[purpose] = resolver


def mark(purpose: str, row_id: int) -> str:
    """What stands in the outbox instead of the address."""
    return f"late-link/{purpose}/{row_id}/{_sign(purpose, row_id)}"


def _sign(purpose: str, row_id: int) -> str:
    signed = hmac.new(key_for("late links"), f"{purpose}/{row_id}".encode(), hashlib.sha256)
    return signed.hexdigest()[:32]


def fill(tenant_id: int, text: str) -> str:
    """The text with every genuine mark replaced by its address. Raises Spent."""

    def address(found: re.Match[str]) -> str:
        purpose, row_id, signature = found[1], int(found[2]), found[3]
        if purpose not in _RESOLVERS or not hmac.compare_digest(signature, _sign(purpose, row_id)):
            return found[0]
        resolved = _RESOLVERS[purpose](tenant_id, row_id)
        if resolved is None:
            raise Spent("the link is spent")
        return resolved

    return _MARK.sub(address, text)


def conceal(text: str) -> str:
    """The text as people may read it in the outbox: an ellipsis in place of every secret link."""
    return _MARK.sub("…", text)
