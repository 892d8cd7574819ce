"""Forms of what the desk's managers keep for all clients: categories, canned replies, checklists."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from msp.threads.forms import words
from msp.web.fields import options
from tenants.tickets.messages import LONGEST_BODY

_NAME = _l("Write a name of at most 80 characters.")


def _name(label: object) -> StringField:
    return StringField(label, [DataRequired(_NAME), Length(max=80, message=_NAME)])


class CategoryForm(FlaskForm):
    """A category's names in both languages."""

    name_en = _name(_l("Name in English"))
    name_id = _name(_l("Name in Indonesian"))


class ReplyForm(FlaskForm):
    """Words that are said often, in one language."""

    name = _name(_l("Name"))
    language = SelectField(
        _l("Language"), choices=options((("id", _l("Indonesian")), ("en", _l("English")))), default="id"
    )
    body = words(_l("Words"), _l("Write something first."), longest=LONGEST_BODY)


class TemplateForm(FlaskForm):
    """Items of a checklist, one to a line."""

    name = _name(_l("Name"))
    lines = TextAreaField(
        _l("Items, one to a line"), [DataRequired(_l("Write one item to a line.")), Length(max=30_000)]
    )
