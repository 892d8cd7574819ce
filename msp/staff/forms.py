"""Forms of staff's pages: shapes and single fields; whether they fit is the services' business."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from contracts.clock.zones import ZONE_NAMES
from msp.staff.patterns import LONGEST_WEEKS, countries
from msp.staff.rules import TIERS
from msp.staff.words import ABSENCE_WORDS, KIND_WORDS, WEEKDAY_WORDS
from msp.web.fields import options, plain_text
from msp.web.formats import reader_locale
from tenants.people.models import StaffMember

# The first is how browsers write it, and how it is shown to them.
MINUTES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
ENTER_DAY = _l("Enter a day.")
ENTER_MOMENT = _l("Enter a day and a time.")
ENTER_TIME = _l("Enter a time, such as 08:00.")


def _line(label: Any, longest: int, *, required: bool = True, description: Any = "") -> StringField:
    first = DataRequired(_l("Write something here.")) if required else Optional()
    return StringField(label, [first, Length(max=longest), plain_text], description=description)


def _many(label: Any, choices: Any = ()) -> SelectMultipleField:
    return SelectMultipleField(
        label,
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=choices,
    )


def _people(people: Sequence[StaffMember]) -> list[tuple[str, Any]]:
    return [(str(one.public_id), f"{one.name} ({one.tier})") for one in people]


class SkillForm(FlaskForm):
    """A skill's names, and whether it is in use."""

    name_en = _line(_l("Name in English"), 80)
    name_id = _line(_l("Name in Indonesian"), 80)
    is_active = BooleanField(_l("In use"), default=True)


class CertificateForm(FlaskForm):
    """What stands on a certificate."""

    person = SelectField(_l("Person"), choices=())
    name = _line(_l("Certificate"), 120)
    issuer = _line(_l("Issued by"), 120)
    number = _line(_l("Number of the certificate"), 80, required=False)
    issued_on = DateField(_l("Issued on"), [InputRequired(ENTER_DAY)])
    expires_on = DateField(_l("Expires on"), [Optional()], description=_l("Empty: it never expires."))

    def offer(self, people: Sequence[StaffMember]) -> None:
        """Let these people be chosen."""
        self.person.choices = options(_people(people))


class TeamForm(FlaskForm):
    """A team's name, people, lead and tier."""

    name = _line(_l("Name"), 80)
    members = _many(_l("People"))
    lead = SelectField(_l("Lead"), choices=(), default="")
    default_tier = SelectField(_l("Usual tier"), choices=(), default="")

    def offer(self, people: Sequence[StaffMember]) -> None:
        """Let these people be chosen."""
        self.members.choices = options(_people(people))
        self.lead.choices = options([("", _l("Nobody")), *_people(people)])
        self.default_tier.choices = options([("", _l("None")), *((one, one) for one in TIERS)])


class DutyForm(FlaskForm):
    """Who does which kind of duty in which tier, counted in which zone."""

    person = SelectField(_l("Person"), choices=())
    kind = SelectField(_l("Kind"), choices=options(KIND_WORDS.items()), default="shift")
    tier = SelectField(_l("Tier"), choices=options((one, one) for one in TIERS), default="L1")
    time_zone = SelectField(_l("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.time_zone.choices = options((zone, zone.replace("_", " ")) for zone in sorted(ZONE_NAMES))

    def offer(self, people: Sequence[StaffMember]) -> None:
        """Let these people be chosen."""
        self.person.choices = options(_people(people))


class ShiftForm(DutyForm):
    """One shift, typed as the zone's wall clock shows it."""

    begins_at = DateTimeLocalField(_l("From"), [InputRequired(ENTER_MOMENT)], format=MINUTES)
    ends_at = DateTimeLocalField(_l("Until"), [InputRequired(ENTER_MOMENT)], format=MINUTES)
    note = _line(_l("Note"), 200, required=False)

    def moments(self) -> tuple[datetime, datetime]:
        """Both moments."""
        zone = ZoneInfo(self.time_zone.data)
        return self.begins_at.data.replace(tzinfo=zone), self.ends_at.data.replace(tzinfo=zone)


class PatternForm(DutyForm):
    """Shifts that come back every week."""

    weekdays = _many(_l("Days of the week"), options(WEEKDAY_WORDS.items()))
    every = IntegerField(
        _l("Every so many weeks"),
        [
            InputRequired(_l("Enter a number.")),
            NumberRange(1, LONGEST_WEEKS, _l("Enter a whole number from %(min)s to %(max)s.")),
        ],
        default=1,
    )
    starts_at = TimeField(_l("Begins at"), [InputRequired(ENTER_TIME)])
    ends_at = TimeField(
        _l("Ends at"),
        [InputRequired(ENTER_TIME)],
        description=_l("Not later than the beginning: on the next day."),
    )
    first_on = DateField(_l("First day"), [InputRequired(ENTER_DAY)])
    last_on = DateField(_l("Last day"), [InputRequired(ENTER_DAY)])
    country = SelectField(
        _l("Leave out the public holidays of"),
        choices=(),
        default="",
        description=_l("Being on call knows no holidays."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = reader_locale().territories
        named = sorted((str(names.get(code, code)), code) for code in countries())
        self.country.choices = options([("", _l("No country")), *((code, name) for name, code in named)])


class AbsenceForm(FlaskForm):
    """Who is away, why, and on which days."""

    person = SelectField(_l("Person"), choices=())
    kind = SelectField(_l("Kind"), choices=options(ABSENCE_WORDS.items()), default="leave")
    first_on = DateField(_l("First day"), [InputRequired(ENTER_DAY)])
    last_on = DateField(_l("Last day"), [InputRequired(ENTER_DAY)])
    note = _line(_l("Note"), 200, required=False)

    def offer(self, people: Sequence[StaffMember]) -> None:
        """Let these people be chosen."""
        self.person.choices = options(_people(people))


class LeaveForm(FlaskForm):
    """What is open and what to watch; where each ticket goes stands beside the ticket."""

    body = TextAreaField(
        _l("Note for the next shift"),
        [DataRequired(_l("Write what is open and what to watch.")), Length(max=5000)],
        description=_l(
            "Everybody on the next shifts reads it. Name tickets by their code; leave clients' details there."
        ),
    )
