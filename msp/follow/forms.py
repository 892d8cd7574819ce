"""Forms for requesters who come by a link."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from msp.web.fields import email_field


class AskLinkForm(FlaskForm):
    """Which ticket, and whose."""

    code = StringField(
        _l("Code of the ticket"), [DataRequired(_l("Type the code, as in ACME-7K3Q-XP4M.")), Length(max=40)]
    )
    email = email_field(_l("Your e-mail address"))
