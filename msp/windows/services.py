"""Agreeing on windows and freezes. What is planned follows in the same transaction, through the event."""

from collections.abc import Mapping
from datetime import date, datetime, time

from flask_babel import lazy_gettext as _l

from contracts.clock.zones import ZONE_NAMES
from msp.windows.events import ClientFroze, WindowsChanged
from msp.windows.models import LONGEST_MINUTES, Freeze, MaintenanceWindow, ProviderFreeze
from msp.windows.rules import Recurring, UnfitRule, check_rule
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.events import record

UNFIT = {
    "unreadable": _l("This is not a rule that can be read, such as FREQ=MONTHLY;BYDAY=2TU."),
    "frequency": _l("A window comes daily, weekly or monthly."),
    "never": _l("This window never occurs in the next ten years."),
}


def add_window(
    *,
    tenant_id: int,
    name: str,
    rule: str,
    first_on: date,
    starts_at: time,
    minutes: int,
    time_zone: str,
    by: Actor,
    at: datetime,
) -> MaintenanceWindow:
    """Agree on a window. Raises Invalid naming what is unfit."""
    words = _name(name)
    if time_zone not in ZONE_NAMES:
        raise Invalid("time_zone", _l("Choose a time zone, such as Asia/Jakarta."))
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise Invalid("minutes", _l("A window lasts from one minute to a week."))
    rule = rule.strip().upper()
    try:
        check_rule(Recurring(rule, first_on, starts_at, minutes, time_zone), since=at)
    except UnfitRule as unfit:
        raise Invalid("rule", UNFIT[str(unfit)]) from unfit
    window = MaintenanceWindow(
        tenant_id=tenant_id,
        name=words,
        rule=rule,
        first_on=first_on,
        starts_at=starts_at.strftime("%H:%M"),
        minutes=minutes,
        time_zone=time_zone,
        created_by=by.name,
        created_at=at,
    )
    db.session.add(window)
    db.session.flush()
    detail = {"name": words, "rule": rule, "at": window.starts_at, "minutes": minutes, "zone": time_zone}
    _audit("window.add", tenant_id, f"window:{window.public_id}", by, at, detail)
    record(WindowsChanged(tenant_id=tenant_id, at=at, by=by))
    return window


def end_window(window: MaintenanceWindow, *, by: Actor, at: datetime) -> None:
    """No change is begun in this window any more."""
    window.ended_at = at
    db.session.flush()
    detail = {"name": window.name, "rule": window.rule}
    _audit("window.end", window.tenant_id, f"window:{window.public_id}", by, at, detail)
    record(WindowsChanged(tenant_id=window.tenant_id, at=at, by=by))


def add_freeze(
    *, tenant_id: int, name: str, begins_at: datetime, ends_at: datetime, by: Actor, at: datetime
) -> Freeze:
    """Change nothing at this client in this time. Raises Invalid naming what is unfit."""
    freeze = _put_freeze(tenant_id, name, (begins_at, ends_at), by, at)
    record(WindowsChanged(tenant_id=tenant_id, at=at, by=by))
    return freeze


def add_own_freeze(
    *, tenant_id: int, name: str, begins_at: datetime, ends_at: datetime, by: Actor, at: datetime
) -> Freeze:
    """A client's administrator wants nothing changed in this time. Raises Invalid naming what is unfit.

    A freeze only takes away, so that what is planned can follow without a look at what the provider has agreed on.
    """
    freeze = _put_freeze(tenant_id, name, (begins_at, ends_at), by, at)
    record(ClientFroze(tenant_id=tenant_id, at=at, by=by, begins_at=begins_at, ends_at=ends_at))
    return freeze


def _put_freeze(
    tenant_id: int, name: str, span: tuple[datetime, datetime], by: Actor, at: datetime
) -> Freeze:
    begins_at, ends_at = span
    words = _span(name, begins_at, ends_at, at)
    freeze = Freeze(
        tenant_id=tenant_id,
        name=words,
        begins_at=begins_at,
        ends_at=ends_at,
        created_by=by.name,
        created_at=at,
    )
    db.session.add(freeze)
    db.session.flush()
    detail = {"name": words, "from": begins_at.isoformat(), "to": ends_at.isoformat()}
    _audit("freeze.add", tenant_id, f"freeze:{freeze.public_id}", by, at, detail)
    return freeze


def lift_freeze(freeze: Freeze, *, by: Actor, at: datetime) -> None:
    """Let changes be made again."""
    freeze.lifted_at = at
    db.session.flush()
    _audit("freeze.lift", freeze.tenant_id, f"freeze:{freeze.public_id}", by, at, {"name": freeze.name})
    record(WindowsChanged(tenant_id=freeze.tenant_id, at=at, by=by))


def add_provider_freeze(
    *, name: str, begins_at: datetime, ends_at: datetime, by: Actor, at: datetime
) -> ProviderFreeze:
    """Change nothing at any client in this time. Raises Invalid naming what is unfit."""
    words = _span(name, begins_at, ends_at, at)
    freeze = ProviderFreeze(
        name=words, begins_at=begins_at, ends_at=ends_at, created_by=by.name, created_at=at
    )
    db.session.add(freeze)
    db.session.flush()
    detail = {"name": words, "from": begins_at.isoformat(), "to": ends_at.isoformat()}
    _audit("freeze.add", None, f"freeze:{freeze.public_id}", by, at, detail)
    _tell_all(by, at)
    return freeze


def lift_provider_freeze(freeze: ProviderFreeze, *, by: Actor, at: datetime) -> None:
    """Let changes be made again at the clients."""
    freeze.lifted_at = at
    db.session.flush()
    _audit("freeze.lift", None, f"freeze:{freeze.public_id}", by, at, {"name": freeze.name})
    _tell_all(by, at)


def _tell_all(by: Actor, at: datetime) -> None:
    for tenant_id in sorted(by.tenants):
        record(WindowsChanged(tenant_id=tenant_id, at=at, by=by))


def _span(name: str, begins_at: datetime, ends_at: datetime, at: datetime) -> str:
    if ends_at <= begins_at:
        raise Invalid("ends_at", _l("It ends after it begins."))
    if ends_at <= at:
        raise Invalid("ends_at", _l("This time is over already."))
    return _name(name)


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not 1 <= len(words) <= 120:
        raise Invalid("name", _l("Give it a name of at most 120 characters."))
    return words


def _audit(
    action: str, tenant_id: int | None, object_: str, by: Actor, at: datetime, detail: Mapping[str, object]
) -> None:
    audit.record(action, tenant_id=tenant_id, by=by, object=object_, at=at, detail=dict(detail))
