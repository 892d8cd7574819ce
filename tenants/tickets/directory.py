"""The provider's vendors: whom to ask for help, when, and what they promise."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, InvalidMany, NotFound
from tenants.tenancy.clashes import naming_clashes
from tenants.tickets.vendor_models import VENDOR_CALENDARS, Vendor
from tenants.tickets.vendors import LONGEST_PROMISE

CLASHES: dict[str, tuple[str, Any]] = {"uq_vendors_name": ("name", _l("There is a vendor of this name."))}
_LONGEST = {"name": 120, "contact_name": 120, "email": 254, "phone": 40, "support_hours": 300}


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorEntry:
    """What is known of a vendor; `promised_minutes` run by the contract's calendar or around the clock."""

    name: str
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    support_hours: str = ""
    promised_minutes: int | None = None
    calendar: str = "contract"
    is_active: bool = True


def add_vendor(entry: VendorEntry, *, by: Actor, at: datetime) -> Vendor:
    """Enter a vendor. Raises InvalidMany naming fields."""
    _check(entry)
    vendor = Vendor(**asdict(entry))
    with naming_clashes(CLASHES):
        db.session.add(vendor)
    _audit("vendor.added", vendor, by=by, at=at)
    return vendor


def edit_vendor(vendor: Vendor, entry: VendorEntry, *, rev: int, by: Actor, at: datetime) -> None:
    """Change what is known of a vendor. Raises InvalidMany, and Conflict for a stale page."""
    _check(entry)
    db.session.refresh(vendor, with_for_update=True)
    if vendor.rev != rev:
        raise Conflict(
            _l("Somebody else changed this vendor meanwhile. Look at the new values and try again.")
        )
    with naming_clashes(CLASHES):
        for field, value in asdict(entry).items():
            setattr(vendor, field, value)
        vendor.rev += 1
    _audit("vendor.edited", vendor, by=by, at=at)


def list_vendors(*, retired: bool = False) -> Sequence[Vendor]:
    """Vendors by name; those that are asked no more only where asked for."""
    found = select(Vendor).order_by(func.lower(Vendor.name), Vendor.id)
    return db.session.scalars(found if retired else found.where(Vendor.is_active)).all()


def find_vendor(public_id: str) -> Vendor:
    """One vendor. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found: Vendor | None = db.session.scalar(select(Vendor).where(Vendor.public_id == key))
    if found is None:
        raise NotFound
    return found


def _check(entry: VendorEntry) -> None:
    wrong: list[tuple[str, Any]] = []
    for field, longest in _LONGEST.items():
        text = getattr(entry, field)
        if len(text) > longest or not text.isprintable():
            wrong.append((field, _l("Write one line of at most %(max)s characters.", max=longest)))
    if not entry.name.strip():
        wrong.append(("name", _l("Enter a name.")))
    if entry.promised_minutes is not None and not 1 <= entry.promised_minutes <= LONGEST_PROMISE:
        wrong.append(("promised_hours", _l("Give a time between one minute and a year.")))
    if entry.calendar not in VENDOR_CALENDARS:
        wrong.append(("calendar", _l("Choose the contract's calendar or around the clock.")))
    if wrong:
        raise InvalidMany(wrong)


def _audit(action: str, vendor: Vendor, *, by: Actor, at: datetime) -> None:
    detail = {"name": vendor.name, "active": vendor.is_active}
    audit.record(action, tenant_id=None, by=by, object=f"vendor:{vendor.public_id}", at=at, detail=detail)
