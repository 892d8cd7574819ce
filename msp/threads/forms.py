"""Forms about tickets that several pages share."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from msp.web.fields import options, request_key_field
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.opening import LONGEST_SUBJECT
from tenants.tickets.ratings import LONGEST_COMMENT


def words(label: Any, message: Any, *, longest: int = 5000, required: bool = True) -> Any:
    """A text of several lines."""
    rules: list[Any] = [Length(max=longest, message=_l("This text is too long."))]
    return TextAreaField(label, [DataRequired(message), *rules] if required else rules)


READERS = (("public", _l("Everyone")), ("internal", _l("Staff")))
KINDS = (("incident", _l("Something does not work")), ("request", _l("I need something")))
IMPACTS = (("low", _l("One person")), ("medium", _l("A team or a branch")), ("high", _l("The whole company")))
SCORES = (("good", _l("Yes, well done")), ("bad", _l("No, I am not satisfied")))
URGENCIES = (
    ("low", _l("It can wait")),
    ("medium", _l("Work is slowed down")),
    ("high", _l("Work stands still")),
)


class ActForm(FlaskForm):
    """What every act carries: the state of the ticket that the page showed."""

    rev = HiddenField(validators=[Regexp(r"^[0-9]{0,9}\Z")])

    @property
    def seen(self) -> int | None:
        """The revision that the person saw."""
        return int(self.rev.data) if self.rev.data else None


class MessageForm(FlaskForm):
    """Something to say, for everyone on the ticket or for staff."""

    body = words(_l("Message"), _l("Write something first."), longest=LONGEST_BODY)
    kind = SelectField(_l("Who will read this"), choices=options(READERS), default="public")
    request_key = request_key_field()


class StaffMessageForm(MessageForm):
    """A note of a call may stand for an answer."""

    spoke_with_caller = BooleanField(_l("I spoke with the requester on the phone"))


class RequestForm(FlaskForm):
    """What is asked for: the part of opening a ticket that clients and staff share."""

    kind = SelectField(
        _l("What is it?"),
        choices=options(KINDS),
        default="incident",
    )
    subject = StringField(
        _l("Subject"),
        [
            DataRequired(_l("Write one line that names the problem.")),
            Length(max=LONGEST_SUBJECT, message=_l("Write one line of at most 200 characters.")),
        ],
    )
    body = words(_l("What happens?"), _l("Describe what happens."), longest=LONGEST_BODY)
    impact = SelectField(
        _l("How many are affected?"),
        [InputRequired()],
        choices=options(IMPACTS),
        default="low",
    )
    urgency = SelectField(
        _l("How urgent is it?"),
        [InputRequired()],
        choices=options(URGENCIES),
        default="medium",
    )
    category = SelectField(_l("What is it about?"), choices=[], validate_choice=True, default="")
    asset = SelectField(_l("Which device or system?"), validate_choice=True, choices=[], default="")
    request_key = request_key_field()


class RatingForm(FlaskForm):
    """Was the solution good?"""

    score = RadioField(
        _l("Are you satisfied with the solution?"),
        [InputRequired(_l("Say whether it was good or bad."))],
        choices=options(SCORES),
    )
    comment = TextAreaField(
        _l("What went well, or what was missing? (if you like)"),
        [Length(max=LONGEST_COMMENT, message=_l("Write at most 1,000 characters."))],
    )
