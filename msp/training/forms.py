"""Forms of classes: shape only, the services decide."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp

from msp.training.services import LONGEST_PLACE, LONGEST_TEACHES, LONGEST_TITLE, LONGEST_WHY
from msp.training.words import LANGUAGES
from msp.web.fields import options, plain_text, request_key_field


def _why(label: Any, message: Any) -> Any:
    long = _l("This text is too long.")
    return TextAreaField(label, [DataRequired(message), Length(max=LONGEST_WHY, message=long)])


class ClassForm(FlaskForm):
    """What a class is about, when, where and with whom."""

    category = SelectField(
        _l("Category"), [InputRequired(_l("Choose a category."))], choices=[], validate_choice=True
    )
    title = StringField(
        _l("Title"),
        [
            DataRequired(_l("Write a title of at most 160 characters.")),
            Length(max=LONGEST_TITLE, message=_l("Write a title of at most 160 characters.")),
            plain_text,
        ],
    )
    teaches = TextAreaField(
        _l("What do people learn?"),
        [
            DataRequired(_l("Say what people learn, in at most 5,000 characters.")),
            Length(max=LONGEST_TEACHES, message=_l("This text is too long.")),
        ],
    )
    language = SelectField(_l("Language of the class"), choices=options(LANGUAGES.items()))
    on = DateField(_l("Day"), [InputRequired(_l("Enter a day."))])
    starts_at = TimeField(_l("Begins at"), [InputRequired(_l("Enter a time, such as 22:00."))])
    minutes = IntegerField(_l("Lasts, in minutes"), [InputRequired(_l("Enter a number."))], default=60)
    site = SelectField(_l("Site"), choices=[], default="")
    place = StringField(
        _l("Room or address"),
        [Optional(), Length(max=LONGEST_PLACE, message=_l("Write one line of at most 300 characters."))],
    )
    link = StringField(
        _l("Link, if it is held online"),
        [Optional(), Length(max=500, message=_l("Write at most 500 characters."))],
    )
    trainer = SelectField(_l("Trainer"), choices=[], default="")
    # The class as the page showed it, so that an old page is refused.
    seen = HiddenField(validators=[Regexp(r"^\d{0,9}$")])
    request_key = request_key_field()

    @property
    def sequence(self) -> int | None:
        """What the person saw."""
        return int(self.seen.data) if self.seen.data else None


class PeopleForm(FlaskForm):
    """People of the client, ticked."""

    people = SelectMultipleField(
        _l("Participants"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=[],
    )


class CancelForm(FlaskForm):
    """Why it does not take place."""

    why = _why(_l("Why?"), _l("Say why it is cancelled, in at most 500 characters: the client reads it."))


class RefuseForm(FlaskForm):
    """Why not now."""

    reason = _why(_l("Why not now?"), _l("Say why not now, in at most 500 characters."))


class FilesForm(FlaskForm):
    """Files, which are read apart from the form."""


class ArticleForm(FlaskForm):
    """An article that the client may read."""

    article = SelectField(_l("Article"), [InputRequired(_l("Choose an article."))], choices=[], default="")
