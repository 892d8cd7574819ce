"""Keys derived from the portal's secret key, one per purpose: what is sealed or signed for one fits no other."""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from tenants.foundation.errors import NotFound

NONCE_BYTES = 16
_SEAL_NONCE = 12


@lru_cache(maxsize=64)
def _derived(secret_key: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal:" + purpose.encode()).derive(
        secret_key.encode()
    )


def key_for(purpose: str) -> bytes:
    """32 bytes for one purpose."""
    return _derived(current_app.config["SECRET_KEY"], purpose)


def seal(purpose: str, plain: bytes, *, owner: int) -> bytes:
    """Encrypt for storage; the result opens only for the same purpose and the same owner's id."""
    nonce = secrets.token_bytes(_SEAL_NONCE)
    return nonce + AESGCM(key_for(purpose)).encrypt(nonce, plain, str(owner).encode())


def unseal(purpose: str, sealed: bytes, *, owner: int) -> bytes | None:
    """The plain bytes, or None when they were sealed with another key, for another owner, or were changed."""
    try:
        return AESGCM(key_for(purpose)).decrypt(
            sealed[:_SEAL_NONCE], sealed[_SEAL_NONCE:], str(owner).encode()
        )
    except (InvalidTag, ValueError):
        return None


def new_nonce() -> bytes:
    """What makes a link's token impossible to guess or to use again for another row."""
    return secrets.token_bytes(NONCE_BYTES)


def _mac(purpose: str, row_id: UUID, nonce: bytes) -> str:
    mac = hmac.new(key_for("link:" + purpose), row_id.bytes + nonce, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def link_token(purpose: str, row_id: UUID, nonce: bytes) -> str:
    """The token of a mailed link: derived whenever it is needed, stored nowhere."""
    return f"{row_id.hex}.{_mac(purpose, row_id, nonce)}"


def row_of_token(token: str) -> UUID:
    """The row that a token speaks of; says nothing yet of whether it is genuine. Raises NotFound when malformed."""
    row_id, dot, _mac_part = token.partition(".")
    if not dot or len(row_id) != 32 or not token.isascii():
        raise NotFound
    try:
        return UUID(hex=row_id)
    except ValueError:
        raise NotFound from None


def is_genuine(token: str, purpose: str, row_id: UUID, nonce: bytes) -> bool:
    """Whether the token was made for this purpose and row."""
    return hmac.compare_digest(token.encode(), link_token(purpose, row_id, nonce).encode())
