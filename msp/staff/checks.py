"""What several acts on staff check alike: people, zones, words, spans. Each refusal names its field."""

from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from contracts.clock.zones import ZONE_NAMES
from msp.staff.rules import SHIFT_KINDS, TIERS
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.people.models import StaffMember
from tenants.people.queries import find_staff

LONGEST_SHIFT = timedelta(days=14)
LONGEST_NOTE = 200
FIRST_YEAR, LAST_YEAR = 2000, 2099


def find_person(public_id: str | None, field: str = "person") -> StaffMember:
    """One of the provider's active people, as chosen in a form. Raises Invalid naming the field."""
    try:
        return find_staff(public_id or "")
    except NotFound as unknown:
        raise Invalid(field, _l("Choose one of the people who work here.")) from unknown


def one_line(words: str | None, field: str, longest: int, message: Any, *, required: bool = True) -> str:
    """A text without line breaks and spare spaces. Raises Invalid naming the field."""
    plain = " ".join((words or "").split())
    if len(plain) > longest or (required and not plain):
        raise Invalid(field, message)
    return plain


def check_zone(time_zone: str) -> None:
    """Refuse zones that nobody knows. Raises Invalid."""
    if time_zone not in ZONE_NAMES:
        raise Invalid("time_zone", _l("Choose a time zone, such as Asia/Jakarta."))


def check_duty(kind: str, tier: str) -> None:
    """Refuse kinds and tiers that there are not. Raises Invalid."""
    if kind not in SHIFT_KINDS:
        raise Invalid("kind", _l("Choose a shift or being on call."))
    if tier not in TIERS:
        raise Invalid("tier", _l("Choose a tier."))


def check_span(begins_at: datetime, ends_at: datetime) -> None:
    """Refuse spans that end before they begin, or last too long. Raises Invalid."""
    check_year(begins_at.year, "begins_at")
    check_year(ends_at.year, "ends_at")
    if ends_at <= begins_at:
        raise Invalid("ends_at", _l("It ends after it begins."))
    if ends_at - begins_at > LONGEST_SHIFT:
        raise Invalid("ends_at", _l("A shift lasts at most two weeks."))


def check_year(year: int, field: str) -> None:
    """Refuse years that the roster does not show: nobody could mend there what is planned in them. Raises Invalid."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid(field, _l("Choose a day between the years 2000 and 2099."))


def check_days(first_on: date, last_on: date, longest: timedelta) -> None:
    """Refuse days in the wrong order, or too many. Raises Invalid."""
    check_year(first_on.year, "first_on")
    check_year(last_on.year, "last_on")
    if last_on < first_on:
        raise Invalid("last_on", _l("The last day is not before the first one."))
    if last_on - first_on > longest:
        raise Invalid("last_on", _l("At most a year at once."))


def audited(action: str, object_: str, by: Actor, at: datetime, **detail: Any) -> None:
    """Flush, and write the act into the system's chain."""
    db.session.flush()
    audit.record(action, tenant_id=None, by=by, object=object_, at=at, detail=detail)
