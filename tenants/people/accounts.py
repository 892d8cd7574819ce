"""Accounts: finding one by its address, proving the password, and what a person changes of one's own. Gate's scope."""

from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.people import sessions
from tenants.people.models import Membership, StaffMember, User
from tenants.people.passwords import SHORTEST, hash_password, password_fits


def normal_email(typed: str) -> str:
    """The one spelling of an address that we store and compare."""
    return typed.strip().lower()


def user_object(user: User) -> str:
    """How the audit log names a person."""
    return f"user:{user.id}"


def find_user(user_id: int) -> User:
    """The person's own row. Raises LookupError, because the id comes from a session that was just resolved."""
    user = db.session.get(User, user_id)
    if user is None:
        raise LookupError(f"no user {user_id}")
    return user


def find_by_email(email: str) -> User | None:
    """The account of an address, active or not."""
    return db.session.scalar(select(User).where(User.email == normal_email(email)))


def prove_password(email: str, password: str) -> User | None:
    """The active account whose address and password these are; the same work whether or not it exists."""
    user = find_by_email(email)
    fits = password_fits(user.password_hash if user else None, password)
    return user if user is not None and fits and user.state == "active" else None


def create_user(
    *,
    email: str,
    name: str,
    password: str,
    at: datetime,
    language: str | None = None,
    time_zone: str | None = None,
) -> User:
    """A new account without any rights yet. Raises Invalid for what is malformed or weak, Conflict when it is taken."""
    _refuse_malformed(email, name)
    if find_by_email(email) is not None:
        raise _taken()
    refuse_personal_password(password, email=email, name=name)
    user = User(
        email=normal_email(email),
        name=name.strip(),
        password_hash=hash_password(password),
        language=language,
        time_zone=time_zone,
        created_at=at,
    )
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as twice:
        raise _taken() from twice
    return user


def _refuse_malformed(email: str, name: str) -> None:
    """The last check of address and name, whichever way they came. Raises Invalid."""
    try:
        validate_email(normal_email(email), check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise Invalid("email", _l("This is not an e-mail address.")) from wrong
    if not 1 <= len(name.strip()) <= 120 or not name.isprintable():
        raise Invalid("name", _l("Type a name of at most 120 characters."))


def _taken() -> Conflict:
    return Conflict(_l("There is an account with this address already."), field="email")


def refuse_personal_password(password: str, *, email: str, name: str) -> None:
    """Refuse what anybody would guess first. Raises Invalid."""
    plain = password.casefold()
    guesses = {normal_email(email), name.strip().casefold(), name.strip().casefold().replace(" ", "")}
    if len(password) >= SHORTEST and (plain in guesses or len(set(plain)) < 4):
        raise Invalid("password", _l("This password is easy to guess. Choose another one."))


def set_password(
    user: User, password: str, *, by: Actor, at: datetime, keep_session: int | None = None
) -> None:
    """Store a new password and end the person's other sessions. Raises Invalid for a weak one."""
    refuse_personal_password(password, email=user.email, name=user.name)
    user.password_hash = hash_password(password)
    sessions.end_sessions_of(user.id, at=at, except_id=keep_session)
    audit.record("account.password_changed", tenant_id=None, by=by, object=user_object(user), at=at)


def change_profile(
    user: User, *, name: str, language: str | None, time_zone: str | None, by: Actor, at: datetime
) -> None:
    """Name, language and time zone; the name is carried to where lists read it."""
    before = {"name": user.name, "language": user.language, "time_zone": user.time_zone}
    user.name, user.language, user.time_zone = name.strip(), language, time_zone
    _carry_over(user)
    after = {"name": user.name, "language": user.language, "time_zone": user.time_zone}
    changed = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if changed:
        audit.record(
            "account.profile_changed", tenant_id=None, by=by, object=user_object(user), at=at, detail=changed
        )


def set_language(user_id: int, language: str) -> None:
    """Remember the language that a person chose."""
    db.session.execute(update(User).where(User.id == user_id).values(language=language))


def change_email(user: User, email: str, *, by: Actor, at: datetime) -> None:
    """Move the account to an address that was proven. Raises Conflict when somebody else has it by now."""
    taken = find_by_email(email)
    if taken is not None and taken.id != user.id:
        raise _taken()
    before, user.email = user.email, normal_email(email)
    _carry_over(user)
    audit.record(
        "account.email_changed",
        tenant_id=None,
        by=by,
        object=user_object(user),
        at=at,
        detail={"from": before, "to": user.email},
    )


def _carry_over(user: User) -> None:
    """Lists of people read names and addresses from these copies, never from accounts."""
    copied = {"name": user.name, "email": user.email}
    for model in (Membership, StaffMember):
        db.session.execute(update(model).where(model.user_id == user.id).values(**copied))
