"""Telephone numbers: one written form for each, so that a caller is recognised however the number was typed."""

import phonenumbers
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from tenants.foundation.db import among, db
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


def whose_phone(number: str) -> dict[int, Membership | None]:
    """By client in scope, the active person whose number staff know this (E.164) to be; None where several have it.

    The gate's scope sees those of every client.
    """
    place = (Membership.tenant_id, func.min(Membership.id), func.count())
    known = (Membership.known_phone == number, Membership.phone == number, Membership.state == "active")
    found = db.session.execute(select(*place).where(*known).group_by(Membership.tenant_id)).all()
    alone = [member_id for _tenant, member_id, count in found if count == 1]
    people = select(Membership).where(among(Membership.id, alone))
    by_tenant = {one.tenant_id: one for one in db.session.scalars(people)} if alone else {}
    return {tenant_id: by_tenant.get(tenant_id) for tenant_id, _member, _count in found}
