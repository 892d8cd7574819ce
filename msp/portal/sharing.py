"""Who reads the company's tickets: the form, for its administrators and for the provider's managers."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectMultipleField, widgets

from msp.web.access import actor
from msp.web.errors import refuse_into_form
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import MemberRole
from tenants.people.models import Membership
from tenants.people.sharing import set_ticket_sharing
from tenants.tenancy.models import TICKET_SHARING, Tenant

MODES = {
    "own": _l("Everybody reads only their own, administrators too"),
    "admins": _l("Administrators read all, everybody else only their own"),
    "chosen": _l("Administrators and chosen people read all, everybody else only their own"),
    "everyone": _l("Everybody of the company reads all"),
}


class SharingForm(FlaskForm):
    """One of the four ways, and people who are no administrators, ticked."""

    mode = RadioField(
        _l("All tickets of the company"), choices=options((one, MODES[one]) for one in TICKET_SHARING)
    )
    chosen = SelectMultipleField(
        _l("Chosen people"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=[],
    )


def sharing_form(company: Tenant, people: Sequence[Membership], *, filled: bool = False) -> SharingForm:
    """The form as it stands, or as somebody `filled` it in."""
    users = [one for one in people if one.role != MemberRole.CLIENT_ADMIN]
    now = {
        "mode": company.ticket_sharing,
        "chosen": [str(one.public_id) for one in users if one.reads_company],
    }
    form = SharingForm(data=now) if filled else SharingForm(formdata=None, data=now)
    form.chosen.choices = options((str(one.public_id), one.name) for one in users)
    return form


def save_sharing(company: Tenant, form: SharingForm) -> bool:
    """Save what was filled in and commit; what is refused is beside its field."""
    if not form.validate_on_submit():
        return False
    try:
        set_ticket_sharing(company, form.mode.data, form.chosen.data or [], by=actor(), at=time.now())
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return False
    return True
