"""Forms about what stands around a ticket: shape only, the services decide."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from msp.threads.around import LINK_WORDS
from msp.threads.forms import ActForm, words
from msp.web.fields import options, request_key_field
from msp.web.words import TICKET_KINDS
from tenants.tickets.kinds import CHOSEN_KINDS
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.relation_models import LINKS


def code_field(label: object) -> StringField:
    """A ticket's code as a person types it."""
    return StringField(
        label,
        [DataRequired(_l("Type a ticket’s code.")), Length(max=40, message=_l("Type a ticket’s code."))],
    )


class DetailsForm(ActForm):
    """What a ticket is, what it is about, and where; a change is not asked what it is."""

    kind = SelectField(_l("Kind"), choices=options((one, TICKET_KINDS[one]) for one in CHOSEN_KINDS))
    category = SelectField(_l("Category"), choices=[], validate_choice=True, default="")
    asset = SelectField(_l("Asset"), choices=[], validate_choice=True, default="")
    further = SelectMultipleField(_l("Further assets"), choices=[], validate_choice=True)
    site = SelectField(_l("Site"), choices=[], validate_choice=True, default="")


class WatcherForm(FlaskForm):
    """Somebody with an account, or a bare address."""

    person = SelectField(_l("Person"), choices=[], validate_choice=True, default="")
    email = StringField(_l("Or an e-mail address"), [Optional(), Length(max=254)])


class LinkForm(FlaskForm):
    """How this ticket stands to another one."""

    kind = SelectField(
        _l("This ticket"),
        [InputRequired()],
        choices=options((kind, LINK_WORDS[kind]) for kind in LINKS),
        default="related",
    )
    other = code_field(_l("Code of the other ticket"))


class MergeForm(ActForm):
    """The ticket that goes on."""

    target = code_field(_l("Code of the ticket that goes on"))


class ChecklistForm(FlaskForm):
    """Items to add, one to a line, or a template."""

    what = TextAreaField(_l("Items, one to a line"), [Optional(), Length(max=30_000)])
    template = SelectField(_l("Or a template"), choices=[], validate_choice=True, default="")


class IncidentsForm(FlaskForm):
    """Which incidents of a problem are resolved with it, and what their requesters are told."""

    codes = SelectMultipleField(_l("Tickets"), choices=[], validate_choice=True)
    solution = words(_l("What was done?"), _l("Say what was done."), longest=LONGEST_BODY)


class FollowUpForm(FlaskForm):
    """What is wrong again."""

    body = words(_l("What is wrong again?"), _l("Describe what happens."), longest=LONGEST_BODY)
    request_key = request_key_field()
