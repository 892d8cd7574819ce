"""The second factor: setting it up, passing it, and codes for the day it is lost. Gate's scope."""

import hashlib
import hmac
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, or_, select, update

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.people import rules
from tenants.people.accounts import user_object
from tenants.people.keys import key_for, seal, unseal
from tenants.people.models import RecoveryCode, User

_PURPOSE = "totp"


def secret_of(user: User) -> bytes | None:
    """The person's secret, confirmed or waiting to be; None when there is none that this portal can open."""
    return None if user.totp_secret is None else unseal(_PURPOSE, user.totp_secret, owner=user.id)


def begin_set_up(user: User) -> None:
    """Make a secret that waits for its first code. Raises Conflict when a factor is in force already."""
    if user.has_second_factor:
        raise Conflict(_l("A second factor is set up already."))
    user.totp_secret = seal(_PURPOSE, rules.new_secret(), owner=user.id)
    user.totp_last_step = None
    db.session.flush()


def confirm_set_up(user: User, code: str, *, by: Actor, at: datetime) -> list[str]:
    """Put the waiting secret in force by its first code; returns the recovery codes, which are shown once.

    Raises Invalid for a wrong code, Conflict when nothing waits.
    """
    secret = secret_of(user)
    if secret is None or user.has_second_factor:
        raise Conflict(_l("Begin to set up the second factor again."))
    step = rules.matching_step(secret, rules.normal_code(code), at)
    if step is None:
        raise wrong_code()
    user.totp_confirmed_at, user.totp_last_step = at, step
    audit.record("account.second_factor_set", tenant_id=None, by=by, object=user_object(user), at=at)
    return _renew_codes(user)


def wrong_code() -> Invalid:
    """The one refusal for every wrong, old or used code."""
    return Invalid(
        "code", _l("This code is wrong or was used already. Wait for the next one and type it in.")
    )


def pass_second_factor(user: User, code: str, *, by: Actor, at: datetime) -> None:
    """Check a code of the app, each step once, or a recovery code, each once. Raises Invalid."""
    plain = rules.normal_code(code)
    if not (_pass_totp(user, plain, at) or _pass_recovery(user, plain, by=by, at=at)):
        raise wrong_code()


def _pass_totp(user: User, code: str, at: datetime) -> bool:
    secret = secret_of(user)
    step = None if secret is None else rules.matching_step(secret, code, at)
    if step is None or not user.has_second_factor:
        return False
    newer = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    spent = db.session.execute(
        update(User).where(User.id == user.id, newer).values(totp_last_step=step).returning(User.id)
    )
    return spent.one_or_none() is not None


def _pass_recovery(user: User, code: str, *, by: Actor, at: datetime) -> bool:
    used = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _code_hash(user, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.id)
    ).one_or_none()
    if used is None or not user.has_second_factor:
        return False
    left = count_codes(user.id)
    audit.record(
        "account.recovery_code_used",
        tenant_id=None,
        by=by,
        object=user_object(user),
        at=at,
        detail={"left": left},
    )
    return True


def _code_hash(user: User, code: str) -> bytes:
    mac = hmac.new(key_for("recovery codes"), f"{user.id}:{code}".encode(), hashlib.sha256)
    return mac.digest()


def _renew_codes(user: User) -> list[str]:
    codes = [rules.new_recovery_code() for _one in range(rules.RECOVERY_CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all(
        RecoveryCode(user_id=user.id, code_hash=_code_hash(user, rules.normal_code(one))) for one in codes
    )
    db.session.flush()
    return codes


def count_codes(user_id: int) -> int:
    """How many recovery codes are left."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


def renew_codes(user: User, *, by: Actor, at: datetime) -> list[str]:
    """New recovery codes in place of all earlier ones; shown once. Raises Conflict without a second factor."""
    if not user.has_second_factor:
        raise Conflict(_l("Set up a second factor first."))
    audit.record("account.recovery_codes_renewed", tenant_id=None, by=by, object=user_object(user), at=at)
    return _renew_codes(user)


def remove(user: User, *, by: Actor, at: datetime, reason: str) -> None:
    """Take the second factor away: the person's own wish, or lost and let in by a second person."""
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    audit.record(
        "account.second_factor_removed",
        tenant_id=None,
        by=by,
        object=user_object(user),
        at=at,
        detail={"reason": reason},
    )
