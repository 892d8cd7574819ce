"""Forms of a conversation: on the website, in the portal and on the desk."""

import uuid

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Regexp

from msp.intake.chats.services import LONGEST_LINE
from msp.web.fields import email_field, name_field


class LineForm(FlaskForm):
    """Something to say."""

    body = TextAreaField(
        _l("Message"), [Length(max=LONGEST_LINE, message=_l("Write at most 2,000 characters at a time."))]
    )
    request_key = HiddenField(
        default=lambda: str(uuid.uuid4()),
        validators=[Regexp(r"^[0-9A-Za-z-]{0,64}\Z")],
        filters=[lambda key: key or None],
    )


class VisitorLineForm(LineForm):
    """There is no cookie, so no form token: the conversation's own token is in the address."""

    class Meta(FlaskForm.Meta):
        """No session."""

        csrf = False


class StartForm(VisitorLineForm):
    """Who wants to talk."""

    name = name_field(_l("Your name"))
    email = email_field(_l("Your e-mail address"))
    # People leave it empty, since they don't see it.
    website = StringField("Website", [Length(max=0)])
