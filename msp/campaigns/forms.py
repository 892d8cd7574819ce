"""Forms of campaigns: shapes and single fields; whether they make a plan is the services' business."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    IntegerField,
    MultipleFileField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from msp.campaigns.gates import Gate
from msp.campaigns.pacing import Limits
from msp.campaigns.plans import Timing
from msp.web.fields import options, plain_text
from tenants.assets.words import KIND_WORDS
from tenants.foundation.errors import Invalid

NEW_RELEASE = "new"
LIMITS = ("at_once", "per_tenant", "per_site", "ramp_from", "per_service")
PERCENTS = _l("Waves are rising percentages that end with 100, such as 5, 25, 100.")
_NUMBERS = re.compile(r"\d{1,3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _number(label: Any, least: int, most: int, default: int, unit: Any = "") -> IntegerField:
    bounds = NumberRange(least, most, _l("Enter a whole number from %(min)s to %(max)s."))
    return IntegerField(
        label,
        [InputRequired(_l("Enter a number.")), bounds],
        default=default,
        description=unit,
    )


def _limit(label: Any, help_: Any) -> IntegerField:
    bounds = NumberRange(1, 1_000_000, _l("Enter a whole number from %(min)s to %(max)s."))
    return IntegerField(label, [Optional(), bounds], description=help_)


class DraftForm(FlaskForm):
    """A title, and a release that exists or is made now."""

    title = StringField(
        _l("Title"), [DataRequired(_l("Give the campaign a title.")), Length(max=120), plain_text]
    )
    release = SelectField(_l("Release"), choices=())
    name = StringField(_l("Name of the new release"), [Optional(), Length(max=80), plain_text])
    version = StringField(_l("Version"), [Optional(), Length(max=80), plain_text])
    target_path = StringField(_l("Where to put it"), [Optional(), Length(max=400), plain_text])
    files = MultipleFileField(_l("Files"))

    @property
    def is_new_release(self) -> bool:
        """Whether the release is made now."""
        return bool(self.release.data == NEW_RELEASE)


class AssetsForm(FlaskForm):
    """Which assets to add: of which clients, of which kind, with which tag."""

    tenants = SelectMultipleField(
        _l("Clients"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=(),
    )
    kind = SelectField(_l("Kind"), choices=options([("", _l("Every kind")), *KIND_WORDS.items()]), default="")
    tag = StringField(_l("Tag"), [Optional(), Length(max=40), plain_text])
    software = StringField(_l("With this package"), [Optional(), Length(max=200), plain_text])
    version = StringField(_l("In this version"), [Optional(), Length(max=120), plain_text])


class WavesForm(FlaskForm):
    """How large the waves are, what stops them and how long each step may take."""

    percents = StringField(_l("Waves, in percent of all assets"), default="5, 25, 100", description=PERCENTS)
    max_bad = IntegerField(
        _l("Stop a wave at this many failures"),
        [Optional(), NumberRange(1, 1_000_000)],
        default=1,
        description=_l("Empty: only the percentage counts."),
    )
    max_bad_pct = _number(_l("Stop above this share of failures"), 0, 100, 5, _l("percent"))
    min_sample = _number(_l("The share counts from this many results on"), 1, 1_000_000, 10)
    pass_pct = _number(_l("A wave passes with this share of successes"), 1, 100, 95, _l("percent"))
    max_gone_pct = _number(_l("At most this share may be out of reach"), 0, 100, 30, _l("percent"))
    soak_minutes = _number(_l("Wait after the last success"), 0, 10_080, 15, _l("minutes"))
    start_hours = _number(_l("Time to begin"), 1, 720, 24, _l("hours"))
    step_minutes = _number(_l("Time without a word while installing"), 1, 10_080, 60, _l("minutes"))
    verify_minutes = _number(_l("Time to prove a reported success"), 1, 10_080, 30, _l("minutes"))
    silent_minutes = _number(
        _l("Silence after an installation counts as failure after"), 10, 10_080, 15, _l("minutes")
    )
    reserve_minutes = _number(_l("Time left before a window closes"), 0, 10_080, 30, _l("minutes"))
    campaign_days = _number(_l("The campaign waits at most"), 1, 365, 14, _l("days"))
    catches_up = BooleanField(
        _l("Machines out of reach may follow in a catch-up wave until then"),
    )
    at_once = _limit(_l("Assets at once"), _l("in the whole campaign; empty: no limit"))
    per_tenant = _limit(_l("At once at a client"), _l("empty: no limit"))
    per_site = _limit(_l("At once at a site"), _l("empty: no limit"))
    ramp_from = _limit(_l("Begin with this many"), _l("and double as often succeed; empty: no ramp"))
    per_service = _number(
        _l("Of one service at once"), 1, 1_000_000, 1, _l("assets that share a tag such as service:web")
    )

    def wave_percents(self) -> tuple[int, ...]:
        """The percentages as numbers. Raises Invalid."""
        words = [one.strip() for one in (self.percents.data or "").replace(";", ",").split(",")]
        if not all(_NUMBERS.fullmatch(one) for one in words):
            raise Invalid("percents", PERCENTS)
        return tuple(int(one) for one in words)

    def gate(self) -> Gate:
        """The numbers as a gate; it decides at the latest when nothing can be under way any more."""
        hours = self.start_hours.data + (self.step_minutes.data * 4 + self.verify_minutes.data) / 60
        return Gate(
            max_bad=self.max_bad.data,
            max_bad_pct=self.max_bad_pct.data,
            min_sample=self.min_sample.data,
            pass_pct=self.pass_pct.data,
            max_gone_pct=self.max_gone_pct.data,
            soak_seconds=self.soak_minutes.data * 60,
            lane_seconds=int(hours * 3600),
        )

    def timing(self) -> Timing:
        """The times in seconds."""
        return Timing(
            start_seconds=self.start_hours.data * 3600,
            step_seconds=self.step_minutes.data * 60,
            hard_seconds=self.step_minutes.data * 240,
            verify_seconds=self.verify_minutes.data * 60,
            silent_seconds=self.silent_minutes.data * 60,
            reserve_seconds=self.reserve_minutes.data * 60,
            campaign_seconds=self.campaign_days.data * 86_400,
            catches_up=self.catches_up.data,
        )

    def limits(self) -> Limits:
        """How much may be under way at once."""
        return Limits(**{name: self[name].data for name in LIMITS})


def wave_values(wishes: dict[str, Any]) -> dict[str, Any]:
    """The fields' data for what a draft wishes so far."""
    if not wishes:
        return {}
    gate, timing = wishes["gates"][0], wishes["timing"]
    same = ("max_bad", "max_bad_pct", "min_sample", "pass_pct", "max_gone_pct")
    return {
        "percents": ", ".join(str(one) for one in wishes["percents"]),
        **{name: gate[name] for name in same},
        "soak_minutes": gate["soak_seconds"] // 60,
        "start_hours": max(1, timing["start_seconds"] // 3600),
        "step_minutes": max(1, timing["step_seconds"] // 60),
        "verify_minutes": max(1, timing["verify_seconds"] // 60),
        "silent_minutes": max(10, timing["silent_seconds"] // 60),
        "reserve_minutes": timing["reserve_seconds"] // 60,
        "campaign_days": max(1, timing["campaign_seconds"] // 86_400),
        "catches_up": timing["catches_up"],
        **{name: wishes["limits"][name] for name in LIMITS},
    }


def storable(typed: str | None) -> str | None:
    """What was typed, without characters that a database cannot hold."""
    return _CONTROL.sub("", typed).strip() if typed else typed


class ReasonForm(FlaskForm):
    """Why."""

    reason = TextAreaField(_l("Reason"), [DataRequired(_l("Say why.")), Length(max=1000)], filters=[storable])


class MaybeReasonForm(FlaskForm):
    """Why, if there is time to say it."""

    reason = TextAreaField(_l("Reason"), [Optional(), Length(max=1000)], filters=[storable])


class PostponeForm(FlaskForm):
    """Until which day, and why."""

    until = DateField(
        _l("Until"),
        [DataRequired(_l("Choose a day within the next 90 days."))],
        description=_l("Nothing begins before this day; then you are asked again."),
    )
    reason = TextAreaField(_l("Reason (if you like)"), [Optional(), Length(max=1000)], filters=[storable])


class RollbackForm(FlaskForm):
    """To which version."""

    release = SelectField(_l("Back to"), choices=())


class StartForm(FlaskForm):
    """When to begin."""

    start_at = DateTimeLocalField(
        _l("Begin at"), [Optional()], description=_l("Empty: at once. Your time zone.")
    )
