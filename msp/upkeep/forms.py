"""Forms of plans and policies: shapes and single fields; whether they fit is the services' business."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from msp.upkeep.rules import LONGEST_LEAD_DAYS, TIERS
from msp.upkeep.words import BECOMES_WORDS, SEVERITY_WORDS
from msp.web.fields import options, plain_text
from msp.windows.forms import RecurringForm
from tenants.assets.models import Asset
from tenants.assets.words import KIND_WORDS
from tenants.people.models import StaffMember
from tenants.tenancy.models import Site, Tenant

WHOLE_NUMBER = _l("Enter a whole number from %(min)s to %(max)s.")


def _days(label: Any, most: int, default: int, description: Any) -> IntegerField:
    rules = [InputRequired(_l("Enter a number.")), NumberRange(0, most, WHOLE_NUMBER)]
    return IntegerField(label, rules, default=default, description=description)


def _printable(typed: str | None) -> str | None:
    return "".join(one for one in typed if one == "\n" or one.isprintable()) if typed else typed


class PlanForm(RecurringForm):
    """Recurring maintenance: what, when, where and who."""

    title = StringField(_l("Title"), [DataRequired(_l("Give it a title.")), Length(max=120), plain_text])
    checklist = TextAreaField(
        _l("Checklist"),
        [Optional(), Length(max=15_000)],
        filters=[_printable],
        description=_l("One step a line. It is copied into each ticket."),
    )
    becomes = RadioField(_l("It becomes"), choices=options(BECOMES_WORDS.items()), default="request")
    lead_days = _days(_l("Days ahead"), LONGEST_LEAD_DAYS, 7, _l("So early the ticket is opened."))
    who = SelectField(_l("Who does it"), choices=())
    site = SelectField(_l("Site"), choices=(), default="")
    assets = SelectMultipleField(_l("Assets"), choices=())

    def offer(self, people: Sequence[StaffMember], sites: Sequence[Site], assets: Sequence[Asset]) -> None:
        """Let people, sites and assets of this client be chosen."""
        self.who.choices = options(
            [
                *((tier, _l("The queue of %(tier)s", tier=tier)) for tier in TIERS),
                *((str(one.public_id), one.name) for one in people),
            ]
        )
        self.site.choices = options([("", _l("No site")), *((str(one.public_id), one.name) for one in sites)])
        self.assets.choices = options((str(one.public_id), one.name) for one in assets)

    def lines(self) -> list[str]:
        """The checklist, line by line."""
        return [line.strip() for line in (self.checklist.data or "").splitlines() if line.strip()]


class PolicyForm(RecurringForm):
    """For which releases campaigns are proposed, for whose assets, and on which days."""

    minutes = None
    name = StringField(_l("Name"), [DataRequired(_l("Give it a name.")), Length(max=80), plain_text])
    tenants = SelectMultipleField(
        _l("Clients"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=(),
    )
    kind = SelectField(
        _l("Kind of assets"), choices=options([("", _l("Every kind")), *KIND_WORDS.items()]), default=""
    )
    tag = StringField(_l("Tag"), [Optional(), Length(max=40), plain_text])
    severity = SelectField(_l("Severity at least"), choices=options(SEVERITY_WORDS.items()), default="high")
    least_age_days = _days(
        _l("Age of the release, in days"), 365, 7, _l("Younger releases wait for the next time.")
    )

    def offer(self, tenants: Sequence[Tenant]) -> None:
        """Let the clients be chosen that one is granted."""
        self.tenants.choices = options((tenant.slug, tenant.name) for tenant in tenants)
