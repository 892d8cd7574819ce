"""Telephone numbers: one written form for each, so that a caller is recognised however the number was typed."""

import phonenumbers
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.people.models import Membership

LONGEST = 40


def in_full(typed: str, region: str) -> str | None:
    """The number in E.164 form; None for what cannot be one. `region` (ID, SG …) is for numbers without a country."""
    if not typed or len(typed) > LONGEST or not typed.isprintable():
        return None
    try:
        parsed = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def read_phone(typed: str, region: str) -> str | None:
    """What a form says of somebody's number: in full, or None for none. Raises Invalid on `phone`."""
    if not typed.strip():
        return None
    full = in_full(typed.strip(), region)
    if full is None:
        raise Invalid("phone", _l("This is not a telephone number. Write it as +62 812 3456 7890."))
    return full


def as_written(number: str) -> str:
    """A number as people read it, in groups; whatever is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def list_by_phone(number: str, limit: int = 10) -> list[Membership]:
    """Active people with this number (E.164) among those in scope; the gate's scope sees those of every client."""
    found = select(Membership).where(Membership.phone == number, Membership.state == "active")
    return list(db.session.scalars(found.order_by(Membership.tenant_id, Membership.id).limit(limit)))
