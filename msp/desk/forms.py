"""The desk's forms: shape only, the services decide."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, widgets
from wtforms.validators import InputRequired, Length, Optional

from msp.threads.forms import KINDS, ActForm, RequestForm, words
from msp.web.fields import HoursField, mail_address, options, plain_text
from msp.web.words import TIERS as TIER_WORDS
from msp.web.words import WAITING
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import PRIORITIES, TIERS, WAITING_REASONS
from tenants.tickets.vendors import VendorAsk

KIND_CHOICES = (*KINDS, ("problem", _l("A cause behind several tickets")), ("change", _l("A planned change")))
LEVELS = (("high", _l("High")), ("medium", _l("Medium")), ("low", _l("Low")))


class WaitForm(ActForm):
    """What the ticket waits for."""

    reason = SelectField(
        _l("What does it wait for?"),
        [InputRequired()],
        choices=options((reason, WAITING[reason]) for reason in WAITING_REASONS),
    )
    change = StringField(_l("Code of the change"), [Length(max=40)])
    vendor = StringField(
        _l("Vendor"), [Length(max=120, message=_l("Write one line of at most 120 characters."))]
    )
    reference = StringField(
        _l("Their reference"), [Length(max=120, message=_l("Write one line of at most 120 characters."))]
    )
    promised_hours = HoursField(_l("Answer promised within, in hours"))
    calendar = SelectField(
        _l("Hours count"),
        choices=options((("contract", _l("by the contract's calendar")), ("always", _l("around the clock")))),
        default="contract",
    )

    @property
    def ask(self) -> VendorAsk:
        """What is known of the vendor."""
        hours = self.promised_hours.data
        return VendorAsk(
            vendor=self.vendor.data or "",
            reference=self.reference.data or "",
            promised_minutes=None if hours is None else round(hours * 60),
            calendar=self.calendar.data,
        )


class ResolveForm(ActForm):
    """What was done, as the requester will read it."""

    solution = words(_l("What was done?"), _l("Say what was done."), longest=LONGEST_BODY, required=False)


class ReopenForm(ActForm):
    """Why it is not done after all."""

    because = words(_l("Why is it not done?"), _l("Say what is still wrong."), longest=LONGEST_BODY)


class CancelForm(ActForm):
    """Why nobody wants it any more."""

    reason = words(_l("Why?"), _l("Say why it is cancelled."), longest=2000)


class AssignForm(ActForm):
    """Who is to hold the ticket; the choices are those who may."""

    to = SelectField(_l("Who takes care of it?"), choices=[], validate_choice=True)


class PriorityForm(ActForm):
    """Impact and urgency anew, or a priority of one's own choice with a reason."""

    impact = SelectField(_l("How many are affected?"), [InputRequired()], choices=options(LEVELS))
    urgency = SelectField(_l("How urgent is it?"), [InputRequired()], choices=options(LEVELS))
    priority = SelectField(
        _l("Priority"),
        choices=options([("", _l("As impact and urgency say")), *((one, one) for one in PRIORITIES)]),
        default="",
    )
    reason = words(_l("Why this priority?"), "", longest=2000, required=False)


class HandOverForm(ActForm):
    """What the next person needs to know."""

    to_tier = SelectField(
        _l("To"), [InputRequired()], choices=options((tier, TIER_WORDS[tier]) for tier in TIERS)
    )
    symptoms = words(_l("What does the requester see?"), _l("Say what the requester sees."))
    tried = words(_l("What was tried, and what came of it?"), _l("Say what was tried, and what came of it."))
    evidence = words(_l("Evidence: logs, times, pictures"), "", required=False)
    files = SelectMultipleField(
        _l("Files of this ticket that prove it"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=[],
    )
    suspected_cause = words(_l("Suspected cause"), "", required=False)
    told_requester = words(_l("What was the requester told?"), _l("Say what the requester was told."))


class ReturnForm(ActForm):
    """What is missing."""

    reason = words(_l("What is missing?"), _l("Say what is missing, so that it can be mended."))


class PhoneForm(RequestForm):
    """Somebody calls: who, about what."""

    kind = SelectField(_l("What is it?"), choices=options(KIND_CHOICES), default="incident")
    category = SelectField(_l("Category"), choices=[], validate_choice=True, default="")

    requester = SelectField(_l("Who asks?"), choices=[], validate_choice=True, default="")
    caller_name = StringField(
        _l("Name, if the caller has no account"),
        [Optional(), Length(max=120, message=_l("A name has at most 120 characters.")), plain_text],
    )
    caller_email = StringField(
        _l("E-mail address, if the caller has no account"),
        [Optional(), Length(max=254), mail_address],
    )
    spoke_with_caller = BooleanField(_l("I spoke with the requester: this counts as the first response"))
