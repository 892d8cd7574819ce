"""The provider's vendors: whom to ask, and how they have answered."""

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from msp.console.blueprint import bp
from msp.console.tenants import revision, saved
from msp.console.tier_figures import list_at_vendors
from msp.web.access import actor, require
from msp.web.fields import HoursField, mail_address, options, plain_text
from msp.web.navigation import Place
from msp.web.periods import asked_period
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tickets import directory
from tenants.tickets.directory import VendorEntry
from tenants.tickets.vendor_models import Vendor

PLACE = Place(_l("Vendors"), "console.list_vendors", "box", Permission.VIEW_TENANTS, staff=True, order=64)
CALENDARS = (("contract", _l("by the contract's calendar")), ("always", _l("around the clock")))


def _line(label: Any, longest: int, *rules: Any) -> Any:
    said = _l("Write one line of at most %(max)s characters.", max=longest)
    return StringField(label, [*rules, Length(max=longest, message=said), plain_text])


class VendorForm(FlaskForm):
    """What is known of a vendor."""

    rev = HiddenField()
    name = _line(_l("Name"), 120, DataRequired(_l("Enter a name.")))
    contact_name = _line(_l("Contact there"), 120)
    email = _line(_l("Their e-mail address"), 254, Optional(), mail_address)
    phone = _line(_l("Their phone number"), 40)
    support_hours = _line(_l("Support hours"), 300)
    promised_hours = HoursField(_l("Answer promised within, in hours"))
    calendar = SelectField(_l("Hours count"), choices=options(CALENDARS), default="contract")
    is_active = BooleanField(_l("Offered when a vendor is asked"), default=True)

    @property
    def entry(self) -> VendorEntry:
        """What was typed."""
        hours = self.promised_hours.data
        return VendorEntry(
            name=(self.name.data or "").strip(),
            contact_name=(self.contact_name.data or "").strip(),
            email=(self.email.data or "").strip(),
            phone=(self.phone.data or "").strip(),
            support_hours=(self.support_hours.data or "").strip(),
            promised_minutes=None if hours is None else round(hours * 60),
            calendar=self.calendar.data,
            is_active=self.is_active.data,
        )


@bp.get("/vendors")
@require(Permission.VIEW_TENANTS)
def list_vendors() -> Any:
    """The directory, and how each vendor has answered."""
    period = asked_period()
    return render_template(
        "console/list_vendors.html",
        period=period,
        figures=list_at_vendors(period),
        vendors=directory.list_vendors(retired=True),
        choices=[(one.slug, one.name) for one in period.tenants],
    )


@bp.route("/vendors/new", methods=["GET", "POST"])
@require(Permission.MANAGE_VENDORS)
def add_vendor() -> Any:
    """A new vendor."""
    form = VendorForm()
    if form.validate_on_submit() and saved(
        form, lambda: directory.add_vendor(form.entry, by=actor(), at=time.now())
    ):
        flash(_("%(name)s is added.", name=form.name.data), "good")
        return redirect(url_for("console.list_vendors"))
    return _page(form, None)


@bp.route("/vendors/<vendor>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_VENDORS)
def edit_vendor(vendor: str) -> Any:
    """Change what is known of one."""
    found = directory.find_vendor(vendor)
    form = VendorForm(data=_shown(found))
    if form.validate_on_submit() and saved(
        form, lambda: directory.edit_vendor(found, form.entry, rev=revision(form), by=actor(), at=time.now())
    ):
        flash(_("%(name)s is saved.", name=found.name), "good")
        return redirect(url_for("console.list_vendors"))
    return _page(form, found)


def _shown(vendor: Vendor) -> dict[str, Any]:
    kept = ("name", "contact_name", "email", "phone", "support_hours", "calendar", "is_active", "rev")
    promised = vendor.promised_minutes
    return {
        **{field: getattr(vendor, field) for field in kept},
        "promised_hours": None if promised is None else Decimal(promised) / 60,
    }


def _page(form: VendorForm, vendor: Vendor | None) -> Any:
    stale = bool(form.form_errors)
    if stale and vendor is not None:
        db.session.refresh(vendor)
        form.rev.data = str(vendor.rev)
    page = render_template("console/edit_vendor.html", form=form, vendor=vendor)
    return page, 409 if stale else 422 if form.errors else 200
