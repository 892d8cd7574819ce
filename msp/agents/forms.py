"""Forms of enrolment."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from msp.web.fields import options, plain_text
from tenants.assets.words import KIND_WORDS


def _id_field() -> Any:
    rules = [Optional(), Length(max=256), plain_text]
    return StringField(_l("Agent id"), rules, description=_l("Empty: made from the name. It never changes."))


class EnrolForm(FlaskForm):
    """A token for an asset that exists; the id is asked for only while it has none."""

    controller_id = _id_field()


class UnknownAssetForm(FlaskForm):
    """A machine of which only a name is known yet."""

    tenant = SelectField(_l("Client"), choices=())
    name = StringField(_l("Name"), [DataRequired(_l("Give the asset a name.")), Length(max=120), plain_text])
    kind = SelectField(_l("Kind"), choices=options(KIND_WORDS.items()), default="workstation")
    controller_id = _id_field()
