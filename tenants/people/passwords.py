"""Passwords: Argon2id, with the same work for a person who does not exist."""

import os
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from flask_babel import lazy_gettext as _l

from tenants.foundation.errors import Invalid

SHORTEST = 12
LONGEST = 200


@lru_cache
def _hasher() -> PasswordHasher:
    """Library defaults (64 MiB, 3 passes); the test suite asks for cheap ones."""
    if os.environ.get("ARGON2_CHEAP") == "1":
        return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return PasswordHasher()


@lru_cache
def _decoy() -> str:
    return _hasher().hash("nobody's password")


def hash_password(password: str) -> str:
    """The stored form. Raises Invalid for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid("password", _l("Use a password of 12 to 200 characters."))
    return _hasher().hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Whether the password is right; takes the same time when nothing is stored."""
    try:
        matched = _hasher().verify(stored or _decoy(), password[:LONGEST])
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return matched and stored is not None
