"""The forms of a contract and of its terms: fields and their bounds; `contract_drafts` turns them into a document."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.history import ClockKind
from contracts.terms.document import LONGEST_TARGET, PAUSE_REASONS, PRIORITIES
from contracts.terms.ola import LONGEST as LONGEST_ACCEPTANCE
from contracts.terms.promise import LONGEST_PROMISE, MOST_DAYS, MOST_HOURS, TIERS, Notified
from contracts.terms.services import YEARS
from msp.console.forms import trimmed, zone_choices
from msp.promises.holidays import country_choices
from msp.promises.words import (
    CHANGE_WORDS,
    MAINTENANCE_WORDS,
    NOTIFY_WORDS,
    PAUSE_WORDS,
    REASON_WORDS,
    REOPEN_WORDS,
    TARGET_WORDS,
    UPDATE_WORDS,
    WEEKDAY_WORDS,
)
from msp.web.fields import options, plain_text

CLOCKS = tuple(clock.value for clock in ClockKind)
NOTIFIED = tuple(who.value for who in Notified)


def whole(label: Any, low: int, high: int, **more: Any) -> IntegerField:
    said = _l("Enter a whole number from %(low)s to %(high)s.", low=low, high=high)
    return IntegerField(label, [Optional(), NumberRange(low, high, said)], **more)


def words(label: Any, longest: int = 100) -> StringField:
    return StringField(label, [Length(max=longest), plain_text], filters=[trimmed])


def _lines(label: Any) -> TextAreaField:
    return TextAreaField(label, [Length(max=8000), _plain_lines], filters=[trimmed])


def _plain_lines(form: Any, field: Any) -> None:
    for line in (field.data or "").splitlines():
        plain_text(form, SimpleNamespace(data=line))


def day(label: Any, *rules: Any) -> DateField:
    return DateField(label, [*(rules or [Optional()]), _in_reach])


def _in_reach(_form: Any, field: Any) -> None:
    if field.data is not None and field.data.year not in YEARS:
        said = _l("Choose a day in the years %(first)s to %(last)s.", first=YEARS[0], last=YEARS[-1])
        raise ValidationError(said)


def _one_of(label: Any, words: Any) -> SelectField:
    return SelectField(label, choices=options(words.items()), default=next(iter(words)))


class TermsForm(FlaskForm):
    """A version's terms in fields; `contract_rows.form_with` adds those that come in rows."""

    row_counts: ClassVar[Mapping[str, int]] = {}
    miss_warning = BooleanField(_l("Keep a warning at 100 percent too, as the earlier terms do"))
    in_force_on = day(_l("In force from"), DataRequired(_l("Enter a date.")))
    note = words(_l("What changes, in a sentence"), 300)
    update_start = _one_of(_l("The time for an update begins"), UPDATE_WORDS)
    reopen = _one_of(_l("When a ticket is reopened"), REOPEN_WORDS)
    change = _one_of(_l("When the priority changes"), CHANGE_WORDS)
    always = BooleanField(_l("Open around the clock, every day"))
    special_days = _lines(_l("Days with hours of their own, one a line"))
    country = SelectField(_l("Holidays of"), validate_choice=True, default="")
    holiday_days = SelectMultipleField(_l("Holidays"), choices=[], validate_choice=False)
    accept_years = SelectMultipleField(_l("Accept all of a year"), choices=[], validate_choice=False)
    holidays = _lines(_l("Other holidays, one date a line"))
    cap_percent = whole(_l("Credits of one month at most, percent of the fee"), 1, 100)
    auto_close_days = whole(_l("Close solved tickets after days"), 1, MOST_DAYS, default=7)
    reopen_days = whole(_l("Closed tickets can be reopened for days"), 1, MOST_DAYS, default=14)
    statement_day = IntegerField(
        _l("Day of the following month on which the statement is mailed"),
        [
            InputRequired(_l("Enter a day from 1 to 28.")),
            NumberRange(1, 28, _l("Enter a day from 1 to 28.")),
        ],
        default=3,
    )
    included_hours = whole(_l("Hours included a month"), 0, MOST_HOURS)
    patch_promise_days = whole(_l("Critical updates installed within days"), 1, LONGEST_PROMISE)
    maintenance = _one_of(_l("Planned maintenance"), MAINTENANCE_WORDS)
    week_on = day(_l("Week to show"))


class ContractForm(TermsForm):
    """A new contract with its first terms."""

    name = StringField(
        _l("Name"), [DataRequired(_l("Enter a name.")), Length(max=120), plain_text], filters=[trimmed]
    )
    time_zone = SelectField(_l("Time zone"), default="Asia/Jakarta")
    ends_on = day(_l("Ends on"))
    monthly_fee = whole(_l("Monthly fee, in whole units"), 0, 10**12)
    currency = StringField(_l("Currency"), [Length(3, 3, _l("Three letters, such as IDR."))], default="IDR")


def _add(name: str, field: Any) -> None:
    setattr(TermsForm, name, field)


def _minutes(priority: str, clock: str) -> IntegerField:
    label = _l("%(priority)s: %(target)s, minutes", priority=priority, target=TARGET_WORDS[clock])
    bounds = NumberRange(1, LONGEST_TARGET, _l("Enter whole minutes, at least 1."))
    return IntegerField(label, [Optional(), bounds])


def _acceptance(priority: str) -> IntegerField:
    label = _l("%(priority)s: hand-over accepted within, minutes", priority=priority)
    return whole(label, 1, LONGEST_ACCEPTANCE)


def add_action(name: str, label: Any, to: type[TermsForm] = TermsForm) -> None:
    for who in NOTIFIED:
        said = _l("%(label)s: %(who)s", label=label, who=NOTIFY_WORDS[who])
        setattr(to, f"{name}_{who}", BooleanField(said))
    tiers: list[tuple[str, Any]] = [("", "–"), *((tier, tier) for tier in TIERS)]
    field = SelectField(_l("%(label)s: hand to", label=label), choices=options(tiers), default="")
    setattr(to, f"{name}_hand_to", field)


for _priority in PRIORITIES:
    for _clock in CLOCKS:
        _add(f"{_priority}_{_clock}", _minutes(_priority, _clock))
    _add(f"acceptance_{_priority}", _acceptance(_priority))
    _add(f"{_priority}_always", BooleanField(_l("%(priority)s around the clock", priority=_priority)))
for _weekday in WEEKDAYS:
    _add(f"hours_{_weekday}", words(_l("%(weekday)s: business hours", weekday=WEEKDAY_WORDS[_weekday])))
    _add(f"window_{_weekday}", words(_l("%(weekday)s: maintenance window", weekday=WEEKDAY_WORDS[_weekday])))
for _clock in CLOCKS:
    for _reason in PAUSE_REASONS:
        _said = _l("%(clock)s %(reason)s", clock=PAUSE_WORDS[_clock], reason=REASON_WORDS[_reason])
        _add(f"pause_{_clock}_{_reason}", BooleanField(_said))
add_action("miss", _l("When a target is missed"))


def prepare(form: TermsForm) -> None:
    """Choices that depend on the day and on the reader."""
    form.country.choices = options([("", _l("no country")), *country_choices()])
    if isinstance(form, ContractForm):
        form.time_zone.choices = options(zone_choices())
