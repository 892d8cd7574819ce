"""Who may appoint, reach and mint what: pure decisions on roles, reach and second factors."""

import base64
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyotp

from tenants.foundation.permissions import (
    CLIENT_ROLES,
    MAY_APPOINT,
    PERMISSIONS,
    STAFF_ROLES,
    MemberRole,
    Permission,
)

STEP_SECONDS = 30
RECOVERY_CODES = 10
TOKEN_LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a staff member's grants go: all clients less those denied, or those allowed less those denied."""

    all_tenants: bool = False
    allowed: frozenset[int] = frozenset()
    denied: frozenset[int] = frozenset()

    def covers(self, other: "Reach") -> bool:
        """Whether everything the other reaches, now and in future, is reached by this one too."""
        if other.all_tenants:
            return self.all_tenants and self.denied <= other.denied
        named = other.allowed - other.denied
        return not (named & self.denied) and (self.all_tenants or named <= self.allowed)

    def without(self, hidden: frozenset[int]) -> "Reach":
        """The same with some tenants left out of the named ones."""
        return Reach(self.all_tenants, self.allowed - hidden, self.denied - hidden)


def may_appoint(appointer: MemberRole | None, role: MemberRole) -> bool:
    """Whether this role may give the other one: on the list, and for staff never more rights than its own."""
    if appointer is None or role not in MAY_APPOINT.get(appointer, ()):
        return False
    return role not in STAFF_ROLES or PERMISSIONS[role] <= PERMISSIONS[appointer]


def roles_to_give(appointer: MemberRole | None, among: Iterable[MemberRole]) -> list[MemberRole]:
    """The roles of a list that this one may give, in the list's order."""
    return [role for role in among if may_appoint(appointer, role)]


def reads_company(sharing: str, role: MemberRole, *, chosen: bool) -> bool:
    """Whether somebody of a client reads all tickets of the company, as `Tenant.ticket_sharing` says; else the own."""
    if role not in CLIENT_ROLES:
        return False
    is_admin = role == MemberRole.CLIENT_ADMIN
    return {
        "own": False,
        "admins": is_admin,
        "chosen": is_admin or chosen,
        "everyone": True,
    }.get(sharing, False)


def token_rights(asked: Iterable[str], held: frozenset[Permission]) -> list[str] | None:
    """The rights of a token, sorted, or None when something is asked that is unknown or not held."""
    known = {str(one) for one in held}
    wanted = set(asked)
    return sorted(wanted) if wanted and wanted <= known else None


def new_secret() -> bytes:
    """A second factor's secret: 160 bits, as the authenticator apps expect."""
    return secrets.token_bytes(20)


def secret_words(secret: bytes) -> str:
    """The secret as people type it into an app: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def provisioning_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(secret_words(secret)).provisioning_uri(name=account, issuer_name=issuer)


def code_at(secret: bytes, at: datetime) -> str:
    """The code that an app shows at a moment."""
    return pyotp.TOTP(secret_words(secret)).at(at)


def matching_step(secret: bytes, code: str, at: datetime) -> int | None:
    """The time step that a code belongs to, one step of drift allowed on either side, or None."""
    totp = pyotp.TOTP(secret_words(secret))
    now_step = int(at.timestamp()) // STEP_SECONDS
    for step in (now_step, now_step - 1, now_step + 1):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
            return step
    return None


def normal_code(typed: str) -> str:
    """A code without the spaces and dashes that people read into it."""
    return "".join(one for one in typed.upper() if one.isascii() and one.isalnum())


def new_recovery_code() -> str:
    """80 random bits in four groups of four."""
    plain = base64.b32encode(secrets.token_bytes(10)).decode()
    return "-".join(plain[start : start + 4] for start in range(0, 16, 4))
