"""Asking for the password once more before something that weighs."""

from typing import Any

from flask_babel import gettext as _

from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people import limits
from tenants.people.models import User
from tenants.people.passwords import password_fits


def proves_password(form: Any, user: User) -> bool:
    """Whether `form.current` is the person's password; names the field when it is not. Gate's scope. Raises TooMany."""
    at, count_for = time.now(), str(user.id)
    limits.take(limits.PASSWORD_CHECK, count_for, at=at)
    db.session.commit()
    if not password_fits(user.password_hash, form.current.data):
        form.current.errors = [_("This is not your password.")]
        return False
    limits.give_back(limits.PASSWORD_CHECK, count_for, at=at)
    return True
