"""Forms of what comes back, and of freezes: shapes and single fields; whether a rule fits is the services' business."""

import hashlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TimeField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from contracts.clock.zones import ZONE_NAMES
from msp.web.fields import options, plain_text
from msp.windows.choices import Choice, choice_of, rule_of
from msp.windows.rules import LONGEST_RULE, Recurring, UnfitRule, check_rule, next_spans
from msp.windows.services import UNFIT
from msp.windows.words import NTH_WORDS, REPEAT_WORDS, WEEKDAY_WORDS
from tenants.foundation.errors import Invalid
from tenants.foundation.spans import Span

SHOWN = 5
_LACKING = {
    "weekdays": _l("Choose at least one day of the week."),
    "nth": _l("Choose which weekday of the month."),
    "rule": _l("Enter a rule, such as FREQ=MONTHLY;BYDAY=2TU."),
}


class RecurringForm(FlaskForm):
    """How something comes back. What is saved was looked at before: `looked_at` is the digest of what was shown."""

    repeat = RadioField(_l("How it comes back"), choices=options(REPEAT_WORDS.items()), default="weekly")
    weekdays = SelectMultipleField(
        _l("Days of the week"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=options(WEEKDAY_WORDS.items()),
    )
    nth = SelectField(_l("Which one of the month"), choices=options(NTH_WORDS.items()), default="2")
    weekday = SelectField(_l("Weekday of the month"), choices=options(WEEKDAY_WORDS.items()), default="TU")
    rule = StringField(_l("Rule"), [Optional(), Length(max=LONGEST_RULE), plain_text])
    first_on = DateField(_l("First day"), [InputRequired(_l("Enter a day."))])
    starts_at = TimeField(_l("Begins at"), [InputRequired(_l("Enter a time, such as 22:00."))])
    minutes = IntegerField(
        _l("Lasts, in minutes"),
        [
            InputRequired(_l("Enter a number.")),
            NumberRange(1, 10_080, _l("Enter a whole number from %(min)s to %(max)s.")),
        ],
        default=120,
    )
    time_zone = SelectField(_l("Time zone"))
    looked_at = HiddenField()
    save = SubmitField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.time_zone.choices = options((zone, zone.replace("_", " ")) for zone in sorted(ZONE_NAMES))

    def recurring(self, at: datetime) -> Recurring:
        """What was typed as a rule that can be used. Raises Invalid naming the field."""
        found = Recurring(
            self._rule(),
            self.first_on.data,
            self.starts_at.data,
            self.minutes.data if "minutes" in self else 1,
            self.time_zone.data,
        )
        try:
            check_rule(found, since=at)
        except UnfitRule as unfit:
            raise Invalid("rule" if self.repeat.data == "rule" else "repeat", UNFIT[str(unfit)]) from unfit
        return found

    def _rule(self) -> str:
        choice = Choice(
            self.repeat.data,
            weekdays=tuple(self.weekdays.data or ()),
            nth=self.nth.data,
            weekday=self.weekday.data,
            rule=self.rule.data or "",
        )
        try:
            return rule_of(choice)
        except ValueError as lacking:
            raise Invalid(str(lacking), _LACKING[str(lacking)]) from lacking

    def is_to_be_saved(self, recurring: Recurring) -> bool:
        """Whether saving was asked for, and exactly these dates had been shown before."""
        shown = self.looked_at.data == digest_of(recurring)
        self.looked_at.data = digest_of(recurring)
        return bool(self.save.data) and shown


def digest_of(recurring: Recurring) -> str:
    """What stands for a rule that was shown."""
    return hashlib.sha256(repr(recurring).encode()).hexdigest()[:16]


def dates_of(recurring: Recurring, at: datetime) -> list[Span]:
    """The next occurrences, as the preview shows them."""
    return next_spans(recurring, at, SHOWN)


def values_of(recurring: Recurring) -> dict[str, Any]:
    """The fields' data for a rule."""
    choice = choice_of(recurring.rule)
    return {
        "repeat": choice.repeat,
        "weekdays": list(choice.weekdays),
        "nth": choice.nth,
        "weekday": choice.weekday,
        "rule": recurring.rule,
        "first_on": recurring.first_on,
        "starts_at": recurring.starts_at,
        "minutes": recurring.minutes,
        "time_zone": recurring.time_zone,
    }


def _name(label: Any) -> StringField:
    rules = [DataRequired(_l("Give it a name.")), Length(max=120), plain_text]
    return StringField(label, rules)


class WindowForm(RecurringForm):
    """A maintenance window."""

    name = _name(_l("Name"))


class FreezeForm(FlaskForm):
    """From when until when nothing is changed."""

    name = _name(_l("Name"))
    begins_at = DateTimeLocalField(_l("From"), [InputRequired(_l("Enter a day and a time."))])
    ends_at = DateTimeLocalField(_l("Until"), [InputRequired(_l("Enter a day and a time."))])

    def moments(self, time_zone: str) -> tuple[datetime, datetime]:
        """Both moments, typed as the zone's wall clock shows them."""
        zone = ZoneInfo(time_zone)
        return self.begins_at.data.replace(tzinfo=zone), self.ends_at.data.replace(tzinfo=zone)
